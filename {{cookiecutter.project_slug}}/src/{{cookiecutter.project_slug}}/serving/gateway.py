"""The outermost layer of the server: what holds for every request, and the quick way to predict."""

import asyncio
import contextlib
import hmac
import logging
import os
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from .following import Follower
from .sending import JSON, Message, Send, Sent, marking
from .served import Reply, Served, fault, refusal
from .settings import Settings

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Message]]

HELD = 8
"""How many bodies of the largest size fit into what all that are under way may have together."""
OPEN = ("/health/", "/ping", "/v2/health/")  # without an API key, and while the server is busy


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
        self._held = 0
        self.busy = 0
        """Requests with a body that are under way."""
        self.closing = False
        """Whether clients are asked to hang up after their answer, since the server stops."""
        follower.telemetry.under_way.set_function(lambda: self.busy)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1000})
        started, path, identity = time.perf_counter(), scope["path"], new_identity()
        sent = Sent(send, partial(self._marks, identity))
        try:
            await self._answer(scope, identity, receive, sent)
            status = sent.status or 500
        except Gone:
            status = 499  # what proxies write for it
        except Exception as error:
            status = 500
            await self._fail(error, path, identity, sent)
        self.answered(scope["method"], path, status, started, identity)

    def admits(self, headers: Mapping[bytes, bytes], size: int) -> bool:
        """Say whether a request to predict may be scored, whose body has so many bytes."""
        return (
            not self.closing
            and self.busy < self.settings.max_requests
            and size <= self.settings.max_bytes
            and _is_json(headers)
            and self._has_key(headers)
        )

    def answered(self, method: str, path: str, status: int, started: float, identity: str) -> None:
        """Count and log an answer."""
        self.follower.telemetry.answered.count(path, status, time.perf_counter() - started)
        if self.settings.access_log:
            facts = {"method": method, "path": path, "status": status, "request_id": identity}
            log.info("request", extra=facts)

    async def _fail(self, error: Exception, path: str, identity: str, sent: Sent) -> None:
        """Own up to a fault of the server."""
        # Without the message, which may quote a payload.
        where = "".join(traceback.format_tb(error.__traceback__))
        facts = {"request_id": identity, "error": type(error).__name__, "traceback": where}
        log.error("a request failed", extra=facts)
        if sent.status is None:
            await sent.reply(_refusal(500, "the server is at fault, not you", path, identity))

    def _marks(self, identity: str) -> list[tuple[bytes, bytes]]:
        """Return the headers of every answer."""
        closing = [(b"connection", b"close")] if self.closing else []
        return [*marking(identity.encode()), *closing]

    async def _answer(self, scope: Message, identity: str, receive: Receive, sent: Sent) -> None:
        served = self.follower.served  # one look: an answer is wholly of one version
        path, headers = scope["path"], dict(scope["headers"])
        try:
            if not (path == "/" or path.startswith(OPEN) or self._has_key(headers)):
                raise Refused(401, 'send a key as the header "Authorization: Bearer KEY"')
            if scope["method"] != "POST":
                return await served.application(scope, receive, sent)
            if self.busy >= self.settings.max_requests:
                raise Refused(503, "too many requests at once; try again in a second")
            self.busy += 1
            try:
                body = await self._body(headers, receive)
                try:
                    if path != "/predict":
                        await served.application(scope, _replay(body, receive), sent)
                        return
                    reply = await self._predict(served, headers, body, identity)
                finally:
                    self._held -= len(body)
            finally:
                self.busy -= 1
        except Refused as refused:
            reply = _refusal(refused.status, refused.rule, path, identity)
        await sent.reply(reply)

    async def _predict(
        self, served: Served, headers: Mapping[bytes, bytes], body: bytes, identity: str
    ) -> Reply:
        if not _is_json(headers):
            raise Refused(415, "send JSON, with the header content-type: application/json")
        reply = await served.answer_soon(body, identity)
        self.follower.telemetry.rows.inc(reply.rows)
        return reply

    def _has_key(self, headers: Mapping[bytes, bytes]) -> bool:
        given = headers.get(b"authorization", b"")
        return not self._keys or any(hmac.compare_digest(given, key) for key in self._keys)

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Return the body of a request, which is held; raises Refused as soon as it is too much."""
        length = headers.get(b"content-length", b"0")
        if length.isdigit():
            self._bound(int(length))
        message = await self._next(receive, self.settings.body_seconds)
        first: bytes = message.get("body", b"")
        self._bound(len(first))
        self._hold(first)
        if not message.get("more_body"):
            return first
        deadline = time.monotonic() + self.settings.body_seconds
        body = bytearray(first)
        try:
            while message.get("more_body"):
                message = await self._next(receive, deadline - time.monotonic())
                part = message.get("body", b"")
                self._bound(len(body) + len(part))
                self._hold(part)
                body += part
        except BaseException:
            self._held -= len(body)
            raise
        return bytes(body)

    def _bound(self, size: int) -> None:
        limit = self.settings.max_bytes
        if size > limit:
            raise Refused(413, f"a body may have {limit} bytes; send fewer rows")

    def _hold(self, part: bytes) -> None:
        if self._held + len(part) > HELD * self.settings.max_bytes:
            raise Refused(503, "too many bytes at once; try again in a second")
        self._held += len(part)

    async def _next(self, receive: Receive, seconds: float) -> Message:
        try:
            if _has_arrived(receive):
                message = await receive()
            else:
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


def new_identity() -> str:
    """Return the request id of a request."""
    return os.urandom(16).hex()


def _is_json(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-type", JSON).lower().startswith(JSON)


def _has_arrived(receive: Receive) -> bool:
    """Whether uvicorn has the whole body, for which no time needs to be taken."""
    return getattr(getattr(receive, "__self__", None), "more_body", True) is False


def _refusal(status: int, rule: str, path: str, identity: str) -> Reply:
    """Return a refusal, with what clients of the Open Inference Protocol look for on its paths."""
    more = {"error": rule} if path.startswith("/v2") else {}
    return refusal(status, [fault(rule)], identity, **more)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives a body that was read, then what comes after it."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
