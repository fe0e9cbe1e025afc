"""The outermost layer of the server: what holds for every request, and the quick way to predict."""

import asyncio
import contextlib
import hmac
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any

from .following import Follower
from .served import Reply, Served, fault, refusal
from .settings import Settings

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SMALL = 8_192
"""Bytes of a body whose rows are scored at once; those of a larger one in a thread."""
OPEN = ("/health/", "/ping", "/v2/health/")  # without an API key, and while the server is busy
JSON = b"application/json"
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


class Refused(Exception):
    """A request that is answered before its body is read to the end."""

    def __init__(self, status: int, rule: str) -> None:
        self.status = status
        self.rule = rule


class Gone(Exception):
    """The client has hung up."""


class Gateway:
    """An ASGI application around that of FastAPI.

    It bounds bodies in size, time and number, asks for API keys, counts, and answers
    POST /predict itself: routing and dependencies cost more than a prediction.
    """

    def __init__(self, settings: Settings, follower: Follower) -> None:
        self.settings = settings
        self.follower = follower
        self._keys = [f"Bearer {key}".encode() for key in settings.api_keys]
        self._busy = 0
        follower.telemetry.under_way.set_function(lambda: self._busy)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1000})
        started, path, identity = time.perf_counter(), scope["path"], uuid.uuid4().hex
        try:
            status = await self._answer(scope, identity, receive, send)
        except Gone:
            status = 499  # what proxies write for it
        self.follower.telemetry.count(path, status, time.perf_counter() - started)
        if self.settings.access_log:
            log.info(
                "request",
                extra={
                    "method": scope["method"],
                    "path": path,
                    "status": status,
                    "request_id": identity,
                },
            )

    async def _answer(self, scope: Message, identity: str, receive: Receive, send: Send) -> int:
        served = self.follower.served  # one look: an answer is wholly of one version
        path, headers = scope["path"], dict(scope["headers"])
        try:
            if self._keys and not path.startswith(OPEN):
                self._authorise(headers)
            if scope["method"] != "POST":
                return await self._inside(served, scope, identity, receive, send)
            with self._place():
                body = await self._body(headers, receive)
                if path != "/predict":
                    replay = _replay(body, receive)
                    return await self._inside(served, scope, identity, replay, send)
                reply = await self._predict(served, headers, body, identity)
        except Refused as refused:
            reply = refusal(refused.status, [fault(refused.rule)], identity)
        await respond(send, reply, identity)
        return reply.status

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if self._busy >= self.settings.max_requests:
            raise Refused(503, "too many requests at once; try again in a second")
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def _predict(
        self, served: Served, headers: Mapping[bytes, bytes], body: bytes, identity: str
    ) -> Reply:
        if not headers.get(b"content-type", JSON).startswith(JSON):
            raise Refused(415, "send JSON, with the header content-type: application/json")
        if served.compiled and len(body) <= SMALL and b'"explain"' not in body:
            reply = await served.answer_together(body, identity)
        else:
            reply = await asyncio.to_thread(served.answer, body, identity)
        self.follower.telemetry.rows.inc(reply.rows)
        return reply

    async def _inside(
        self, served: Served, scope: Message, identity: str, receive: Receive, send: Send
    ) -> int:
        """Have FastAPI answer; returns the status."""
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *marks(identity)]
            await send(message)

        await served.application(scope, receive, watched)
        return status

    def _authorise(self, headers: Mapping[bytes, bytes]) -> None:
        given = headers.get(b"authorization", b"")
        if not any(hmac.compare_digest(given, key) for key in self._keys):
            raise Refused(401, 'send a key as the header "Authorization: Bearer KEY"')

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Return the body of a request; raises Refused as soon as it is too large or too slow."""
        limit = self.settings.max_bytes
        if int(headers.get(b"content-length", 0)) > limit:
            raise Refused(413, f"a body may have {limit} bytes; send fewer rows")
        message = await self._next(receive, self.settings.body_seconds)
        if not message.get("more_body"):
            return self._checked(message["body"])
        body, deadline = bytearray(message["body"]), time.monotonic() + self.settings.body_seconds
        while message.get("more_body"):
            self._checked(body)
            message = await self._next(receive, deadline - time.monotonic())
            body += message["body"]
        return bytes(self._checked(body))

    def _checked(self, body: Any) -> Any:
        limit = self.settings.max_bytes
        if len(body) > limit:
            raise Refused(413, f"a body may have {limit} bytes; send fewer rows")
        return body

    async def _next(self, receive: Receive, seconds: float) -> Message:
        try:
            async with asyncio.timeout(max(seconds, 0)):
                message = await receive()
        except TimeoutError:
            limit = self.settings.body_seconds
            raise Refused(408, f"a body must arrive within {limit:g} s") from None
        if message["type"] == "http.disconnect":
            raise Gone
        return message

    async def _live(self, receive: Receive, send: Send) -> None:
        """Follow the champion from the start of the server to its end."""
        await receive()
        following = asyncio.create_task(self.follower.follow())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await send({"type": "lifespan.shutdown.complete"})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives a body that was read, then what comes after it."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def marks(identity: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of every answer."""
    return [*SECURITY, (b"x-request-id", identity.encode())]


async def respond(send: Send, reply: Reply, identity: str) -> None:
    """Send an answer in JSON."""
    headers = [
        (b"content-type", JSON),
        (b"content-length", str(len(reply.body)).encode()),
        (b"cache-control", b"no-store"),
        *marks(identity),
    ]
    if reply.status == 503:
        headers.append((b"retry-after", b"1"))
    if reply.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
