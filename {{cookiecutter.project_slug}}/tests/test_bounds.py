import contextlib
import json
import re

import pytest
import servers

from {{cookiecutter.project_slug}} import tracking
from {{cookiecutter.project_slug}}.serving import gateway

INFER = f"/v2/models/{tracking.NAME}/infer"
LENGTH = "inference-header-content-length"
POSTS = ["/predict", "/invocations", INFER]


@pytest.fixture(scope="module")
def server(finished):
    with servers.running(finished, max_bytes=2_000_000) as found:
        yield found


def test_a_body_that_is_too_large_is_refused_early_and_costs_little(server):
    announced = servers.post("/predict", b"", "content-length: 100000000")
    assert servers.check(server.send(announced), 413)
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with server.costing(50):
        for path in POSTS:
            head = servers.post(path, b"", "transfer-encoding: chunked")
            assert servers.check(server.send(head, *[chunk] * 100, b"0\r\n\r\n"), 413)


@pytest.mark.parametrize("form", ["keys", "top", "rows", "lists"])
def test_a_body_of_countless_faults_costs_little(server, form):
    keys = ",".join(f'"{number:x}":1' for number in range(150_000))
    body = {
        "keys": '{"rows":[{' + keys + "}]}",
        "top": '{"rows":[],' + keys + "}",
        "rows": '{"rows":[' + "{}," * 400_000 + "{}]}",
        "lists": '{"rows":[' + "[]," * 400_000 + "[]]}",
    }[form]
    with server.costing(250):
        answer = server.send(servers.post("/predict", body.encode()))
    assert servers.check(answer, 422) and len(answer) < 1_000


def tensors(shape, kind, **values):
    one = {"name": "a", "shape": shape, "datatype": kind}
    return {"inputs": [one | (values or {"parameters": {"binary_data_size": 1_800_000}})]}


MANY = {
    "columns": lambda: {"inputs": {"a": [0] * 900_000}},
    "objects": lambda: {"inputs": [{}] * 600_000},
    "records": lambda: {"dataframe_records": [{"a": 1}] * 75_000},
    "lists": lambda: {"instances": [[0]] * 450_000},
    "wide lists": lambda: {"dataframe_split": {"columns": [0] * 900, "data": [[0] * 900] * 900}},
    "wide columns": lambda: {"inputs": {name: [0] * 900 for name in range(900)}},
    "tensor": lambda: tensors([900_000], "INT64", data=[0] * 900_000),
    "wide tensor": lambda: tensors([1, 900_000], "INT64", data=[0] * 900_000),
    "false tensor": lambda: tensors([1], "INT64", data=[0] * 900_000),
    "tensors": lambda: {"inputs": tensors([1], "BOOL", data=[1])["inputs"] * 25_000},
    "bytes": lambda: tensors([1_800_000], "INT8"),
    "wide bytes": lambda: tensors([1, 1_800_000], "INT8"),
    "texts": lambda: tensors([450_000], "BYTES"),
}
"""Requests of up to 2 MB that would have far too many rows, columns or values."""


@pytest.mark.parametrize("form", MANY)
def test_rows_are_counted_before_they_are_made(server, contract, form):
    name = json.dumps(next(reversed(contract.features)))
    text = json.dumps(MANY[form](), separators=(",", ":")).replace('"a"', name).encode()
    binary = bytes(1_800_000) if b"binary_data_size" in text else b""
    path = INFER if b'"shape"' in text else "/invocations"
    kind, length = "content-type: application/json", f"{LENGTH}: {len(text)}"
    request = servers.post(path, text + binary, kind, length)
    assert len(request) < 2_000_000
    with server.costing(60):
        answer = server.send(request)
    assert servers.check(answer, 400) and len(answer) < 2_000, answer[:500]


def test_more_requests_than_allowed_are_told_to_come_back_while_health_answers(finished, row):
    with servers.running(finished, max_requests=1) as busy, busy.connect() as first:
        body = json.dumps({"rows": [row]}).encode()
        first.sendall(servers.post("/predict", body)[:-1])
        servers.until(lambda: b"under_way 1.0" in busy.send(b"GET /metrics HTTP/1.0\r\n\r\n"))
        answer = busy.send(servers.post("/predict", body))
        assert servers.check(answer, 503) and b"\r\nretry-after: 1\r\n" in answer
        for path in (b"/health/live", b"/health/ready", b"/ping", b"/v2/health/ready"):
            assert b" 200 OK" in busy.send(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        first.sendall(body[-1:])
        assert servers.check(servers.received(first), 200)
        assert servers.check(busy.send(servers.post("/predict", body)), 200)


def test_more_bytes_than_allowed_together_are_told_to_come_back(finished, row):
    size = 100_000
    request = servers.post("/predict", json.dumps({"rows": [row]}).encode().ljust(size))
    with servers.running(finished, max_bytes=size) as busy, contextlib.ExitStack() as opened:

        def refused():
            answer = busy.send(b"GET /metrics HTTP/1.0\r\n\r\n").decode()
            found = re.search(r'requests_total{route="/predict",status="503"} (\S+)', answer)
            return float(found[1]) if found else 0

        connections = [opened.enter_context(busy.connect()) for _ in range(30)]
        for one in connections:
            one.sendall(request[:-1])
        servers.until(lambda: refused() >= 30 - gateway.HELD)
        answers = []
        for one in connections:
            with contextlib.suppress(ConnectionError):
                one.sendall(request[-1:])
            answers.append(servers.received(one))
        assert {servers.check(answer, 200, 503) for answer in answers} == {200, 503}
        assert all(b"retry-after: 1\r\n" in one for one in answers if b" 503 " in one)
        assert [servers.check(busy.send(request), 200) for _ in range(30)]
