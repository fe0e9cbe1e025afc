"""Following the champion: another one that is released is served without a restart."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .. import bundle
from ..errors import InputError
from .served import Served
from .settings import Settings
from .telemetry import Telemetry

log = logging.getLogger(__name__)


class Follower:
    """Holds the model that is served; loads and verifies another one beside it, then swaps."""

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        application: Callable[["Follower", Served], Any],
    ) -> None:
        self.settings = settings
        self.telemetry = telemetry
        self._application = partial(application, self)
        self._seen = mark(settings.champion)
        self.served = self._load()
        self.problem: str | None = None
        """Why the champion on disk is not the one that is served; None when it is."""
        telemetry.serve(str(self.served.facts["version"]))

    def _load(self) -> Served:
        return Served(bundle.load(self.settings.champion), self.settings, self._application)

    async def follow(self) -> None:
        """Look for another champion until cancelled."""
        while True:
            await asyncio.sleep(self.settings.follow_seconds)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Serve the champion on disk if it is another one and can be served."""
        found = mark(self.settings.champion)
        if found == self._seen:
            return
        self._seen = found
        try:
            served = self._load()
        except InputError as error:
            self.problem = str(error)
            self.telemetry.refused.inc()
            log.error("the champion on disk cannot be served: %s", error)
            return
        self.served, self.problem = served, None
        self.telemetry.serve(str(served.facts["version"]))
        log.info("version %s is served", served.facts["version"])


def mark(folder: Path) -> tuple[object, ...]:
    """Return what changes when another bundle takes a folder's place, or this one is changed."""
    real = folder.resolve()
    try:
        parts = [(one.name, one.stat()) for one in sorted(real.iterdir())]
    except OSError:
        return (real,)
    return (real, *((name, found.st_mtime_ns, found.st_size) for name, found in parts))
