import contextlib
import http.client
import itertools
import json
import re
import signal
import threading

import corpus
import made_up
import pytest
import servers
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from {{cookiecutter.project_slug}} import tracking
from {{cookiecutter.project_slug}}.serving import app, settings

INFER = f"/v2/models/{tracking.NAME}/infer"
POSTS = ["/predict", "/invocations", INFER, f"/v2/models/{tracking.NAME}/versions/1/infer"]
GETS = ["/", "/docs", "/openapi.json", "/model", "/metrics", "/health/live", "/health/ready"]
GETS += ["/ping", "/version", "/v2", "/v2/health/live", "/v2/health/ready"]
GETS += [f"/v2/models/{tracking.NAME}", f"/v2/models/{tracking.NAME}/ready", "/nothing"]
ALWAYS = {"x-content-type-options", "x-frame-options", "referrer-policy", "x-request-id"}


def is_json(text):
    """Return whether bytes are JSON as its standard has it, without NaN."""

    def refuse(constant):
        raise ValueError(constant)

    with contextlib.suppress(ValueError):
        json.loads(text.decode(), parse_constant=refuse)
        return True
    return False


@pytest.fixture(scope="module")
def server(finished):
    with servers.running(finished, body_seconds=1, max_bytes=2_000_000) as found:
        yield found


@pytest.fixture(scope="module")
def row(typed, contract):
    return made_up.requests(typed.head(1), contract)[0]


def forms(row, name):
    """Return well-formed bodies for each route, with a cell that is to be replaced."""
    marked = {**row, name: "here"}
    inputs = [
        {"name": key, "shape": [1], "datatype": "BYTES", "data": [value]}
        for key, value in marked.items()
    ]
    split = {"columns": [*marked], "data": [[*marked.values()]]}
    return [
        ("/predict", {"rows": [marked]}),
        ("/predict", {"rows": [row, marked], "explain": True}),
        ("/invocations", {"dataframe_records": [marked]}),
        ("/invocations", {"dataframe_split": split}),
        ("/invocations", {"inputs": {key: [value] for key, value in marked.items()}}),
        (INFER, {"inputs": inputs, "id": "1"}),
    ]


def check(answer, *allowed):
    """Check what is so of every answer; returns its status."""
    status, headers, body = servers.parsed(answer)
    assert status in allowed, answer[:500]
    assert headers.keys() >= ALWAYS
    assert int(headers["content-length"]) == len(body)
    assert is_json(body), body[:300]
    return status


def test_a_cell_of_any_kind_is_scored_or_refused_by_each_protocol(server, row, contract):
    columns = {column.type: name for name, column in contract.features.items()}
    for name, cell in itertools.product(columns.values(), corpus.CELLS):
        for path, form in forms(row, name):
            body = json.dumps(form).replace('"here"', cell).encode("utf-8", "surrogatepass")
            kind = "content-type: application/json"
            check(server.send(servers.post(path, body, kind)), 200, 400, 422)


def test_any_bytes_are_answered_in_json_without_a_fault_of_the_server(server):
    kinds = ["application/json", "text/csv", "application/octet-stream", "x/y", "", "\xff;=,"]
    for path, body, kind in itertools.product(POSTS, corpus.BODIES, kinds):
        request = servers.post(path, body).replace(
            b"content-length", f"content-type: {kind}\r\ncontent-length".encode("latin-1"), 1
        )
        check(server.send(request), 400, 415, 422)


def test_a_wrong_cell_is_named_by_every_protocol(client, row, contract):
    name = next(reversed(contract.features))
    for path, form in forms(row, name):
        answer = client.post(path, json=form)
        assert answer.status_code == (422 if path == "/predict" else 400)
        for said in (name, "here", "number"):
            assert said in answer.text, (path, answer.text)


@pytest.mark.parametrize("path", [*GETS, *POSTS])
def test_other_methods_are_refused_with_those_that_are_allowed(server, path):
    right = "POST" if path in POSTS else "GET"
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"):
        if method == right or path == "/nothing":
            continue
        lines = f"{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        status, headers, _ = servers.parsed(server.send(lines.encode()))
        assert status in (404, 405) or (method, status) == ("HEAD", 200), (method, status)
        assert headers.keys() >= ALWAYS
        assert status != 405 or right in headers["allow"].upper()


