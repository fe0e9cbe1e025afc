"""Servers that the tests start as processes, and bytes sent to them over sockets."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from {{cookiecutter.project_slug}} import tracking

ALWAYS = {"x-content-type-options", "x-frame-options", "referrer-policy", "x-request-id"}


class Server:
    """A server that runs."""

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log
        self.address = f"http://127.0.0.1:{port}"

    def connect(self):
        found = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found

    def send(self, *parts, patience=60):
        """Send bytes over a connection of their own; returns all that comes back."""
        with self.connect() as found:
            with contextlib.suppress(ConnectionError):  # it may have answered and hung up already
                for part in parts:
                    found.sendall(part)
            found.settimeout(patience)
            return received(found)

    @contextlib.contextmanager
    def costing(self, megabytes):
        """Check that its memory grows by less than so much, even for a moment."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")  # forgets the peak
        before = self.peak()
        yield
        assert self.peak() - before < megabytes

    def memory(self):
        """Return the resident memory in megabytes."""
        return self._status("VmRSS")

    def peak(self):
        """Return the most that the resident memory has been, in megabytes."""
        return self._status("VmHWM")

    def _status(self, name):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024


def received(connection):
    """Return all that a server sends until it hangs up, or until our patience ends."""
    found = b""
    with contextlib.suppress(ConnectionResetError, TimeoutError):
        while part := connection.recv(65_536):
            found += part
    return found


def post(path, body, *headers):
    """Return the bytes of a request after which the connection is closed."""
    lines = [f"POST {path} HTTP/1.1", "host: here", "connection: close", *headers]
    if not any(one.lower().startswith(("content-length", "transfer")) for one in headers):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def parsed(answer):
    """Return the status, headers and body of an answer, the last one if there are several."""
    while True:
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split()[1])
        if status != 100:
            return status, dict(line.lower().split(": ", 1) for line in lines), body
        answer = body


def is_json(text):
    """Return whether bytes are JSON as its standard has it, without NaN."""

    def refuse(constant):
        raise ValueError(constant)

    with contextlib.suppress(ValueError):
        json.loads(text.decode(), parse_constant=refuse)
        return True
    return False


def check(answer, *allowed):
    """Check what is so of every answer; returns its status."""
    status, headers, body = parsed(answer)
    assert status in allowed, answer[:500]
    assert headers.keys() >= ALWAYS
    assert int(headers["content-length"]) == len(body)
    assert is_json(body), body[:300]
    return status


@contextlib.contextmanager
def running(folder, *module, **settings):
    """Run the server of a project, with `max_rows=5` as PROJECT_MAX_ROWS; yields a `Server`."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    chosen = {f"PROJECT_{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", *(module or [f"{tracking.NAME}.serving"])]
    source = str(Path(tracking.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "PROJECT_PORT": str(port), **chosen}
    with (
        tempfile.NamedTemporaryFile(suffix=".log") as log,
        subprocess.Popen(command, cwd=folder, stderr=log, env=environment) as process,
    ):
        try:
            until(
                lambda: process.poll() is not None or b"running on" in Path(log.name).read_bytes()
            )
            assert process.poll() is None, Path(log.name).read_text()
            yield Server(process, port, Path(log.name))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            assert process.returncode in (0, -signal.SIGTERM), Path(log.name).read_text()


def until(condition):
    """Wait until something is so; give up after a minute."""
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def lines(server):
    """Return what a server logged."""
    return [json.loads(line) for line in server.log.read_text().splitlines()]
