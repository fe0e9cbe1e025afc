"""Where tables come from and go to. To add a source, write its line in `SOURCES`."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ..errors import InputError
from . import address, arrow, database, formats
from .address import Address, is_local, without_secrets
from .arrow import fit, unify

__all__ = [
    "SOURCES",
    "fit",
    "is_local",
    "read",
    "require",
    "stream",
    "unify",
    "without_secrets",
    "write",
]


@dataclass(frozen=True)
class Source:
    """How tables of one scheme are read."""

    read: Callable[[Address, str], Iterator[pa.Table]]
    """Takes the address and the name to use in messages."""
    require: Callable[[Address], object]
    """Checks, without reading, what can be checked."""
    driver: str | None = None


def _read_file(place: Address, name: str) -> Iterator[pa.Table]:
    with Path(place.location).open("rb") as file:
        yield from formats.read(formats.find(place.name), file, name, seekable=True)


def _require_file(place: Address) -> None:
    if not Path(place.location).is_file():
        raise InputError("there is no such file; check the path")
    _require_format(place)


def _require_format(place: Address) -> None:
    if driver := formats.find(place.name).driver:
        _require_driver(driver)


def _remote(
    driver: str, options: Callable[[], dict[str, Any]] = dict, seekable: bool = True
) -> Source:
    """Return a source of files that fsspec opens."""

    def read(place: Address, name: str) -> Iterator[pa.Table]:
        import fsspec

        with fsspec.open(place.location, "rb", **options()) as file:
            yield from formats.read(formats.find(place.name), file, name, seekable)

    return Source(read, _require_format, driver)


def _web() -> dict[str, Any]:
    import aiohttp

    # A download may take hours, but not a minute without a byte.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
    return {"block_size": 0, "client_kwargs": {"timeout": timeout}}


def _ssh() -> dict[str, Any]:
    return {"known_hosts": ()}  # those of ~/.ssh/known_hosts; without this, any host


def _read_bundled(place: Address, name: str) -> Iterator[pa.Table]:
    from sklearn import datasets

    table = getattr(datasets, f"load_{_require_bundled(place)}")(as_frame=True).frame
    yield pa.Table.from_pandas(table, preserve_index=False)


def _require_bundled(place: Address) -> str:
    name = place.location.partition("://")[2]
    if name not in BUNDLED:
        raise InputError(f"scikit-learn brings no such table; it has {', '.join(BUNDLED)}")
    return name


BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")
SOURCES: dict[str, Source] = {
    "file": Source(_read_file, _require_file),
    "http": _remote("aiohttp", _web, seekable=False),
    "https": _remote("aiohttp", _web, seekable=False),
    "s3": _remote("s3fs"),
    "gs": _remote("gcsfs"),
    "az": _remote("adlfs"),
    "abfs": _remote("adlfs"),
    "sftp": _remote("sshfs", _ssh),
    "postgresql": Source(database.read, database.require, "psycopg"),
    "mysql": Source(database.read, database.require, "pymysql"),
    "mariadb": Source(database.read, database.require, "pymysql"),
    "sqlite": Source(database.read, database.require),
    "sklearn": Source(_read_bundled, _require_bundled),
}
# The extra of pyproject.toml that brings a driver.
EXTRAS = {
    "s3fs": "s3",
    "gcsfs": "gcs",
    "adlfs": "azure",
    "sshfs": "sftp",
    "psycopg": "postgresql",
    "pymysql": "mysql",
    "openpyxl": "excel",
}


def _require_driver(driver: str) -> None:
    if importlib.util.find_spec(driver) is None:
        extra = EXTRAS.get(driver, "pipeline")
        raise InputError(
            f"reading this needs {driver}, of the extra {extra}; install it with "
            f'`make lock EXTRAS="{extra}"` and then `make setup`'
        )


def _find(source: str) -> tuple[Address, Source]:
    scheme = address.scheme_of(source)
    if scheme not in SOURCES:
        raise InputError(f"unknown kind of source {scheme}://; known: {', '.join(SOURCES)}")
    place, kind = address.parse(source), SOURCES[scheme]
    if kind.driver:
        _require_driver(kind.driver)
    kind.require(place)
    return place, kind


def require(source: str) -> str:
    """Check that a source can be read, as far as can be told without reading it.

    Returns:
        Its scheme, a key of `SOURCES`.

    Raises:
        InputError: the scheme or the format is unknown, a file is not there, a driver is not
            installed, or credentials are not in the environment.
    """
    try:
        return _find(source)[0].scheme
    except InputError as error:
        raise InputError(f"{without_secrets(source)}: {error}") from None


def stream(source: str) -> Iterator[pa.Table]:
    """Yield a table in parts of bounded size, at least one, whose types may differ.

    Raises:
        InputError: the source is unknown, cannot be read, or fails midway.
    """
    name = without_secrets(source)
    try:
        place, kind = _find(source)
        for table in kind.read(place, name):
            yield from arrow.parts(arrow.plain(table))
    except InputError as error:
        raise InputError(f"{name}: {address.scrub(str(error), source)}") from None
    except Exception as error:  # the drivers have no class of errors in common
        reason = address.scrub(_reason(error), source)
        raise InputError(f"{name}: cannot be read: {reason}") from None


def _reason(error: Exception) -> str:
    answer = error.__cause__ or error  # fsspec calls every refusal of a server a missing file
    if status := getattr(answer, "status", None):
        said = f"{status} {getattr(answer, 'message', '')}".strip()
        return f"the server answers {said}; check the address and your rights"
    if isinstance(error, FileNotFoundError):
        return "it is not there (404); check the address"
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def read(source: str) -> pd.DataFrame:
    """Read a table from a source, such as `data/patients.csv`.

    Raises:
        InputError: the source is unknown or cannot be read.
    """
    tables = list(stream(source))
    try:
        schema = reduce(unify, (table.schema for table in tables))
        return pa.concat_tables(fit(table, schema) for table in tables).to_pandas()
    except InputError as error:
        raise InputError(f"{without_secrets(source)}: {error}") from None


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet, as its name says.

    Raises:
        InputError: the format is unknown.
    """
    match path.suffix:
        case ".csv":
            table.to_csv(path, index=False)
        case ".parquet":
            table.to_parquet(path, index=False)
        case _:
            raise InputError(f"{path}: unknown format to write; use .csv or .parquet")
