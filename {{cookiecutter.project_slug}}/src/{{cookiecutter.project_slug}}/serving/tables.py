"""Rows as other protocols send them: from tables, which know less of types than JSON does."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pydantic import ValidationError

from ..contract import Column, Contract, texts
from ..contract.cells import Values
from ..contract.row import values
from .messages import problems
from .served import Served


class Unusable(Exception):
    """A request that cannot be read as rows; says what is wrong with it."""


def bound(count: int, limit: int) -> None:
    """Raise Unusable if there are too many rows; asked before they are made, which costs."""
    if count > limit:
        raise Unusable(f"there are {count} rows; send at most {limit}")


def validate(served: Served, rows: Iterable[Mapping[str, Any]]) -> list[Values]:
    """Return the values of rows that keep the contract.

    Raises:
        Unusable: one does not.
    """
    tidied = [tidy(row, served.champion.contract) for row in rows]
    try:
        asked: Any = served.message.model_validate_json(json.dumps({"rows": tidied}))
    except ValidationError as error:
        found = [
            ": ".join(str(part) for part in (row_of(one), one["rule"]) if part)
            for one in problems(error)[:10]
        ]
        raise Unusable("; ".join(found)) from None
    return [values(row) for row in asked.rows]


def row_of(problem: Mapping[str, Any]) -> str:
    """Say where a problem is."""
    if problem["row"] is None:
        return ""
    said = f" is {problem['value']}" if problem["value"] is not None else ""
    return f"row {problem['row']}, {problem['column']}{said}"


def tidy(row: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    """Give cells of a table the types of the contract where nothing is lost.

    NaN is a missing value, 3.0 an integer; columns that are of no concern are dropped.
    """
    return {
        name: _tidy(row[name], column) for name, column in contract.features.items() if name in row
    }


def _tidy(cell: Any, column: Column) -> Any:
    if isinstance(cell, float):
        if math.isnan(cell):
            return None
        if column.type == "integer" and cell.is_integer():
            return int(cell)
    if column.type == "boolean" and isinstance(cell, int | float) and cell in (0, 1):
        return bool(cell)
    if cell == "" and column.nullable:
        return None
    return cell


def of_csv(text: str, contract: Contract, limit: int) -> Iterator[dict[str, Any]]:
    """Return the rows of a CSV table with a header.

    Raises:
        Unusable: a row has another length than the header, or there are too many.
    """
    try:
        rows = list(islice(csv.reader(io.StringIO(text), strict=True), limit + 2))
    except csv.Error as error:
        raise Unusable(f"not a CSV table: {error}") from None
    header, *body = rows or [[]]
    bound(len(body), limit)
    for number, row in enumerate(body):
        if len(row) != len(header):
            raise Unusable(f"row {number} has {len(row)} cells, the header {len(header)}")
    return (
        {
            name: texts.value(cell, column, contract.missing + column.missing)
            for name, cell in zip(header, row, strict=True)
            if (column := contract.features.get(name))
        }
        for row in body
    )


def to_csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Return rows as a CSV table with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
