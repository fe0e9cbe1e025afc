"""One connection: HTTP as uvicorn reads it, with headers that are bounded in size and time."""

import asyncio
from math import inf
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from .sending import describing, marking
from .served import Reply
from .together import Together

HEAD = 65_536
"""Bytes of the headers of a request; also of what may follow the last part of a body."""
LINES = b"".join(b"%b: %b\r\n" % header for header in [*describing(b"%d"), *marking(b"%b")])
"""Headers, for the length of an answer and the request id."""


class Connection(HttpToolsProtocol):
    """A connection that is closed when headers grow too large, or take too long to be complete.

    A whole request to predict is answered without a task and without ASGI, which cost more.

    Args:
        seconds: that headers may take.
        together: answers requests to predict.
        named: what uvicorn gives.
    """

    def __init__(self, seconds: float, together: Together, **named: Any) -> None:
        super().__init__(**named)
        self._seconds = seconds
        self._together = together
        self._deadline = inf
        self._clock: asyncio.TimerHandle | None = None
        self._head = 0
        self._first = False
        """Whether no request has begun in what has just arrived."""
        self._parts: list[bytes] | None = None
        """The body of a request to predict, of which ASGI has not heard yet."""
        self._asked = False
        """Whether `together` has the request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the headers of a request."""
        super().connection_made(transport)
        self._wait()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        if self._clock is not None:
            self._clock.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what has arrived, of headers no more than they may have."""
        self._first = True
        if self._answered() and (self._deadline == inf or not self._head):  # headers begin
            self._wait()
        while data and not self.transport.is_closing():
            room = HEAD - self._head
            part, data = data[:room], data[room:]
            self._head += len(part)
            super().data_received(part)
            if self._head >= HEAD:
                self._refuse()
        if self._parts is not None and not self._asked:
            self.hand_over(whole=False)

    def on_message_begin(self) -> None:
        """Begin a request, after the one before is answered or with ASGI."""
        if self._asked:
            self._together.settle()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start to answer, unless the body is about to follow."""
        self._head, self._deadline = 0, inf
        if self._is_plain():
            self._parts = []
        else:
            super().on_headers_complete()
        self._first = False

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, which the gateway bounds."""
        self._head = 0
        if self._parts is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Answer a request to predict."""
        if self._parts is None:
            super().on_message_complete()
            return
        self._asked, alone = True, len(self.connections) == 1
        if not self._together.take(self, dict(self.headers), b"".join(self._parts), alone):
            self.hand_over()

    def answer(self, reply: Reply, identity: str) -> None:
        """Send an answer with the lines that uvicorn and the gateway would give it."""
        self._parts, self._asked = None, False
        if self.transport.is_closing():
            return
        date = b"".join(b"%b: %b\r\n" % header for header in self.server_state.default_headers)
        lines = LINES % (len(reply.body), identity.encode())
        self.transport.write(b"".join((STATUS_LINE[200], date, lines, b"\r\n", reply.body)))
        self._wait()

    def hand_over(self, whole: bool = True) -> None:
        """Let ASGI answer a request of which it has not heard; of a whole one no more will come."""
        parts, self._parts, self._asked = self._parts or (), None, False
        if self.transport.is_closing():
            return
        super().on_headers_complete()
        for part in parts:
            super().on_body(part)
        if whole:
            super().on_message_complete()

    def shutdown(self) -> None:
        """Hang up, after what is being answered."""
        if self._asked:
            self._together.settle()
        super().shutdown()

    def _is_plain(self) -> bool:
        """Whether a request is one to predict that nothing is special about."""
        return (
            self._first  # one for each time that something arrives, or others would wait
            and self.url == b"/predict"
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and self._answered()
        )

    def _answered(self) -> bool:
        return self._parts is None and (self.cycle is None or self.cycle.response_complete)

    def _wait(self) -> None:
        self._deadline = self.loop.time() + self._seconds

    def _look(self) -> None:
        """Close if it is late; a timer for each request would take longer."""
        left = self._deadline - self.loop.time()
        if left > 0:
            self._clock = self.loop.call_later(min(left, self._seconds), self._look)
        else:
            self.transport.close()

    def _refuse(self) -> None:
        if self._answered():  # otherwise the client would take it for the answer it waits for
            said = b"headers may have %d bytes" % HEAD
            lines = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(STATUS_LINE[431] + lines % len(said) + said)
        self.transport.close()
