"""One row, as an HTTP client or a line of a form sends it: a pydantic model of the contract."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil, floor
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    WrapValidator,
    create_model,
)
from pydantic_core import PydanticCustomError, core_schema

from .cells import Values
from .definition import Column, Contract

_EXAMPLES: dict[str, Any] = {
    "boolean": True,
    "category": "a",
    "text": "some words",
    "datetime": "2026-01-31T12:00:00",
}


_DATE = re.compile(r"\d{4}-")


def _moment(given: Any, read: Callable[[Any], datetime]) -> datetime:
    """Read ISO 8601, and bring a moment to UTC; one without a zone is taken as it is."""
    if not isinstance(given, str) or not _DATE.match(given):  # digits would be seconds since 1970
        raise PydanticCustomError("datetime_parsing", "Input should be a valid datetime, ISO 8601")
    moment = read(given)
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:
        raise ValueError("must be between the years 1 and 9999 in UTC") from None


def row_model(contract: Contract) -> type[BaseModel]:
    """Return the strict model of one row of features.

    Columns that may be empty may be null or absent. Fields are numbered, since a column may have
    any name; the name is the alias.
    """
    fields: dict[str, Any] = {}
    for number, (name, column) in enumerate(contract.features.items()):
        annotation = _annotation(column, contract.missing + column.missing)
        default = None if column.nullable else ...
        fields[f"field_{number}"] = (
            annotation | None if column.nullable else annotation,
            Field(
                default,
                alias=name,
                description=column.description or None,
                examples=[example(column)],
            ),
        )
    config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)
    return create_model("Row", __config__=config, **fields)


def values(row: BaseModel) -> Values:
    """Return what a validated row holds, in contract order."""
    return tuple(row.__dict__.values())


def _annotation(column: Column, missing: tuple[str, ...]) -> Any:
    match column.type:
        case "integer":
            low, high = whole_bounds(column)
            return Annotated[int, Field(ge=low, le=high)]
        case "number":
            return Annotated[float, Field(ge=column.minimum, le=column.maximum)]
        case "boolean":
            return bool
        case "datetime":
            return Annotated[datetime, Field(strict=False), WrapValidator(_moment)]
        case "category" if column.levels and not column.allow_unknown:
            return Annotated[str, _one_of(column.levels, _as_in_a_table(column, missing))]
        case _:
            return Annotated[str, AfterValidator(_as_in_a_table(column, missing))]


def _one_of(levels: tuple[str, ...], clean: Callable[[str], str | None]) -> GetPydanticSchema:
    """Take a level, or what becomes one or nothing when it is cleaned."""

    def cleaned(text: str) -> str | None:
        found = clean(text)
        if found is not None and found not in levels:
            raise ValueError("not a level")
        return found

    *others, last = map(repr, levels)
    exact = core_schema.literal_schema([*levels])
    # Exact ones first: to know them takes no Python.
    taken = core_schema.union_schema(
        [exact, core_schema.no_info_after_validator_function(cleaned, core_schema.str_schema())],
        mode="left_to_right",
        custom_error_type="literal_error",
        custom_error_context={"expected": f"{', '.join(others)} or {last}" if others else last},
    )
    return GetPydanticSchema(lambda *_: taken, lambda _, document: document(exact))


def _as_in_a_table(column: Column, missing: tuple[str, ...]) -> Callable[[str], str | None]:
    """Treat blanks and missing markers as `table.check` does."""

    def clean(text: str) -> str | None:
        text = text.strip()
        if text not in missing:
            return text
        if not column.nullable:
            raise ValueError(f"a value is missing: {text!r} stands for none")
        return None

    return clean


def whole_bounds(column: Column) -> tuple[int, int]:
    """Return the least and the largest integer of a column, at most as wide as those of a table."""
    low, high = column.minimum, column.maximum
    return (
        -(2**63) if low is None else max(-(2**63), ceil(low)),
        2**63 - 1 if high is None else min(2**63 - 1, floor(high)),
    )


def example_row(contract: Contract) -> dict[str, Any]:
    """Return a row that the contract accepts, for documentation."""
    return {name: example(column) for name, column in contract.features.items()}


def request_of(cells: Sequence[Any], contract: Contract) -> dict[str, Any]:
    """Return cells of a row, in contract order, as a client sends them; a missing one is left out.

    The inverse of `cells.of_row`.
    """
    return {
        name: _value(column, cell)
        for (name, column), cell in zip(contract.features.items(), cells, strict=True)
        if cell is not None and cell == cell
    }


def _value(column: Column, cell: Any) -> Any:
    match column.type:
        case "integer":
            return int(cell)
        case "boolean":
            return bool(cell)
        case "datetime":
            return (datetime(1970, 1, 1) + timedelta(microseconds=round(cell * 1e6))).isoformat()
        case _:
            return cell


def example(column: Column) -> Any:
    """Return a value that the column accepts, for documentation."""
    if column.type in ("integer", "number"):
        low, high = column.minimum, column.maximum
        if low is None:
            low = 0.0 if high is None else min(high, 0.0)
        if high is None:
            high = low + 10
        middle = (low + high) / 2
        return round(middle) if column.type == "integer" else middle
    return column.levels[0] if column.levels else _EXAMPLES[column.type]
