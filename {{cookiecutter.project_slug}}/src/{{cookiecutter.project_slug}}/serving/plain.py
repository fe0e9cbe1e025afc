"""Plain bodies of POST /predict, read in a fraction of the time that the pydantic model takes.

What is taken here is taken by the model of `messages.request_model` too, as the same values. What
is not, such as a text with blanks around it, a moment with a zone or anything unsound, is left to
that model, which alone says what is wrong.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from ..contract import Column, Contract
from ..contract.cells import Values
from ..contract.row import whole_bounds

NAMED = re.compile(r'[^"\\\x00-\x1f]*')
"""Names that msgspec has fields of."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?")


class Plain:
    """Reads bodies of a contract.

    Args:
        contract: of the model.
        most: rows of one body.
    """

    def __init__(self, contract: Contract, most: int) -> None:
        columns = list(contract.features.items())
        self._decoder: Any = None
        if all(NAMED.fullmatch(name) for name, _ in columns):
            self._decoder = msgspec.json.Decoder(_request(columns, most))
        self._texts = [
            (position, frozenset(contract.missing + column.missing))
            for position, (_, column) in enumerate(columns)
            if _type(column) is str and column.type != "datetime"
        ]
        self._moments = [
            position for position, (_, column) in enumerate(columns) if column.type == "datetime"
        ]

    def read(self, body: bytes) -> list[Values] | None:
        """Return the values of the rows, or None for a body that is not plain."""
        if self._decoder is None:
            return None
        try:
            asked = self._decoder.decode(body)
            rows = [msgspec.structs.astuple(row) for row in asked.rows]
            if self._moments:
                rows = [self._with_moments(row) for row in rows]
        except (msgspec.MsgspecError, ValueError):
            return None
        if asked.explain or not all(self._is_clean(row) for row in rows):
            return None
        return rows

    def _is_clean(self, row: Values) -> bool:
        """Whether no text has blanks around it, or stands for a missing one."""
        for position, missing in self._texts:
            text = row[position]
            if text is not None and (text in missing or text != text.strip()):
                return False
        return True

    def _with_moments(self, row: Values) -> Values:
        cells = list(row)
        for position in self._moments:
            text = cells[position]
            if text is not None:
                if not MOMENT.fullmatch(text):
                    raise ValueError("more is read by pydantic")
                cells[position] = datetime.fromisoformat(text)
        return tuple(cells)


def _request(columns: Sequence[tuple[str, Column]], most: int) -> type[msgspec.Struct]:
    """Return the type of a body; its fields are numbered, since a column may have any name."""
    fields: list[Any] = []
    for number, (_, column) in enumerate(columns):
        kind = _type(column)
        field = f"field_{number}"
        fields.append((field, kind | None, None) if column.nullable else (field, kind))
    names = {f"field_{number}": name for number, (name, _) in enumerate(columns)}
    row: Any = msgspec.defstruct(
        "Row", fields, rename=names, forbid_unknown_fields=True, kw_only=True, gc=False
    )
    rows = Annotated[list[row], msgspec.Meta(min_length=1, max_length=most)]
    return msgspec.defstruct(
        "Request", [("rows", rows), ("explain", bool, False)], forbid_unknown_fields=True
    )


def _type(column: Column) -> Any:
    match column.type:
        case "integer":
            low, high = whole_bounds(column)
            return Annotated[int, msgspec.Meta(ge=low, le=high)]
        case "number":
            return Annotated[float, msgspec.Meta(ge=column.minimum, le=column.maximum)]
        case "boolean":
            return bool
        case "category" if column.levels and not column.allow_unknown:
            return Literal[column.levels]
        case _:
            return str
