"""Start the server: `python -m <project>.serving`, which needs requirements-serve.lock alone."""

import sys

import uvicorn

from ..errors import InputError
from .app import create_app
from .logs import CONFIG
from .settings import Settings


def main(settings: Settings) -> None:
    """Serve until a signal; requests under way are answered first.

    Raises:
        InputError: there is no champion, or it is damaged.
    """
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=CONFIG,
        server_header=False,
        timeout_graceful_shutdown=settings.grace_seconds,
    )


if __name__ == "__main__":
    try:
        main(Settings.load())
    except InputError as mistake:
        sys.exit(f"error: {mistake}")
