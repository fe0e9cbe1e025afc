"""The time that a search may take."""

import time
from typing import Literal


class Budget:
    """Seconds of a clock on the wall, or of the processors, some of which may be spent already.

    Args:
        seconds: all that may be spent; None is no end.
        clock: the wall's, or the processors': the sum over the processes.
        workers: the number of processes that spend at once.
        spent: by an earlier search that this one goes on with.
    """

    def __init__(
        self, seconds: float | None, clock: Literal["wall", "cpu"], workers: int, spent: float = 0.0
    ) -> None:
        self.seconds = seconds
        self.workers = workers
        self.rate = workers if clock == "cpu" else 1
        self._clock = time.process_time if clock == "cpu" else time.monotonic
        self._start = self._clock() - spent
        self._own = clock == "cpu" and workers > 1

    def charge(self, cpu_seconds: float) -> None:
        """Add what another process spent; this process's own is counted anyway."""
        if self._own:
            self._start -= cpu_seconds

    @property
    def spent(self) -> float:
        """The seconds spent so far."""
        return self._clock() - self._start

    @property
    def left(self) -> float:
        """The seconds that are left; infinity without an end."""
        return float("inf") if self.seconds is None else self.seconds - self.spent

    def deadline(self, reserve: float) -> float | None:
        """Return when to stop, in seconds since 1970, so that a reserve is left."""
        if self.seconds is None:
            return None
        return time.time() + (self.left - reserve) / self.rate
