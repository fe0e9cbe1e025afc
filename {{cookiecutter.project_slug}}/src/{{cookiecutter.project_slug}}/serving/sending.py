"""Answers on their way out, and the headers that they have."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .served import Reply

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

JSON = b"application/json"
HINTS = {
    401: [(b"www-authenticate", b"Bearer")],
    408: [(b"connection", b"close")],
    503: [(b"retry-after", b"1")],
}
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


class Sent:
    """What was sent of an answer; an answer of FastAPI gets the headers of every answer here."""

    def __init__(self, send: Send, marks: Callable[[], list[tuple[bytes, bytes]]]) -> None:
        self._send = send
        self._marks = marks
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._marks()]
        await self._send(message)

    async def reply(self, reply: Reply) -> None:
        """Send an answer in JSON."""
        described = describing(b"%d" % len(reply.body))
        headers = [*described, *HINTS.get(reply.status, ()), *self._marks()]
        self.status = reply.status
        start = {"type": "http.response.start", "status": reply.status, "headers": headers}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": reply.body})


def describing(length: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers that describe an answer in JSON."""
    return [(b"content-type", JSON), (b"content-length", length), (b"cache-control", b"no-store")]


def marking(identity: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of any answer."""
    return [*SECURITY, (b"x-request-id", identity)]
