"""Where tables come from and go to. To add a source, write its line; nothing else changes."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from .errors import InputError

Reader = Callable[[str], pd.DataFrame]


def read_text(source: str, separator: str = ",") -> pd.DataFrame:
    """Read delimited text; every cell stays text, the contract gives it a type."""
    return pd.read_csv(source, sep=separator, dtype="str", na_filter=False)


def read_tabs(source: str) -> pd.DataFrame:
    """Read text delimited by tabs."""
    return read_text(source, "\t")


def read_parquet(source: str) -> pd.DataFrame:
    """Read a Parquet file."""
    return pd.read_parquet(source)


FORMATS: dict[str, Reader] = {
    ".csv": read_text,
    ".csv.gz": read_text,
    ".tsv": read_tabs,
    ".parquet": read_parquet,
}


def read_file(source: str) -> pd.DataFrame:
    """Read a file by the format that its name ends with."""
    path = _path(source)
    reader = next(reader for ending, reader in FORMATS.items() if _ends(path, ending))
    try:
        return reader(str(path))
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read as its name says: {error}") from None


def _path(source: str) -> Path:
    return Path(source.removeprefix("file://"))


def _ends(path: Path, ending: str) -> bool:
    return path.name.lower().endswith(ending)


SOURCES: dict[str, Reader] = {
    "file": read_file,
}


def require(source: str) -> str:
    """Check that a source can be read, as far as can be told without reading it.

    Returns:
        Its scheme, a key of `SOURCES`.

    Raises:
        InputError: the scheme or the format is unknown, or a file is not there.
    """
    scheme = source.partition("://")[0] if "://" in source else "file"
    if scheme not in SOURCES:
        raise InputError(f"{source}: unknown kind of source; known: {', '.join(SOURCES)}")
    if scheme == "file":
        path = _path(source)
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; check the path")
        if not any(_ends(path, ending) for ending in FORMATS):
            raise InputError(f"{path}: unknown format; known: {', '.join(FORMATS)}")
    return scheme


def read(source: str) -> pd.DataFrame:
    """Read a table from a source, such as `data/patients.csv`.

    Raises:
        InputError: the source is unknown or cannot be read.
    """
    return SOURCES[require(source)](source)


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
