"""Start the server: `python -m <project>.serving`, which needs requirements-serve.lock alone."""

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from functools import partial
from socket import socket
from typing import Any

import uvicorn

from ..errors import InputError
from .app import create_app
from .connection import Connection
from .gateway import Gateway
from .logs import CONFIG
from .settings import Settings
from .together import Together

log = logging.getLogger(__name__)

LINGER = 1.0
"""Seconds for which a client that keeps its connection may send one more request after a signal."""


class Server(uvicorn.Server):
    """Ends without hanging up on a client that is just sending a request.

    New connections are refused at once; clients on open ones are told to hang up with the next
    answer, before those that stay are closed. When the grace time is over the process ends,
    whatever is under way.
    """

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Answer what was sent, then end."""
        self._gateway.closing = True
        grace = self._gateway.settings.grace_seconds
        last = threading.Timer(grace, end)
        last.daemon = True
        last.start()
        for listener in self.servers:
            listener.close()
        patience = time.monotonic() + min(LINGER, grace / 2)
        while self.server_state.connections and time.monotonic() < patience and not self.force_exit:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


def end() -> None:
    """End the process; Python itself would wait for the threads that score."""
    log.error("the grace time is over: what is still under way is not answered")
    os._exit(0)


def main(settings: Settings) -> None:
    """Serve until a signal; requests under way are answered first.

    Raises:
        InputError: there is no champion, or it is damaged.
    """
    gateway = create_app(settings)
    connection: Any = partial(Connection, settings.body_seconds, Together(gateway))
    config = uvicorn.Config(
        gateway,
        host=settings.host,
        port=settings.port,
        http=connection,
        ws="none",
        access_log=False,
        log_config=CONFIG,
        server_header=False,
        proxy_headers=False,  # who asks is not looked at
    )
    with contextlib.suppress(KeyboardInterrupt):
        Server(config, gateway).run()


if __name__ == "__main__":
    try:
        main(Settings.load())
    except InputError as mistake:
        sys.exit(f"error: {mistake}")
