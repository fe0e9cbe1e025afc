"""Where scored tables go: a file or a table of a database, whole or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from ..errors import InputError
from . import database
from .address import Address, without_secrets

FORMATS = (".csv", ".parquet")


def require_output(output: str) -> Path:
    """Check that a table can be written to an output, as far as can be told.

    Returns:
        The file, or for a table of a database a name for files beside it.

    Raises:
        InputError: the format or the kind of output is unknown.
    """
    scheme = Address.scheme_of(output)
    if scheme in database.SCHEMES:
        return Path(database.table_of(Address.parse(output)))
    if scheme != "file" or Path(output).suffix not in FORMATS:
        raise InputError(
            f"{without_secrets(output)}: unknown format to write; use .csv, .parquet, or a table "
            f"of a database ({', '.join(f'{one}://…#table' for one in database.SCHEMES)})"
        )
    if Path(output).is_dir():
        raise InputError(f"{output}: there is a folder of that name; name a file")
    return Path(output)


def send(schema: pa.Schema, parts: Iterator[pa.Table], output: str, scratch: Path) -> None:
    """Write the parts of a table to an output.

    Args:
        schema: of the parts.
        parts: at least one, which may be empty.
        output: a file or a table of a database.
        scratch: a file on the disk of the output, which takes its place when it is whole.

    Raises:
        InputError: the database refuses.
    """
    if Address.scheme_of(output) in database.SCHEMES:
        database.send(Address.parse(output), parts)
        return
    if Path(output).suffix == ".csv":
        plain = plain_texts(schema)
        with csv.CSVWriter(scratch, plain) as writer:
            for part in parts:
                writer.write(part.cast(plain))
    else:
        # Without Arrow's schema, by which texts that are coded here would be so for readers.
        options: dict[str, Any] = {"store_schema": False, "write_statistics": False}
        # A dictionary costs time, and numbers with a fraction seldom repeat.
        repeated = [f.name for f in schema if not pa.types.is_floating(f.type)]
        with pq.ParquetWriter(scratch, schema, use_dictionary=repeated, **options) as writer:
            for part in parts:
                writer.write_table(part)
    scratch.replace(output)


def plain_texts(schema: pa.Schema) -> pa.Schema:
    """Return a schema with texts as texts, not as codes."""
    kinds = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in schema]
    return pa.schema(zip(schema.names, kinds, strict=True))


def is_plain(path: Path) -> bool:
    """Return whether a Parquet file has none but the types that `copy` writes."""
    tests = (
        pa.types.is_boolean,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_string,
        pa.types.is_large_string,
        lambda kind: pa.types.is_timestamp(kind) and kind.tz is None,
    )
    schema = pq.read_schema(path)
    index = any(name.startswith("__index_level_") for name in schema.names)
    return not index and all(any(test(kind) for test in tests) for kind in schema.types)
