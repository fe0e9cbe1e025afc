"""A batch of an Arrow table as cells: what is plainly as the contract says, quickly.

What is not so plain, such as a number written as text, is left to `table.check`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from . import arrow
from .cells import Cells, Coded
from .definition import Column, Contract

Sure = NDArray[np.bool_]


@dataclass(frozen=True)
class Batch:
    """The rows of a batch."""

    columns: dict[str, Cells]
    """The cells of each feature, shape (n,)."""
    sure: Sure
    """Which rows keep the contract for certain, shape (n,); cells of the others mean nothing."""


def read(batch: pa.RecordBatch, contract: Contract) -> Batch:
    """Return the cells of a batch that has every feature of the contract."""
    columns, sure = {}, np.ones(batch.num_rows, dtype=bool)
    for name, column in contract.features.items():
        cells, fine = _read(batch.column(name), column, contract.missing + column.missing)
        columns[name] = cells
        sure &= fine
    return Batch(columns, sure)


def _read(array: pa.Array, column: Column, missing: tuple[str, ...]) -> tuple[Cells, Sure]:
    kind = array.type
    number = pa.types.is_integer(kind) or (column.type == "number" and pa.types.is_floating(kind))
    match column.type:
        case "category" | "text" if _is_text(kind):
            return _texts(array, column, missing)
        case "integer" | "number" if _is_text(kind) and column.decimal == ".":
            return _written_numbers(array, column, missing)
        case "integer" | "number" if number:
            return _numbers(array, column)
        case "boolean" if pa.types.is_boolean(kind):
            return _numbers(array, column)
        case "datetime" if pa.types.is_timestamp(kind) and kind.tz is None:
            return _moments(array, column)
        case _:
            return np.zeros(len(array)), np.zeros(len(array), dtype=bool)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _numbers(array: pa.Array, column: Column) -> tuple[Cells, Sure]:
    values = arrow.values(array.cast(pa.float64(), safe=False))
    if array.null_count:
        values = np.where(arrow.absent(array), np.nan, values)
    fine = np.full(len(values), True)
    if _within(values, column):
        return values, fine
    if column.minimum is not None:
        fine &= ~(values < column.minimum)
    if column.maximum is not None:
        fine &= ~(values > column.maximum)
    if column.type == "integer":
        fine &= ~(np.abs(values) >= 2**63)  # such as these may not fit into 64 bits
    fine &= ~np.isinf(values)
    return values, fine if column.nullable else fine & ~np.isnan(values)


def _within(values: NDArray[np.float64], column: Column) -> bool:
    """Return whether all values keep the contract, by the least and the largest of them."""
    if not len(values) or not (column.nullable or values.min() == values.min()):
        return False
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    limit = 2.0**63 if column.type == "integer" else np.inf
    above = -limit < low and (column.minimum is None or column.minimum <= low)
    return bool(above and high < limit and (column.maximum is None or high <= column.maximum))


def _written_numbers(
    array: pa.Array, column: Column, missing: tuple[str, ...]
) -> tuple[Cells, Sure]:
    """Read numbers that are text, written as JSON would."""
    if pa.types.is_dictionary(array.type):
        values, sure = _written_numbers(array.dictionary, column, missing)
        codes = _codes(array)
        return np.append(np.asarray(values), np.nan)[codes], np.append(sure, column.nullable)[codes]
    form = r"^-?\d{1,15}$" if column.type == "integer" else r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
    plain = pc.match_substring_regex(array, form).fill_null(False)
    values, sure = _numbers(pc.if_else(plain, array, None).cast(pa.float64()), column)
    absent = pc.or_(array.is_null(), pc.is_in(array, pa.array(missing)))
    return values, (np.asarray(plain) & sure) | (np.asarray(absent) & column.nullable)


def _moments(array: pa.Array, column: Column) -> tuple[Cells, Sure]:
    micros = array.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    absent = arrow.absent(array)
    values = np.where(absent, np.nan, arrow.values(micros) / 1e6)
    return values, np.full(len(values), True) if column.nullable else ~absent


def _texts(array: pa.Array, column: Column, missing: tuple[str, ...]) -> tuple[Cells, Sure]:
    if not pa.types.is_dictionary(array.type):
        array = pc.dictionary_encode(array)
    codes = _codes(array)
    levels = [_level(text, missing) for text in array.dictionary.to_pylist()]
    allowed = None if column.levels is None or column.allow_unknown else set(column.levels)
    fine = [
        column.nullable if level is None else allowed is None or level in allowed
        for level in levels
    ]
    # The code -1 takes the last ones.
    return Coded([*levels, None], codes), np.array([*fine, column.nullable], dtype=bool)[codes]


def _codes(array: pa.DictionaryArray) -> NDArray[np.int64]:
    """Return the code of each cell, -1 where it is null."""
    codes = arrow.values(array.indices.cast(pa.int64()))
    return np.where(arrow.absent(array), -1, codes) if array.null_count else codes


def _level(text: Any, missing: tuple[str, ...]) -> str | None:
    stripped = "" if text is None else text.strip()
    return None if text is None or stripped in missing else stripped
