"""Ctrl-C, kept until it does no harm."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Stop:
    """Ctrl-C, let through only while fits are under way: never while a file is being written."""

    def __init__(self) -> None:
        self._asked = self._open = False

    def ask(self, *_: Any) -> None:
        """Handle the signal."""
        self._asked = True
        if self._open:
            raise KeyboardInterrupt

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Take Ctrl-C inside the block."""
        previous = signal.signal(signal.SIGINT, self.ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let the block be interrupted, at once if Ctrl-C was pressed before."""
        self._open = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._open = False
