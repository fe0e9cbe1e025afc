import json
import re

import pytest
import servers

from {{cookiecutter.project_slug}} import tracking

INFER = f"/v2/models/{tracking.NAME}/infer"


@pytest.fixture(scope="module")
def server(finished):
    with servers.running(finished, body_seconds=1) as found:
        yield found


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


@pytest.mark.parametrize(
    "head",
    [
        [b"GET /", *[b"y" * 0x100000] * 100],
        [b"GET / HTTP/1.1\r\nx: ", *[b"y" * 0x100000] * 100],
        [b"GET / HTTP/1.1\r\n", *[b"x: y\r\n" * 0x20000] * 100],
        [b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n"],
    ],
)
def test_headers_that_are_too_large_are_refused_early_and_cost_little(server, head):
    with server.costing(10):
        answer = server.send(*head)
    assert b"HTTP/1.1 431" in answer, answer[:500]


def test_headers_of_some_size_are_taken(server):
    head = b"GET /health/live HTTP/1.0\r\n" + b"x: %b\r\n" % (b"y" * 6_000) * 10 + b"\r\n"
    assert servers.check(server.send(head), 200)


def test_headers_after_a_body_do_no_harm(server):
    request = servers.post("/predict", b"1\r\n{\r\n0\r\n", "transfer-encoding: chunked")
    with server.costing(10):
        assert not server.send(request, b"x: ", *[b"y" * 0x100000] * 100)


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (b"GET / HTTP/1.1\r\nx: ", b"y"),
        (b"GET /model HTTP/1.1\r\n\r\n", b"\r\n"),
        (b"GET /model HTTP/1.1\r\n\r\nGET ", b"/"),
    ],
)
def test_headers_that_take_too_long_are_not_waited_for(server, start, more):
    def hung_up():
        try:
            connection.sendall(more)
            return not connection.recv(65_536)
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    with server.connect() as connection:
        connection.settimeout(0.05)
        connection.sendall(start)
        servers.until(hung_up)


def test_a_connection_that_asks_nothing_more_is_closed(server, row):
    body = json.dumps({"rows": [row]}).encode()
    request = servers.post("/predict", body).replace(b"connection: close\r\n", b"")
    assert servers.check(server.send(request), 200)


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


def test_a_body_that_takes_too_long_is_refused(server):
    with server.connect() as connection:
        connection.sendall(servers.post("/predict", b"{", "content-length: 2"))
        assert servers.check(servers.received(connection), 408)
