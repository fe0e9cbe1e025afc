"""Following the champion: another one that is released is served without a restart."""

import asyncio
import logging
import math
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .. import bundle
from ..bundle import Bundle
from ..errors import InputError
from .served import Served
from .settings import Settings
from .telemetry import Telemetry

if TYPE_CHECKING:  # MLflow is no part of the server
    from ..tracking import Alias

log = logging.getLogger(__name__)

REGISTRY = "models:/"
PATIENCE = 2.0
"""Seconds between two questions to a registry, at least."""
SOON, LATE = 1.0, 60.0
"""Seconds after which a champion that could not be served is tried again: each time twice as many,
up to the second."""


class Source(Protocol):
    """Where the champion comes from."""

    seconds: float
    """How often to look, at least."""

    def mark(self) -> object:
        """Return what changes when the champion does."""

    def load(self) -> Bundle:
        """Return the champion, verified; raises InputError if it cannot be served."""


class Folder:
    """A folder, or a link to one."""

    seconds = 0.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mark(self) -> object:
        """Return the names, sizes and times of the files."""
        real = self.folder.resolve()
        try:
            parts = [(one.name, one.stat()) for one in sorted(real.iterdir())]
        except OSError:
            return real
        return (real, *((name, found.st_mtime_ns, found.st_size) for name, found in parts))

    def load(self) -> Bundle:
        """Verify the bundle; what the link points to is asked once, so it is read from one."""
        return bundle.load(self.folder.resolve())


class Registered:
    """The version that has an alias in MLflow's registry, such as `models:/NAME@champion`."""

    seconds = PATIENCE

    def __init__(self, uri: str) -> None:
        self._alias = alias(uri)

    def mark(self) -> object:
        """Return the version."""
        return self._alias.version()

    def load(self) -> Bundle:
        """Download the version, and verify it before its name and version are written into it."""
        version = self._alias.version()
        scratch = Path(tempfile.mkdtemp(prefix="champion-"))
        try:
            folder = self._alias.download(version, scratch)
            manifest = bundle.load(folder).manifest
            bundle.seal(folder, {**manifest, "name": self._alias.name, "version": version})
            found = bundle.load(folder)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        weakref.finalize(found, shutil.rmtree, scratch, ignore_errors=True)
        return found


def alias(uri: str) -> "Alias":
    """Return the alias that an address names.

    Raises:
        InputError: MLflow is not installed, or the address is malformed.
    """
    try:
        from ..tracking import Alias
    except ImportError as error:
        raise InputError(
            f"PROJECT_CHAMPION: {uri} is in MLflow's registry, for which {error.name} is not "
            "installed; install requirements.lock, or name a folder"
        ) from None
    return Alias.of(uri)


class Follower:
    """Holds the model that is served; loads and verifies another one beside it, then swaps."""

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        application: Callable[["Follower", Served], Any],
    ) -> None:
        champion = str(settings.champion)
        found = champion.startswith(REGISTRY)
        self._source: Source = Registered(champion) if found else Folder(Path(champion))
        self.settings = settings
        self.telemetry = telemetry
        self._application = partial(application, self)
        self._pause, self._again = SOON, math.inf
        self._seen = self._mark()
        self.served = self._load()
        self.problem: str | None = None
        """Why the champion that was found last is not the one that is served; None when it is."""
        telemetry.serve(str(self.served.facts["version"]))

    def _mark(self) -> object:
        try:
            return self._source.mark()
        except Exception as error:  # loading says what is wrong
            return type(error)

    def _load(self) -> Served:
        return Served(self._source.load(), self.settings, self._application)

    async def follow(self) -> None:
        """Look for another champion until cancelled, in a thread that is not needed to score."""
        thread, loop = ThreadPoolExecutor(1), asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(max(self.settings.follow_seconds, self._source.seconds))
                await loop.run_in_executor(thread, self.look)
        finally:
            thread.shutdown(wait=False)

    def look(self) -> None:
        """Serve the champion that is found if it is another one and can be served.

        One that cannot be is tried again: the fault may be the network's, or the disk's.
        """
        found = self._mark()
        if found != self._seen:
            self._seen, self._pause = found, SOON
        elif time.monotonic() < self._again:
            return
        try:
            served = self._load()
        except Exception as error:  # whatever is wrong with it, the one that is served goes on
            self.problem = str(error) if isinstance(error, InputError) else repr(error)
            self.telemetry.refused.inc()
            log.error("the champion that was found cannot be served: %s", self.problem)
            self._again = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, LATE)
            return
        self.served, self.problem, self._again = served, None, math.inf
        self.telemetry.serve(str(served.facts["version"]))
        log.info("version %s is served", served.facts["version"])
