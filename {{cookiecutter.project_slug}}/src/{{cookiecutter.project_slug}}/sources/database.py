"""Tables of databases, by their SQLAlchemy URL and the name of a table or a query after #."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from ..errors import InputError
from . import arrow
from .address import Address

# What SQLAlchemy would take by default is another driver.
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def require(address: Address) -> sql.URL:
    """Check what can be told without connecting.

    Raises:
        InputError: the address is malformed, says no table, or a SQLite file is not there.
    """
    try:
        url = sql.make_url(address.location)
    except (SQLAlchemyError, ValueError):
        raise InputError(
            "not the address of a database; write scheme://user:${PASSWORD}@host:port/database#table"
        ) from None
    if not address.fragment.strip():
        raise InputError("say what to read after #: the name of a table, or a query: #select …")
    if address.scheme == "sqlite" and not Path(url.database or "").is_file():
        raise InputError(f"there is no such file as {url.database}; check the path")
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def read(address: Address, name: str) -> Iterator[pa.Table]:
    """Read a table or a query through a cursor at the server.

    Raises:
        InputError: the database refuses.
    """
    engine = sql.create_engine(require(address), poolclass=sql.NullPool)
    try:
        with engine.connect() as connection:
            # A query is sent as it is: neither : nor % stands for a parameter.
            streamed = connection.execution_options(stream_results=True, no_parameters=True)
            result = streamed.exec_driver_sql(_statement(address.fragment, engine))
            names = list(result.keys())
            result.yield_per(arrow.rows_at_once(len(names)))
            yield from arrow.of_rows(names, result)
    except SQLAlchemyError as error:
        raise InputError(str(getattr(error, "orig", None) or error).strip()) from None


def _statement(fragment: str, engine: sql.Engine) -> str:
    if fragment.split(maxsplit=1)[0].lower() in ("select", "with"):
        return fragment
    schema, _, table = fragment.rpartition(".")
    wanted = sql.table(sql.quoted_name(table, True), schema=schema or None)
    return str(sql.select(sql.text("*")).select_from(wanted).compile(engine))
