"""Arrow tables: made of rows of Python values, and brought to one schema."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from ..errors import InputError

ROWS = 65_536
CELLS = 1_000_000  # of one part, so that wide tables take no more memory than long ones


def rows_at_once(columns: int) -> int:
    """Return how many rows make a part of bounded size."""
    return max(1, min(ROWS, CELLS // max(columns, 1)))


def check_names(names: Sequence[Any]) -> list[str]:
    """Return column names as they are, if they can be told apart.

    Raises:
        InputError: one is empty, or there twice.
    """
    texts = ["" if name is None else str(name) for name in names]
    empty = [str(number) for number, name in enumerate(texts, 1) if not name.strip()]
    if empty:
        raise InputError(
            f"column {', '.join(empty[:10])} of {len(texts)} has no name; "
            "name every column at the source"
        )
    twice = [name for name, count in Counter(texts).items() if count > 1]
    if twice:
        raise InputError(
            f"more than one column is named {', '.join(twice[:10])}; rename them at the source"
        )
    return texts


def of_rows(names: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[pa.Table]:
    """Turn rows into tables of bounded size, at least one; types are those of the values."""
    texts, left, first = check_names(names), iter(rows), True
    while (part := list(islice(left, rows_at_once(len(texts))))) or first:
        columns = zip(*part, strict=True) if part else ([] for _ in texts)
        yield pa.table([_array(list(values)) for values in columns], texts)
        first = False


def _array(values: list[Any]) -> pa.Array:
    try:
        found = pa.array(values)
    except (pa.ArrowException, OverflowError):  # of several types, or of one that Arrow lacks
        found = pa.array([None if v is None else _text(v) for v in values], pa.string())
    if pa.types.is_decimal(found.type):  # the number of digits differs from part to part
        return found.cast(pa.float64())
    if pa.types.is_nested(found.type):
        return pa.array([None if v is None else _text(v) for v in values], pa.string())
    return found


def _text(value: Any) -> str:
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)


def plain(table: pa.Table) -> pa.Table:
    """Return a table without what pandas and Arrow keep beside the cells."""
    named = [name for name in table.column_names if not name.startswith("__index_level_")]
    table = table.select(named) if len(named) < len(table.column_names) else table
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):  # its levels differ from part to part
            cells = table.column(index).cast(field.type.value_type)
            table = table.set_column(index, field.name, cells)
    fields = [pa.field(field.name, field.type) for field in table.schema]
    return pa.table(table.columns, schema=pa.schema(fields))


def parts(table: pa.Table) -> Iterator[pa.Table]:
    """Yield a table in parts of bounded size, at least one."""
    size = rows_at_once(table.num_columns)
    for start in range(0, max(len(table), 1), size):
        yield table.slice(start, size)


def unify(one: pa.Schema, other: pa.Schema) -> pa.Schema:
    """Return a schema with the columns of both that can hold the cells of both.

    Raises:
        InputError: a column is of types that do not go together.
    """
    if one.equals(other):
        return one
    names = dict.fromkeys([*one.names, *other.names])
    return pa.schema([_wider(name, one, other) for name in names])


def _wider(name: str, one: pa.Schema, other: pa.Schema) -> pa.Field:
    fields = [schema.field(name) for schema in (one, other) if name in schema.names]
    try:
        schemas = [pa.schema([field]) for field in fields]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        types = [field.type for field in fields]
    if pa.string() in types and not any(pa.types.is_nested(kind) for kind in types):
        return pa.field(name, pa.string())
    raise InputError(
        f"column {name} is {types[0]} in some rows and {types[1]} in others; "
        "give it one type at the source"
    )


def fit(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema; those that it lacks are missing.

    Raises:
        InputError: a cell cannot be of the schema's type.
    """
    if table.schema.equals(schema):
        return table
    return pa.table([_column(table, field) for field in schema], schema=schema)


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    if field.name not in table.column_names:
        return pa.nulls(len(table), field.type)
    try:
        return table.column(field.name).cast(field.type)
    except pa.ArrowInvalid as error:
        raise InputError(f"column {field.name}: {error}; give it one type at the source") from None
