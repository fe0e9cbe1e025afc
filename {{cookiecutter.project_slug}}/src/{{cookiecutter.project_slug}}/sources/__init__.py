"""Where tables come from and go to. To add a source, write its line in `SOURCES`."""

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from ..errors import InputError
from . import database, formats, remote
from .address import Address, without_secrets
from .outputs import is_plain, plain_texts, require_output, send

if TYPE_CHECKING:  # to score plain Parquet takes no pandas
    import pandas as pd

__all__ = [
    "SOURCES",
    "copy",
    "is_local",
    "is_plain",
    "plain_texts",
    "read",
    "require",
    "require_output",
    "send",
    "without_secrets",
]


@dataclass(frozen=True)
class Source:
    """How tables of one scheme come to this machine."""

    bring: Callable[[Address, Path], Path]
    """Takes an address and an empty folder for scratch; returns a file of a known format."""
    driver: str | None = None
    """The module that does it, if not every project has it."""
    names_format: bool = True
    """Whether the name of what it brings is in the address, and tells the format."""


def _here(address: Address, scratch: Path) -> Path:
    path = Path(address.location)
    if not path.is_file():
        raise InputError("there is no such file; check the path")
    return path


def _bundled(address: Address, scratch: Path) -> Path:
    """Write one of the tables that scikit-learn brings."""
    from sklearn import datasets

    name = address.location.partition("://")[2]
    if name not in BUNDLED:
        raise InputError(f"scikit-learn brings no such table; it has {', '.join(BUNDLED)}")
    table = getattr(datasets, f"load_{name}")(as_frame=True).frame
    table.to_parquet(scratch / "table.parquet")
    return scratch / "table.parquet"


BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")
SOURCES: dict[str, Source] = {
    "file": Source(_here),
    "http": Source(remote.web, "aiohttp"),
    "https": Source(remote.web, "aiohttp"),
    "s3": Source(remote.storage, "s3fs"),
    "gs": Source(remote.storage, "gcsfs"),
    "az": Source(remote.storage, "adlfs"),
    "sftp": Source(remote.shell, "sshfs"),
    "postgresql": Source(database.bring, "psycopg", names_format=False),
    "mysql": Source(database.bring, "pymysql", names_format=False),
    "mariadb": Source(database.bring, "pymysql", names_format=False),
    "sqlite": Source(database.bring, names_format=False),
    "sklearn": Source(_bundled, names_format=False),
}
EXTRAS = {
    "s3fs": "s3",
    "gcsfs": "gcs",
    "adlfs": "azure",
    "sshfs": "sftp",
    "psycopg": "postgresql",
    "pymysql": "mysql",
    "python_calamine": "excel",
}
"""The extra of pyproject.toml that brings a driver."""


def is_local(source: str) -> bool:
    """Return whether a source is a file of this machine."""
    return Address.scheme_of(source) == "file"


def _require_driver(module: str | None) -> None:
    if module and importlib.util.find_spec(module) is None:
        extra = EXTRAS.get(module, "pipeline")
        raise InputError(
            f"reading this needs {module}, of the extra {extra}; install it with "
            f'`make lock EXTRAS="{extra}"` and then `make setup`'
        )


def require(source: str) -> Address:
    """Check that a source can be read, as far as can be told without reading it.

    Raises:
        InputError: the scheme or the format is unknown, a file is not there, a driver is not
            installed, or credentials are not in the environment.
    """
    scheme = Address.scheme_of(source)
    try:
        if scheme not in SOURCES:
            raise InputError(f"unknown kind of source {scheme}://; known: {', '.join(SOURCES)}")
        address, kind = Address.parse(source), SOURCES[scheme]
        _require_driver(kind.driver)
        if scheme == "file":
            _here(address, Path())
        if kind.names_format:
            _require_driver(formats.require(address.name))
        return address
    except InputError as error:
        raise InputError(f"{without_secrets(source)}: {error}") from None


def copy(source: str, target: Path) -> None:
    """Bring a table to a Parquet file, in bounded memory.

    Text of delimited files stays text: the contract gives it types.

    Raises:
        InputError: the source is unknown, cannot be read, or fails midway.
        OSError: there is no room for the target.
    """
    address = require(source)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".source.") as folder:
        scratch = Path(folder)
        try:
            path = SOURCES[address.scheme].bring(address, scratch)
            formats.to_parquet(path, target, scratch)
        except Exception as error:  # the drivers have no class of errors in common
            if isinstance(error, OSError) and error.errno in files.FULL:
                raise
            raise InputError(
                f"{without_secrets(source)}: {address.scrub(_reason(error))}"
            ) from None


def _reason(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    answer = error.__cause__ or error  # fsspec calls every refusal of a server a missing file
    if status := getattr(answer, "status", None):
        said = f"{status} {getattr(answer, 'message', '')}".strip()
        return f"the server answers {said}; check the address and your rights"
    if isinstance(error, FileNotFoundError):
        return "it is not there (404); check the address"
    # DuckDB adds hints on its own options, which a user of this project does not set.
    said = " ".join(str(error).split("Possible ")[0].split())
    return f"cannot be read: {type(error).__name__}: {said[:500]}".removesuffix(": ")


def read(source: str) -> "pd.DataFrame":
    """Read a table from a source, such as `data/patients.csv`.

    Raises:
        InputError: the source is unknown or cannot be read.
    """
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder, files.writing(Path(folder)):
        copy(source, Path(folder) / "table.parquet")
        return pd.read_parquet(Path(folder) / "table.parquet")
