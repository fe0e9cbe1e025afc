"""The end of a fit that takes too long."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class OutOfTime(Exception):
    """A fit was interrupted at its deadline."""


@contextmanager
def until(deadline: float | None) -> Iterator[None]:
    """Interrupt the block at a deadline, in seconds since 1970.

    Only in the main thread of a process, which is where joblib's own workers run their jobs; other
    backends end the job that is under way.

    Raises:
        OutOfTime: the deadline came.
    """
    if deadline is None:
        yield
        return
    left = deadline - time.time()
    if left <= 0:
        raise OutOfTime
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: Any) -> None:
        raise OutOfTime

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, left)
    try:
        yield
    except Exception as error:
        if time.time() < deadline:
            raise
        # NumPy, where it reads buffers, makes an error of its own of what interrupts it.
        raise OutOfTime from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
