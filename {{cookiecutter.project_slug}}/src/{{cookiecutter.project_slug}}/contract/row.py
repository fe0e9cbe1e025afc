"""One row, as an HTTP client or a line of a form sends it: a pydantic model of the contract."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from .definition import Column, Contract

_EXAMPLES: dict[str, Any] = {
    "boolean": True,
    "category": "a",
    "text": "some words",
    "datetime": "2026-01-31T12:00:00",
}


def _without_zone(moment: datetime) -> datetime:
    """Bring a moment to UTC; one without a zone is taken as it is."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def row_model(contract: Contract) -> type[BaseModel]:
    """Return the strict model of one row of features.

    Columns that may be empty may be null or absent. Fields are numbered, since a column may have
    any name; the name is the alias.
    """
    fields: dict[str, Any] = {}
    for number, (name, column) in enumerate(contract.features.items()):
        annotation = _annotation(column)
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


def _annotation(column: Column) -> Any:
    match column.type:
        case "integer":
            return Annotated[int, Field(ge=_whole(column.minimum), le=_whole(column.maximum))]
        case "number":
            return Annotated[float, Field(ge=column.minimum, le=column.maximum)]
        case "boolean":
            return bool
        case "datetime":
            return Annotated[datetime, AfterValidator(_without_zone)]
        case "category" if column.levels and not column.allow_unknown:
            return Literal[column.levels]
        case _:
            return str


def _whole(bound: float | None) -> int | float | None:
    return int(bound) if bound is not None and bound.is_integer() else bound


def example_row(contract: Contract) -> dict[str, Any]:
    """Return a row that the contract accepts, for documentation."""
    return {name: example(column) for name, column in contract.features.items()}


def example(column: Column) -> Any:
    """Return a value that the column accepts, for documentation."""
    if column.type in ("integer", "number"):
        low = column.minimum if column.minimum is not None else 0.0
        high = column.maximum if column.maximum is not None else low + 10
        middle = (low + high) / 2
        return round(middle) if column.type == "integer" else middle
    return column.levels[0] if column.levels else _EXAMPLES[column.type]
