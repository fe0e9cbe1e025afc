"""The end of a fit that takes too long."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

CLOCKS = {
    "wall": (time.time, signal.SIGALRM, signal.ITIMER_REAL),
    "cpu": (time.process_time, signal.SIGPROF, signal.ITIMER_PROF),
}
"""How a clock is read, and how it interrupts."""
AGAIN = 1.0  # seconds until the next interrupt: Python drops one in a callback, as of its collector


class OutOfTime(Exception):
    """A fit was interrupted at its deadline."""


@dataclass(frozen=True)
class Deadline:
    """When to stop, in seconds of a clock."""

    moment: float
    clock: Literal["wall", "cpu"] = "wall"
    """The wall's since 1970, or what the processors spent on the one process that does the work."""

    @property
    def left(self) -> float:
        """The seconds until then."""
        now, *_ = CLOCKS[self.clock]
        return self.moment - now()

    def after(self, seconds: float) -> "Deadline":
        """Return the deadline so many seconds from now on the same clock."""
        return replace(self, moment=self.moment - self.left + seconds)


@contextmanager
def until(deadline: Deadline | None) -> Iterator[None]:
    """Interrupt the block at a deadline.

    Only in the main thread of a process, which is where joblib's own workers run their jobs; other
    backends end the job that is under way.

    Raises:
        OutOfTime: the deadline came.
    """
    if deadline is None:
        yield
        return
    left = deadline.left
    if left <= 0:
        raise OutOfTime
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    came = over = False

    def interrupt(*_: Any) -> None:
        nonlocal came
        came = True
        if not over:
            raise OutOfTime

    _, told, timer = CLOCKS[deadline.clock]
    previous = signal.signal(told, interrupt)
    signal.setitimer(timer, left, AGAIN)
    try:
        yield
    except Exception as error:
        if not came:
            raise
        # NumPy, where it reads buffers, makes an error of its own of what interrupts it.
        raise OutOfTime from error
    finally:
        over = True
        signal.setitimer(timer, 0)
        signal.signal(told, previous)