@pytest.mark.parametrize(
    "start",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /%00%ff%2e%2e/..;/\\x HTTP/1.1\r\n\r\n",
        "GET /ä HTTP/1.1\r\n\r\n".encode(),
        b"GET * HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET http://other/model HTTP/1.1\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"y" * 500_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nx\0y: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"POST /predict HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /predict HTTP/1.1\r\ncontent-length: 1_0\r\n\r\n",
        b"POST /predict HTTP/1.1\r\ncontent-length: " + b"9" * 400 + b"\r\n\r\n",
        b"POST /predict HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /predict HTTP/1.1\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
        b"POST /predict HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /predict HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n{}",
        b"POST /predict HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
        b"POST " + INFER.encode() + b" HTTP/1.1\r\ninference-header-content-length: "
        + b"9" * 5_000 + b"\r\ncontent-length: 2\r\n\r\n{}",
    ],
)  # fmt: skip
def test_absurd_requests_do_no_harm(server, start):
    answer = server.send(start, patience=0.5)  # the server may wait for more
    assert not re.match(rb"HTTP/1\.\d 5", answer), answer[:300]
    assert server.send(b"GET /health/live HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_a_body_that_is_shorter_than_it_says_does_no_harm(server):
    request = servers.post("/predict", b"{}", "content-length: 100")
    assert not server.send(request, patience=0.1)
    assert server.send(b"GET /health/live HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_a_body_in_chunks_is_answered_as_a_whole_one(server, row):
    body = json.dumps({"rows": [row]}).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    request = servers.post("/predict", chunks, "transfer-encoding: chunked")
    whole, parts = (server.send(one) for one in (servers.post("/predict", body), request))
    found = [json.loads(servers.parsed(one)[2])["predictions"] for one in (whole, parts)]
    assert found[0] == found[1]


def test_a_body_that_is_too_large_is_refused_early_and_costs_little(server):
    announced = servers.post("/predict", b"", "content-length: 100000000")
    assert check(server.send(announced), 413)
    before = server.memory()
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    for path in POSTS:
        head = servers.post(path, b"", "transfer-encoding: chunked")
        assert check(server.send(head, *[chunk] * 100, b"0\r\n\r\n"), 413)
    assert server.memory() - before < 50


@pytest.mark.parametrize("form", ["keys", "top", "rows", "lists"])
def test_a_body_of_countless_faults_costs_little(server, form):
    keys = ",".join(f'"{number:x}":1' for number in range(150_000))
    body = {
        "keys": '{"rows":[{' + keys + "}]}",
        "top": '{"rows":[],' + keys + "}",
        "rows": '{"rows":[' + "{}," * 400_000 + "{}]}",
        "lists": '{"rows":[' + "[]," * 400_000 + "[]]}",
    }[form]
    before = server.memory()
    answer = server.send(servers.post("/predict", body.encode()))
    assert check(answer, 422) and len(answer) < 1_000
    assert server.memory() - before < 250


def test_a_body_that_takes_too_long_is_refused(server):
    with server.connect() as connection:
        connection.sendall(servers.post("/predict", b"{", "content-length: 2"))
        assert check(servers.received(connection), 408)


def test_more_requests_than_allowed_are_told_to_come_back_while_health_answers(finished, row):
    with servers.running(finished, max_requests=1) as busy, busy.connect() as first:
        body = json.dumps({"rows": [row]}).encode()
        first.sendall(servers.post("/predict", body)[:-1])
        servers.until(lambda: b"under_way 1.0" in busy.send(b"GET /metrics HTTP/1.0\r\n\r\n"))
        answer = busy.send(servers.post("/predict", body))
        assert check(answer, 503) and b"\r\nretry-after: 1\r\n" in answer
        for path in (b"/health/live", b"/health/ready", b"/ping", b"/v2/health/ready"):
            assert b" 200 OK" in busy.send(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        first.sendall(body[-1:])
        assert check(servers.received(first), 200)
        assert check(busy.send(servers.post("/predict", body)), 200)


def test_keys_are_asked_for_but_where_health_is_asked(finished, row):
    chosen = settings.Settings(champion=finished / "models/champion", api_keys={"one", "two"})
    with TestClient(app.create_app(chosen)) as locked:
        for path in ("/", "/health/live", "/health/ready", "/ping", "/v2/health/live"):
            assert locked.get(path).status_code == 200
        for path in (
            "/model",
            "/metrics",
            "/docs",
            "/nothing",
            "/v2",
            "/health",
            "http://testserver//ping",
        ):
            answer = locked.get(path)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert answer.headers.keys() >= ALWAYS
        for key in ("", "on", "onee", "One", "one two", "\xff"):
            given = {"authorization": f"Bearer {key}".encode("latin-1")}
            assert locked.get("/model", headers=given).status_code == 401
        assert locked.post("/predict", content=b" " * 99).status_code == 401
        for key in ("one", "two"):
            given = {"authorization": f"Bearer {key}"}
            assert locked.post("/predict", json={"rows": [row]}, headers=given).status_code == 200


def test_a_fault_of_the_server_is_owned_up_to_and_quotes_no_payload(client, row, caplog):
    served = client.app.follower.served
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vars(served), "predictions", lambda *_: [].index("secret"))
        answer = client.post("/predict", json={"rows": [row]})
        other = client.post("/invocations", json={"dataframe_records": [row]})
    assert answer.status_code == other.status_code == 500
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers.keys() & other.headers.keys() >= ALWAYS
    (first, _) = (one for one in caplog.records if one.message == "a request failed")
    assert (first.error, first.request_id) == ("ValueError", answer.headers["x-request-id"])
    assert "served.py" in first.traceback and "is not in list" not in caplog.text
    assert client.post("/predict", json={"rows": [row]}).status_code == 200


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_gateway_and_the_documented_route_answer_alike(client, contract, row, data):
    odd = st.sampled_from(corpus.CELLS[:20]) | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ).map(json.dumps)
    whole = {**data.draw(made_up.bodies(contract))[0]}
    names = st.sampled_from([*contract.features, "surplus"])
    cells = {name: json.dumps(value) for name, value in whole.items()}
    cells |= data.draw(st.dictionaries(names, odd, max_size=2))
    pairs = [f"{json.dumps(name)}: {cell}" for name, cell in cells.items()]
    pairs += data.draw(st.lists(st.sampled_from(pairs), max_size=1))
    rows = "[{" + ", ".join(pairs) + "}]"
    text = (
        data.draw(st.sampled_from(['{"rows": %s}', '{"rows": %s, "explain": true}', "%s"])) % rows
    )
    body = text.encode("utf-8", "surrogatepass")
    route = TestClient(client.app.follower.served.application)
    answers = [
        one.post("/predict", content=body, headers={"x-request-id": "1"}) for one in (client, route)
    ]
    assert answers[0].status_code == answers[1].status_code in (200, 422)
    first, second = ({**one.json(), "request_id": ""} for one in answers)
    assert first == second


def test_requests_under_way_at_the_end_are_answered_and_none_is_lost(finished, row):
    body, lost, answered = json.dumps({"rows": [row]}), [], []

    def ask(port):
        """Send requests over kept connections until nobody listens any more."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                connection.connect() if connection.sock is None else None
            except ConnectionRefusedError:
                return
            try:
                connection.request("POST", "/predict", body)
                answer = connection.getresponse()
                answered.append(answer.status)
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                lost.append(error)
                return

    with servers.running(finished) as server, server.connect() as open_one:
        open_one.sendall(servers.post("/predict", body.encode())[:-1])
        threads = [threading.Thread(target=ask, args=[server.port]) for _ in range(8)]
        for thread in threads:
            thread.start()
        servers.until(lambda: len(answered) > 200)
        server.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(60)
        open_one.sendall(body.encode()[-1:])
        assert check(servers.received(open_one), 200)
        server.process.wait(60)
    assert not lost
    assert set(answered) == {200}


def test_a_stalled_upload_does_not_keep_the_server_from_ending(finished):
    with (
        servers.running(finished, grace_seconds=1, body_seconds=600) as server,
        server.connect() as stalled,
    ):
        stalled.sendall(servers.post("/predict", b"{", "content-length: 2"))
        servers.until(lambda: b"under_way 1.0" in server.send(b"GET /metrics HTTP/1.0\r\n\r\n"))
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)
