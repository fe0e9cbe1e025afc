"""Start the server: `python -m <project>.serving`, which needs requirements-serve.lock alone."""

import sys

import uvicorn

from ..errors import InputError
from .app import create_app
from .settings import Settings


def main(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until a signal; requests under way are answered first.

    Raises:
        InputError: there is no champion, or a setting is wrong.
    """
    app = create_app(Settings.load())
    uvicorn.run(app, host=host, port=port, access_log=False, timeout_graceful_shutdown=10)


if __name__ == "__main__":
    try:
        main("0.0.0.0")
    except InputError as mistake:
        sys.exit(f"error: {mistake}")
