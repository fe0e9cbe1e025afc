import itertools
import json

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


@pytest.fixture(scope="module")
def server(finished):
    with servers.running(finished, body_seconds=1, max_bytes=2_000_000) as found:
        yield found


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


def test_a_cell_of_any_kind_is_scored_or_refused_by_each_protocol(server, row, contract):
    columns = {column.type: name for name, column in contract.features.items()}
    for name, cell in itertools.product(columns.values(), corpus.CELLS):
        for path, form in forms(row, name):
            body = json.dumps(form).replace('"here"', cell).encode("utf-8", "surrogatepass")
            kind = "content-type: application/json"
            servers.check(server.send(servers.post(path, body, kind)), 200, 400, 422)


def test_any_bytes_are_answered_in_json_without_a_fault_of_the_server(server):
    kinds = ["application/json", "text/csv", "application/octet-stream", "x/y", "", "\xff;=,"]
    for path, body, kind in itertools.product(POSTS, corpus.BODIES, kinds):
        request = servers.post(path, body).replace(
            b"content-length", f"content-type: {kind}\r\ncontent-length".encode("latin-1"), 1
        )
        servers.check(server.send(request), 400, 415, 422)


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
        assert headers.keys() >= servers.ALWAYS
        assert status != 405 or right in headers["allow"].upper()


def test_clients_of_the_open_inference_protocol_are_told_in_its_words(server, finished):
    late = servers.post(INFER, b"{", "content-length: 2")
    large = servers.post(INFER, b"", "content-length: 100000000")
    for request, status in ((late, 408), (large, 413)):
        answer = server.send(request)
        assert servers.check(answer, status)
        found = json.loads(servers.parsed(answer)[2])
        assert found["error"] == found["errors"][0]["rule"]
    chosen = settings.Settings(champion=finished / "models/champion", api_keys={"one"})
    with TestClient(app.create_app(chosen)) as locked:
        answer = locked.post(INFER, json={})
        assert answer.status_code == 401 and "Authorization" in answer.json()["error"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Application/JSON", 200),
        ("application/json; charset=UTF-8", 200),
        ("APPLICATION/JSON;x", 200),
        ("text/json", 415),
        ("", 415),
    ],
)
def test_json_may_be_named_in_letters_of_any_case(client, row, kind, status):
    body = json.dumps({"rows": [row]})
    answer = client.post("/predict", content=body, headers={"content-type": kind})
    assert answer.status_code == status


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
            assert answer.headers.keys() >= servers.ALWAYS
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
    assert answer.headers.keys() & other.headers.keys() >= servers.ALWAYS
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
