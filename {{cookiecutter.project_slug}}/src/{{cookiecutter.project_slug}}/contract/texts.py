"""Cells that are text, of any table: how people write numbers, yes and no, and moments.

`value` reads one cell, for the server, which has no pandas; `table.convert` reads columns by the
same words and signs.
"""

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .definition import Column

BOOLEANS = {
    **dict.fromkeys(["true", "t", "yes", "y", "on", "1", "1.0"], True),
    **dict.fromkeys(["false", "f", "no", "n", "off", "0", "0.0"], False),
    **dict.fromkeys(["ja", "oui", "si", "sí", "sì", "sim", "да"], True),
    **dict.fromkeys(["nein", "nee", "nej", "non", "não", "nao", "нет"], False),
}
_SIGNS = (
    (r"[\s'’$€£¥₹₽₩₺₫₪฿%]|USD|EUR|GBP|CHF|JPY|CNY|INR|BRL|R(?=\$)", ""),
    ("−", "-"),
    (r"^\((.*)\)$", r"-\1"),  # as accountants write a loss
    (r"(?<=\d)[kK]$", "e3"),
    (r"(?<=\d)M$", "e6"),
    (r"(?<=\d)\+$", ""),  # and more
)
SIGNS = {
    ".": (*_SIGNS, (r"(?<!\d{4}),(?=\d{3}(\D|$))", "")),
    ",": (*_SIGNS, (r"(?<!\d{4})\.(?=\d{3}(\D|$))", ""), (",", ".")),
}
"""By decimal mark, what to replace one after the other until a number is as Python writes it."""
ZEROS = r"\.0+$"
"""What a whole number may end with."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MOMENT = re.compile(r"[0-9]{4}(-[0-9]{2}-[0-9]{2}|[0-9]{4})([T ][0-9:.]+ ?(Z|[+-][0-9:]+)?)?")
"""What is read as ISO 8601."""


def value(text: str, column: Column, missing: Sequence[str]) -> Any:
    """Return the value of a cell, None if it is missing; what cannot be read stays text."""
    text = text.strip()
    if text in missing:
        return None
    found: Any = None
    match column.type:
        case "integer":
            found = _integer(_plain(text, column))
        case "number":
            found = _number(_plain(text, column))
        case "boolean":
            found = BOOLEANS.get(text.lower())
        case "datetime":
            found = _moment(text, column.format)
    return text if found is None else found


def _plain(text: str, column: Column) -> str:
    text = text.removesuffix(column.unit)
    for pattern, replacement in SIGNS[column.decimal]:
        text = re.sub(pattern, replacement, text)
    return text


def _integer(text: str) -> int | None:
    text = re.sub(ZEROS, "", text)
    number = int(text) if _WHOLE.fullmatch(text) else _number(text)
    if number is None or number % 1 or not -(2**63) <= number < 2**63:
        return None
    return int(number)


def _number(text: str) -> float | None:
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _moment(text: str, form: str | None) -> str | None:
    """Return a moment as a request has it."""
    try:
        if form:
            return datetime.strptime(text, form).isoformat()
        return datetime.fromisoformat(text).isoformat() if MOMENT.fullmatch(text) else None
    except ValueError:
        return None
