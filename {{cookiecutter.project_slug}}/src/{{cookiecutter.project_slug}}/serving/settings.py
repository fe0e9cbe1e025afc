"""What can be set about the server, by environment variables that begin with PROJECT_."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from .. import files
from ..errors import InputError


class Settings(BaseSettings):
    """The server's settings; `PROJECT_MAX_ROWS=50` sets `max_rows`."""

    model_config = SettingsConfigDict(env_prefix="PROJECT_", frozen=True)

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="The port to listen on.")
    champion: str | Path = Field(
        default=files.CHAMPION,
        description="The folder of the bundle to serve, or an alias such as models:/NAME@champion.",
    )
    follow_seconds: float = Field(
        default=0.5, gt=0, description="How often to look whether the champion is another one."
    )
    max_rows: int = Field(default=1000, ge=1, description="The rows that one request may have.")
    max_bytes: int = Field(
        default=10_000_000, ge=1, description="The bytes that one request may have."
    )
    max_explained: int = Field(
        default=10, ge=1, description="The rows that one request may have explained."
    )
    max_requests: int = Field(
        default=512, ge=1, description="Bodies under way at once; more get 503 and Retry-After."
    )
    body_seconds: float = Field(
        default=10, gt=0, description="How long headers, and then a body, may take to arrive."
    )
    grace_seconds: int = Field(
        default=10, ge=1, description="How long requests under way may take after SIGTERM."
    )
    api_keys: frozenset[Annotated[str, Field(min_length=1)]] = Field(
        default=frozenset(),
        description='Keys as a JSON list; requests need one as "Authorization: Bearer KEY".',
    )
    access_log: bool = Field(default=False, description="Whether to log every request.")

    @classmethod
    def load(cls) -> "Settings":
        """Read the environment.

        Raises:
            InputError: a variable has a value that cannot be.
        """
        try:
            return cls()
        except ValidationError as error:
            raise InputError("\n".join(_said(one) for one in error.errors())) from None
        except SettingsError:
            raise InputError('PROJECT_API_KEYS: not a JSON list such as ["KEY"]') from None


def _said(fault: Any) -> str:
    """Say what is wrong with a variable; a key is not shown."""
    name = str(fault["loc"][0])
    given = "" if name == "api_keys" else f" ({fault['input']!r} was given)"
    return f"PROJECT_{name.upper()}: {fault['msg']}{given}"
