"""One connection: HTTP as uvicorn reads it, with headers that are bounded in size and time."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD = 65_536
"""Bytes of the headers of a request; also of what may follow the last part of a body."""


class Connection(HttpToolsProtocol):
    """A connection that is closed when headers grow too large, or take too long to be complete.

    Args:
        seconds: that headers may take.
        named: what uvicorn gives.
    """

    def __init__(self, seconds: float, **named: Any) -> None:
        super().__init__(**named)
        self._seconds = seconds
        self._late: asyncio.TimerHandle | None = None
        self._head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the headers of a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what has arrived, of headers no more than they may have."""
        while data and not self.transport.is_closing():
            room = HEAD - self._head
            part, data = data[:room], data[room:]
            self._head += len(part)
            super().data_received(part)
            if self._head >= HEAD:
                self._refuse()
        if self._late is None and self._answered():
            self._wait()

    def on_headers_complete(self) -> None:
        """Start to answer."""
        self._head = 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, which the gateway bounds."""
        self._head = 0
        super().on_body(body)

    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        self._late = self.loop.call_later(self._seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self) -> None:
        if self._answered():  # otherwise the client would take it for the answer it waits for
            said = b"headers may have %d bytes" % HEAD
            lines = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(STATUS_LINE[431] + lines % len(said) + said)
        self.transport.close()
