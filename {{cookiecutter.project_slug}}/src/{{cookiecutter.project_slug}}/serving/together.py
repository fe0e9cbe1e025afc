"""Requests to predict that arrive at the same time, scored in one call and answered without ASGI.

A call of numpy or onnxruntime costs about as much for sixteen rows as for one, and a row gets the
same bits alone and with others; so nobody waits for a batch to fill. Only what is plain and sound
is answered here; any other request takes the way through ASGI, which says what is wrong with it.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import accumulate, takewhile
from math import inf
from typing import NamedTuple, Protocol

from ..contract.cells import Values
from .gateway import Gateway, new_identity
from .served import Reply, Served

MOST = 16
"""Rows in one call for several requests; one with so many is quicker by itself."""
SOON = 200e-6
"""Seconds after an answer within which a client is expected that asked so soon before."""


class Asker(Protocol):
    """A connection that waits for an answer."""

    def answer(self, reply: Reply, identity: str) -> None:
        """Send it."""

    def hand_over(self) -> None:
        """Ask by the way through ASGI instead."""


class Asked(NamedTuple):
    """A request that waits to be scored."""

    asker: Asker
    served: Served
    rows: Sequence[Values]
    started: float


class Together:
    """Collects what requests ask until the event loop has read all that arrived.

    Args:
        gateway: whose bounds and figures hold for them.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._waiting: list[Asked] = []
        self._last = -inf
        """When a client that is alone got its last answer."""
        self._awake = False

    def take(self, asker: Asker, headers: Mapping[bytes, bytes], body: bytes, alone: bool) -> bool:
        """Say whether the body of POST /predict is answered here.

        Args:
            asker: gets the answer, perhaps before this returns.
            headers: of the request.
            body: of the request.
            alone: whether no other request can be there, for which to wait a turn of the loop.
        """
        started, served = time.perf_counter(), self._gateway.follower.served
        rows = served.few(body) if self._gateway.admits(headers, len(body)) else None
        if rows is None:
            return False
        asked = Asked(asker, served, rows, started)
        if alone or len(rows) >= MOST:
            self._score([asked])
            if alone:
                self._expect(soon=started - self._last < SOON)
            return True
        self._gateway.busy += 1
        self._waiting.append(asked)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._turn)
        return True

    def _expect(self, soon: bool) -> None:
        """Have the loop look for the next request without sleeping, if it comes soon.

        To be woken takes longer than to answer. A client on the same processor still gets its turn.
        """
        self._last = time.perf_counter()
        if soon and not self._awake:
            self._awake = True
            asyncio.get_running_loop().call_soon(self._stay_awake)

    def _stay_awake(self) -> None:
        self._awake = time.perf_counter() - self._last < SOON
        if self._awake:
            asyncio.get_running_loop().call_soon(self._stay_awake)

    def settle(self) -> None:
        """Answer all that waits."""
        while self._waiting:
            self._score(self._some())

    def _turn(self) -> None:
        """Answer some; whatever else the server does waits no longer than for these."""
        if self._waiting:
            self._score(self._some())
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)

    def _some(self) -> list[Asked]:
        """Take the first ones, which one model scores in one call."""
        first = self._waiting[0]
        rows = accumulate(len(one.rows) for one in self._waiting)

        def fits(pair: tuple[Asked, int]) -> bool:
            return pair[0] is first or (pair[1] <= MOST and pair[0].served is first.served)

        some = [one for one, _ in takewhile(fits, zip(self._waiting, rows, strict=True))]
        del self._waiting[: len(some)]
        self._gateway.busy -= len(some)
        return some

    def _score(self, some: Sequence[Asked]) -> None:
        served, rows = some[0].served, [row for one in some for row in one.rows]
        try:
            found = served.predictions(rows)
        except Exception:  # ASGI finds whose rows cause it, and owns up
            for one in some:
                one.asker.hand_over()
            return
        start = 0
        for one in some:
            end, identity = start + len(one.rows), new_identity()
            one.asker.answer(served.reply(found[start:end], identity), identity)
            self._gateway.answered("POST", "/predict", 200, one.started, identity)
            start = end
        self._gateway.follower.telemetry.rows.inc(len(rows))
