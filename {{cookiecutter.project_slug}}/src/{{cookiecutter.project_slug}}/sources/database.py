"""Tables and queries of databases, through SQLAlchemy."""

import contextlib
import gc
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import InputError
from .address import Address

ROWS = 50_000  # at once
SCHEMES = ("postgresql", "mysql", "mariadb", "sqlite")
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def bring(address: Address, scratch: Path) -> Path:
    """Write a table, `…#orders`, or a query, `…#select …`, as parts of Parquet.

    Rows come through a server-side cursor, so that the whole result is never in memory.

    Raises:
        InputError: neither a table nor a query is given, or a sqlite file is not there.
    """
    import sqlalchemy as sql

    if not address.fragment:
        raise InputError("add the table or the query after a #, such as #orders or #select …")
    scheme, engine = address.scheme, _engine(address)
    path = engine.url.database
    if scheme.startswith("sqlite") and not Path(path or "").is_file():
        raise InputError(
            f"there is no file {path}; sqlite:///path is relative, sqlite:////path not"
        )
    query: Any = sql.text(address.fragment)
    if not re.match(r"(select|with|table|values)\s", address.fragment, re.IGNORECASE):
        *schema, table = address.fragment.rsplit(".", 1)
        query = sql.select("*").select_from(sql.table(table, schema=schema[0] if schema else None))
    parts = scratch / "parts"
    parts.mkdir()
    streamed = {"stream_results": True, "max_row_buffer": ROWS}
    with _without_cycles(), engine.connect().execution_options(**streamed) as open_:
        result = open_.execute(query)
        names = [str(name) for name in result.keys()]  # noqa: SIM118
        empty: list[Sequence[Any]] = [[] for _ in names]
        _write_part(names, empty, parts / "0.parquet")
        for number, rows in enumerate(result.partitions(ROWS), 1):
            _write_part(names, list(zip(*rows, strict=True)), parts / f"{number:06}.parquet")
    engine.dispose()
    return parts


@contextlib.contextmanager
def _without_cycles() -> Iterator[None]:
    """Let Python not look for cycles among rows, which have none: a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _engine(address: Address) -> Any:
    import sqlalchemy as sql

    scheme, _, rest = address.location.partition("://")
    return sql.create_engine(f"{DRIVERS.get(scheme, scheme)}://{rest}")


def table_of(address: Address) -> str:
    """Return the name of the table that an address is for.

    Raises:
        InputError: it has none.
    """
    if not re.fullmatch(r"\w+(\.\w+)?", address.fragment or ""):
        raise InputError("add the name of a new table after a #, such as #scored")
    return str(address.fragment)


def send(address: Address, parts: Iterator[pa.Table]) -> None:
    """Write the parts of a table to a new table of a database, in one transaction.

    Raises:
        InputError: the table is there already, or the database refuses.
    """
    import sqlalchemy as sql

    *schema, table = table_of(address).rsplit(".", 1)
    engine = _engine(address)
    try:
        with engine.begin() as connection:
            mode: Any = "fail"
            for part in parts:
                part.to_pandas().to_sql(
                    table,
                    connection,
                    schema=schema[0] if schema else None,
                    if_exists=mode,
                    index=False,
                    chunksize=1_000,
                )
                mode = "append"
    except ValueError as error:
        raise InputError(f"{error} Name a new table, or drop that one") from None
    except sql.exc.SQLAlchemyError as error:
        raise InputError(address.scrub(f"the database refuses: {error}")) from None
    finally:
        engine.dispose()


def _write_part(names: list[str], columns: list[Sequence[Any]], path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([_array(column) for column in columns], names), path)


def _array(values: Sequence[Any]) -> pa.Array:
    """Make an array of what the driver gives; what has no type of its own becomes text."""
    try:
        array = pa.array(values)
        if not pa.types.is_decimal(array.type):
            return array
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass
    try:  # decimals of any precision; Arrow's own conversion does not always round to the nearest
        return pa.array([float(v) if isinstance(v, Decimal) else v for v in values])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])
