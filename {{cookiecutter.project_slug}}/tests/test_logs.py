import json
import logging
import sys

import servers

from {{cookiecutter.project_slug}}.serving import logs


def test_every_line_is_json_and_none_has_what_a_client_sent(finished):
    with servers.running(finished, access_log=True, api_keys='["key-of-ours"]') as server:
        key = "authorization: Bearer key-of-ours"
        for body in (b'{"rows": [{"age": "payload"}]}', b'{"payload', b"\xffpayload"):
            for path in ("/predict", "/invocations", "/v2/models/payload/infer"):
                server.send(servers.post(path, body, key))
                server.send(servers.post(path + "?payload", body))
        server.send(b"GARBAGE payload\r\n\r\n", patience=0.5)
        asked = servers.until(lambda: [one for one in servers.lines(server) if "method" in one])
        text = server.log.read_text()
    assert all({"time", "level", "message"} <= one.keys() for one in asked)
    first = asked[0]
    assert (first["method"], first["path"], first["status"]) == ("POST", "/predict", 422)
    assert len(first["request_id"]) == 32
    assert "payload" not in text.replace("/v2/models/payload/infer", "")
    assert "key-of-ours" not in text


def test_requests_are_not_logged_unless_asked_for(finished):
    with servers.running(finished) as server:
        server.send(servers.post("/predict", b"{}"))
        assert not [one for one in servers.lines(server) if "method" in one]


def test_a_fault_has_its_traceback_in_the_line():
    try:
        raise KeyError("a")
    except KeyError:
        found = logging.LogRecord("a", logging.ERROR, "", 1, "two\nlines", (), sys.exc_info())
    line = logs.Lines().format(found)
    assert "\n" not in line
    told = json.loads(line)
    assert told["message"] == "two\nlines" and "KeyError" in told["traceback"]
    assert told["level"] == "error"
