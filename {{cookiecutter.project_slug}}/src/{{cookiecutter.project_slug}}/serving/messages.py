"""What clients send and get, as pydantic models made from the contract."""

from typing import Any

from pydantic import BaseModel, Field, ValidationError, create_model

from ..contract import Contract
from ..contract.row import row_model

SHOWN = 10_000
"""Problems that an answer lists."""


class Served(BaseModel):
    """Which model answered."""

    name: str
    version: str


class Explanation(BaseModel):
    """How much each column moved a prediction."""

    method: str
    scale: str = Field(description="What is explained, and in what unit.")
    base: float = Field(description="What the model says of reference rows, on average.")
    contributions: dict[str, float] = Field(
        description="By column; with the base they add up to what the model says of the row."
    )


class ClassPrediction(BaseModel):
    """The prediction for one row."""

    label: str | bool = Field(description="The class decided on; see `tune.costs`.")
    probabilities: dict[str, float] = Field(description="The probability of each class.")
    set: list[str] = Field(description="Classes that hold the true one, as often as agreed.")
    explanation: Explanation | None = Field(default=None, description="If it was asked for.")


class ValuePrediction(BaseModel):
    """The prediction for one row."""

    value: float
    interval: tuple[float, float] = Field(
        description="Holds the true value, as often as `tune.coverage` says."
    )
    explanation: Explanation | None = Field(default=None, description="If it was asked for.")


class Problem(BaseModel):
    """What is wrong with a request."""

    row: int | None = Field(description="The position of the row, from 0; null: the whole body.")
    column: str | None
    value: str | None = Field(description="What was sent, as text, cut when it is long.")
    rule: str = Field(description="What it must be.")


class Problems(BaseModel):
    """A refused request."""

    errors: list[Problem]
    request_id: str


def request_model(contract: Contract, max_rows: int, example: dict[str, Any]) -> type[BaseModel]:
    """Return the strict model of a body of POST /predict, documented with a row."""
    row = row_model(contract)
    return create_model(
        "PredictRequest",
        __config__={
            "strict": True,
            "extra": "forbid",
            "json_schema_extra": {"examples": [{"rows": [example]}]},
        },
        rows=(
            list[row],  # type: ignore[valid-type]
            Field(min_length=1, max_length=max_rows, description="The rows to score."),
        ),
        explain=(bool, Field(False, description="Whether to say what moved each prediction.")),
    )


def response_model(contract: Contract) -> type[BaseModel]:
    """Return the model of an answer of POST /predict."""
    one = ClassPrediction if contract.classes else ValuePrediction
    return create_model(
        "PredictResponse",
        predictions=(list[one], Field(description="One for each row, in order.")),  # type: ignore[valid-type]
        model=(Served, ...),
        request_id=(str, ...),
    )


def problems(error: ValidationError) -> list[dict[str, Any]]:
    """Return what is wrong with a body, row by row."""
    found = []
    for one in error.errors(include_url=False, include_context=False)[:SHOWN]:
        # The location is ("rows", row, column), or less when the fault is further up.
        place = list(one["loc"][1:]) if one["loc"][:1] == ("rows",) else [None, *one["loc"]]
        whole = isinstance(one["input"], dict | list) or one["type"] == "json_invalid"
        found.append(
            {
                "row": place[0] if place else None,
                "column": str(place[1]) if len(place) > 1 else None,
                "value": None if whole else repr(one["input"])[:100],
                "rule": one["msg"],
            }
        )
    return found
