import http.client
import json
import signal
import threading

import pytest
import servers


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
        assert servers.check(servers.received(open_one), 200)
        server.process.wait(60)
    assert not lost
    assert set(answered) == {200}


GRACE, MARGIN = 1, 8
"""Seconds after a signal; the margin is for a busy machine, what stalls takes far longer."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stalled_upload_does_not_keep_the_server_from_ending(finished, number):
    with (
        servers.running(finished, grace_seconds=GRACE, body_seconds=600) as server,
        server.connect() as stalled,
    ):
        stalled.sendall(servers.post("/predict", b"{", "content-length: 2"))
        end(server, number)
        assert not servers.received(stalled)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_thread_that_scores_does_not_keep_the_server_from_ending(finished, row, number):
    many = 20_000
    body = json.dumps({"rows": [row] * many, "explain": True}).encode()
    limits = {"max_rows": many, "max_explained": many, "max_bytes": len(body)}
    with (
        servers.running(finished, grace_seconds=GRACE, **limits) as server,
        server.connect() as slow,
    ):
        slow.sendall(servers.post("/predict", body))
        end(server, number)
        assert not servers.received(slow)


def end(server, number):
    """Send a signal while a request is under way; the server must end in time."""
    servers.until(lambda: b"under_way 1.0" in server.send(b"GET /metrics HTTP/1.0\r\n\r\n"))
    server.process.send_signal(number)
    server.process.wait(GRACE + MARGIN)
