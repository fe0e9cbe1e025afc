"""The time that a search may take."""

import time
from typing import Literal

from joblib import effective_n_jobs

from .compute import is_local
from .deadline import Deadline


class Budget:
    """Seconds of a clock on the wall, or of the processors.

    Made where joblib's work is spread, as `parallel` does.

    Args:
        seconds: all that may be spent; None is no end.
        clock: the wall's, or the processors': the sum over the processes.
    """

    def __init__(self, seconds: float | None, clock: Literal["wall", "cpu"]) -> None:
        self.seconds = seconds
        self.clock: Literal["wall", "cpu"] = clock
        self.workers = effective_n_jobs(None)
        self._now = time.process_time if clock == "cpu" else time.monotonic
        self._start = self._now()
        self._own = is_local()

    def resume(self, spent: float) -> None:
        """Add what an earlier search spent that this one goes on with."""
        self._start -= spent

    def charge(self, cpu_seconds: float) -> None:
        """Add what another process spent; this process's own is counted anyway."""
        if self.clock == "cpu" and not self._own:
            self._start -= cpu_seconds

    @property
    def spent(self) -> float:
        """The seconds spent so far."""
        return self._now() - self._start

    @property
    def left(self) -> float:
        """The seconds that are left; infinity without an end."""
        return float("inf") if self.seconds is None else self.seconds - self.spent

    def deadline(self, reserve: float) -> Deadline | None:
        """Return when to stop so that a reserve is left.

        What the processors spend on other processes is not seen while it is spent: those stop by
        the wall's clock, which is early where the machine has other work.
        """
        if self.seconds is None:
            return None
        left = self.left - reserve
        if self.clock == "cpu" and self._own:
            return Deadline(time.process_time() + left, "cpu")
        return Deadline(time.time() + left / (self.workers if self.clock == "cpu" else 1))
