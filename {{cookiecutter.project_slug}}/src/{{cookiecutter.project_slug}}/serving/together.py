"""Rows of requests that arrive at the same time, scored in one call.

A call of numpy or onnxruntime costs about as much for sixteen rows as for one, and a row gets the
same bits alone and with others; so nobody waits for a batch to fill.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

MOST = 16
"""Requests in one call: what else the server does waits no longer than for these."""

Rows = Sequence[BaseModel]
Answers = list[dict[str, Any]]


class Together:
    """Collects what requests ask until the event loop has read all that arrived.

    Args:
        answers: gives the prediction for each row.
    """

    def __init__(self, answers: Callable[[Rows], Answers]) -> None:
        self._answers = answers
        self._waiting: list[tuple[Rows, asyncio.Future[Answers]]] = []

    async def answers(self, rows: Rows) -> Answers:
        """Return the prediction for each row of a request."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answers] = loop.create_future()
        self._waiting.append((rows, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._score)
        return await future

    def _score(self) -> None:
        waiting, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._score)
        try:
            found = self._answers([row for rows, _ in waiting for row in rows])
        except Exception as error:
            self._apart(waiting, error)
            return
        start = 0
        for rows, future in waiting:
            if not future.done():  # its request was cancelled
                future.set_result(found[start : start + len(rows)])
            start += len(rows)

    def _apart(self, waiting: list[tuple[Rows, asyncio.Future[Answers]]], error: Exception) -> None:
        """Let a fault concern the request alone whose rows cause it."""
        for rows, future in waiting:
            if future.done():
                continue
            try:
                if len(waiting) == 1:
                    raise error
                future.set_result(self._answers(rows))
            except Exception as own:
                future.set_exception(own)
