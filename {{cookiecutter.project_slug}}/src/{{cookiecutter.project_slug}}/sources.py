"""Where tables come from and go to. To add a source, write its line; nothing else changes."""

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
    """Read a file by the format that its name ends with.

    Raises:
        InputError: it is not there, or its format is unknown or not what its name says.
    """
    path = Path(source.removeprefix("file://"))
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; check the path")
    for ending, reader in FORMATS.items():
        if path.name.lower().endswith(ending):
            try:
                return reader(str(path))
            except (ValueError, UnicodeDecodeError, OSError) as error:
                raise InputError(f"{path}: cannot be read as {ending}: {error}") from None
    raise InputError(f"{path}: unknown format; known: {', '.join(FORMATS)}")


SOURCES: dict[str, Reader] = {
    "file": read_file,
}


def read(source: str) -> pd.DataFrame:
    """Read a table from a source, such as `data/patients.csv`.

    Raises:
        InputError: the source is unknown or cannot be read.
    """
    scheme = source.partition("://")[0] if "://" in source else "file"
    if scheme not in SOURCES:
        raise InputError(f"{source}: unknown kind of source; known: {', '.join(SOURCES)}")
    return SOURCES[scheme](source)


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
