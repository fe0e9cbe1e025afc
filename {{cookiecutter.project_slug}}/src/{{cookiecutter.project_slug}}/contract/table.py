"""A whole table against the contract: typed cells, and the rows that break it with reasons."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from .definition import Column, Contract, require_columns
from .texts import BOOLEANS, SIGNS, ZEROS

DTYPES = {
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "category": "str",
    "text": "str",
    "datetime": "datetime64[us]",
}


@dataclass(frozen=True)
class Checked:
    """A table after the check."""

    valid: pd.DataFrame
    """The rows that keep the contract, typed."""
    invalid: pd.DataFrame
    """The other rows as they came, with a column `reason`."""


def check(table: pd.DataFrame, contract: Contract, *, target: bool = True) -> Checked:
    """Type a table's columns by the contract and set the rows apart that break it.

    Args:
        table: any number of rows; its columns in any order, columns of no concern are dropped.
        contract: what a row is.
        target: whether the target must be there (it is not when scoring).

    Raises:
        InputError: columns are missing.
    """
    wanted = contract.kept if target else contract.features
    require_columns(wanted, table.columns)
    table = table.reset_index(drop=True)
    typed, reasons = {}, []
    for name, column in wanted.items():
        typed[name], wrong = convert(table[name], column, contract.missing)
        reasons += [
            (row, f"{name}: {value!r} is not of type {column.type}") for row, value in wrong.items()
        ]
    frame = pd.DataFrame(typed)
    broken = {row for row, _ in reasons}
    reasons += [(row, text) for row, text in _violations(frame, wanted) if row not in broken]
    if not reasons:
        return Checked(frame, table.iloc[:0].assign(reason=""))
    by_row = pd.DataFrame(reasons, columns=["row", "reason"]).groupby("row")["reason"]
    reason = by_row.agg("; ".join)
    return Checked(
        frame.drop(index=reason.index).reset_index(drop=True),
        table.loc[reason.index].assign(reason=reason),
    )


def convert(
    cells: pd.Series, column: Column, missing: tuple[str, ...] = ("",)
) -> tuple[pd.Series, pd.Series]:
    """Convert raw cells to the column's type.

    Returns:
        The typed cells, missing where there is no value or it is of another type; and the raw
        cells that are of another type.
    """
    if not pd.api.types.is_numeric_dtype(cells) and not _is_moment(cells):
        texts = cells.astype("str").str.strip()
        cells = cells.mask(texts.isin((*missing, *column.missing)) | texts.isna())
    typed = _typed(cells, column)
    return typed, cells[cells.notna() & typed.isna()]


def _typed(cells: pd.Series, column: Column) -> pd.Series:
    match column.type:
        case "integer":
            return _integer(_plain(cells, column))
        case "number":
            numbers = pd.to_numeric(_plain(cells, column), errors="coerce")
            return numbers.astype("float64").where(lambda found: ~np.isinf(found))
        case "boolean":
            return _boolean(cells)
        case "datetime":
            return _moment(cells, column.format)
        case _:
            return _text(cells)


def _is_moment(cells: pd.Series) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(cells))


def _plain(cells: pd.Series, column: Column) -> pd.Series:
    """Write numbers that are text the way Python does: no currency, unit or thousands sign."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells
    texts = cells.astype("str").str.strip().str.removesuffix(column.unit)
    if column.decimal == "." and not texts.str.contains(r"[^\d.+eE-]|\+$", na=False).any():
        return texts
    for pattern, replacement in SIGNS[column.decimal]:
        texts = texts.str.replace(pattern, replacement, regex=True)
    return texts


def _integer(cells: pd.Series) -> pd.Series:
    # Through Int64 and not float64, which would lose digits beyond 2**53.
    if not pd.api.types.is_numeric_dtype(cells):
        cells = cells.str.replace(ZEROS, "", regex=True)
    numbers = pd.to_numeric(cells, errors="coerce", dtype_backend="numpy_nullable")
    if pd.api.types.is_unsigned_integer_dtype(numbers):
        numbers = numbers.mask(numbers >= 2**63)
    elif not pd.api.types.is_integer_dtype(numbers):
        numbers = numbers.astype("Float64")
        numbers = numbers.mask((numbers % 1 != 0).fillna(True) | (numbers.abs() >= 2**63))
    return numbers.astype("Int64")


def _boolean(cells: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(cells):
        return cells.astype("boolean")
    return cells.astype("str").str.strip().str.lower().map(BOOLEANS).astype("boolean")


def _text(cells: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(cells):
        whole = cells.astype("Float64")
        if bool((whole.dropna() % 1 == 0).all()):  # 1.0 was an integer before some cell was missing
            cells = whole.astype("Int64")
    return cells.astype("str").str.strip().where(cells.notna())


def _moment(cells: pd.Series, form: str | None) -> pd.Series:
    if _is_moment(cells):
        form = None
    moments = pd.to_datetime(cells, errors="coerce", utc=True, format=form or "ISO8601")
    return moments.dt.tz_localize(None).astype("datetime64[us]")


def schema(columns: dict[str, Column]) -> pa.DataFrameSchema:
    """Return the pandera schema of a typed table."""
    return pa.DataFrameSchema(
        {
            name: pa.Column(
                DTYPES[column.type],
                checks=_checks(column),
                # A row without target is dropped later and counted, not refused.
                nullable=column.nullable or column.role == "target",
            )
            for name, column in columns.items()
        }
    )


def _checks(column: Column) -> list[pa.Check]:
    checks = []
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum, error=f"below the minimum {column.minimum:g}"))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum, error=f"above the maximum {column.maximum:g}"))
    if column.levels is not None and not column.allow_unknown:
        checks.append(pa.Check.isin(column.levels, error="not one of the levels"))
    return checks


def _violations(frame: pd.DataFrame, columns: dict[str, Column]) -> list[tuple[int, str]]:
    try:
        schema(columns).validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        return [
            (int(row), f"{name}: {_reason(value, check)}")
            for row, name, value, check in zip(
                cases["index"], cases["column"], cases["failure_case"], cases["check"], strict=True
            )
        ]
    return []


def _reason(value: Any, check: str) -> str:
    if check == "not_nullable":
        return "a value is missing"
    # A NumPy scalar would show its type.
    return f"{getattr(value, 'item', lambda: value)()!r} is {check}"
