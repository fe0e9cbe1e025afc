"""What a raw table says about its columns: a contract to begin with, and why it says so."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .definition import Column, Contract
from .table import convert
from .texts import BOOLEANS, MOMENT

# Cell texts that mean "no value" wherever they occur, and those that may also be a level: they
# count only in a column that would be of numbers, moments or booleans without them, there alone.
SURE = ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "NaT", "NULL", "null", "#N/A", "<NA>")
UNSURE = ("-", "--", ".", "None", "none", "missing", "Missing", "unknown", "Unknown")

_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d",
         "%d-%b-%Y", "%d %b %Y", "%d%b%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
         "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%b-%y", "%d%b%y", "%Y%m%d",
         "%A, %B %d, %Y", "%a %d %b %Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%m/%Y",
         "%Y-%m-%d")  # fmt: skip
_TIMES = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    " %I:%M%p",
    ":%H:%M:%S",
)
_DAYLESS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
FORMATS = (
    *(day + time for day in _DAYS for time in _TIMES),
    *_DAYLESS,
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%d/%b/%Y:%H:%M:%S %z",
)

TOLERANCE = 0.005  # the share of cells that may be of another type than the column's
LISTED = 50  # a category with more levels than this is not listed
CLASSES = 40  # a target with more distinct values than this is a number
FEW = 10  # whole numbers as a target: not more than this are classes
IDENTIFIER = re.compile(
    r"(?i:(^|[_\s.-])(id|uuid|guid|key|index|rownames|unnamed:.*)$)|(?<=[a-z])I[Dd]$"
)
MEMBER = re.compile(
    r"(?i:(^|[_\s.-])(patient|customer|client|user|subject|person|household|account|device|session)$)"
)
"""What a column is called that says to whom or what a row belongs."""
OFTEN = 1.5  # rows of each value: below it a column that is called an id is one, above it a group
POSITIVE = ("yes", "true", "1", "y", "t", "positive", "pos", "bad", "default", "fraud", "churn")


@dataclass(frozen=True)
class Finding:
    """A column as it was understood, with the evidence."""

    name: str
    column: Column
    why: str


def missing_markers(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the texts that mean "no value" in every column of a table."""
    found = {""}
    for name in table.columns[[not _is_native(table[n]) for n in table]]:
        found |= set(SURE) & set(table[name].dropna().astype("str").str.strip().unique())
    return tuple(marker for marker in SURE if marker in found)


def _own_markers(known: pd.Series) -> tuple[str, ...]:
    """Return the texts that mean "no value" in one column, of numbers or moments but for them."""
    counts = known.value_counts()
    unsure = [marker for marker in UNSURE if marker in counts.index]
    odd = _odd_ones(counts.drop(unsure))
    rest = counts.drop([*unsure, *odd])
    distinct = rest.index.to_series()
    typed = unsure and (
        _are_booleans(distinct)
        or (len(rest) > 2 and (_number(distinct, rest) or _moment(distinct, rest)))
    )
    return (*(unsure if typed else ()), *odd)


def _are_booleans(distinct: pd.Series) -> bool:
    """Whether texts are of both truth values, each in some spelling."""
    said = {BOOLEANS.get(text.lower()) for text in distinct}
    return said == {True, False}


def _odd_ones(counts: pd.Series) -> list[str]:
    """Return the one to three texts that come again and again among many numbers."""
    distinct = counts.index.to_series()
    unit = _unit(distinct)
    for decimal in (".", ","):
        column = Column(type="number", decimal=decimal, unit=unit)
        typed, _ = convert(distinct, column)
        odd = counts[typed.isna().to_numpy()]
        if len(odd) <= 3 and len(counts) - len(odd) >= 20 and odd.sum() < 0.4 * counts.sum():
            return sorted(odd[odd > 1].index)
    return []


def _is_native(cells: pd.Series) -> bool:
    return cells.dtype.kind in "biufM"


def infer(name: str, cells: pd.Series, missing: tuple[str, ...]) -> Finding:
    """Understand one column of raw cells."""
    own: tuple[str, ...] = ()
    if not _is_native(cells):
        texts = cells.astype("str").str.strip()
        cells = texts.mask(texts.isin(missing) | cells.isna())
        own = _own_markers(cells.dropna())
        cells = cells.mask(cells.isin(own))
    known = cells.dropna()
    share = 1 - len(known) / len(cells)
    if known.empty:
        return Finding(name, Column(type="text", role="ignore", nullable=True), "no value at all")
    if known.nunique() == 1:
        why = f"constant: {known.iloc[0]!r} wherever there is a value"
        return Finding(name, Column(type="text", role="ignore", nullable=True), why)
    facts, why = _understand(known)
    facts |= {"nullable": bool(share), "missing": own}
    if _is_identifier(name, known, facts["type"]):
        bounds = ("minimum", "maximum", "levels", "allow_unknown")
        facts = {key: fact for key, fact in facts.items() if key not in bounds} | {"role": "id"}
        why += f"; an id: {_repeats(known)}"
    why += f"; {share:.1%} missing" if share else ""
    return Finding(name, Column(**facts), why + (f", written {', '.join(own)}" if own else ""))


def _understand(known: pd.Series) -> tuple[dict[str, Any], str]:
    if known.dtype.kind == "b":
        return {"type": "boolean"}, "true and false"
    if known.dtype.kind == "M":
        return {"type": "datetime"}, f"{known.min()} to {known.max()}"
    if known.dtype.kind in "iuf":
        return _range(known), _span(known)
    counts = known.value_counts()
    distinct = counts.index.to_series()
    lower = set(distinct.str.lower())
    if _are_booleans(distinct) and not lower & {"0", "1"}:
        return {"type": "boolean"}, f"written {' and '.join(sorted(lower))}"
    if distinct.str.fullmatch(r"(19|20|21(?=00))\d{6}").all():  # numbers as well
        days, _ = convert(distinct, Column(type="datetime", format="%Y%m%d"))
        if days.notna().all():
            return {"type": "datetime", "format": "%Y%m%d"}, f"days like {distinct.iloc[0]!r}"
    number = _number(distinct, counts)
    if number is not None:
        column, typed = number
        odd = distinct[pd.to_numeric(distinct, errors="coerce").isna().to_numpy()]
        written = f", some written like {odd.iloc[0]!r}" if len(odd) else ""
        facts = {"decimal": column.decimal, "unit": column.unit}
        return _range(typed) | facts, _span(typed) + written
    moment = _moment(distinct, counts)
    if moment is not None:
        return {"type": "datetime", "format": moment[0]}, moment[1]
    return _words(distinct, counts)


def _fits(typed: pd.Series, counts: pd.Series) -> bool:
    """Whether all but a few rows are of the type, given the distinct values' conversion."""
    return bool(counts[typed.isna().to_numpy()].sum() <= TOLERANCE * counts.sum())


def _number(distinct: pd.Series, counts: pd.Series) -> tuple[Column, pd.Series] | None:
    if distinct.str.fullmatch(r"0\d+").any():  # a code such as a postcode: zeros would be lost
        return None
    unit = _unit(distinct)
    for decimal in (".", ","):
        column = Column(type="number", decimal=decimal, unit=unit)
        typed, _ = convert(distinct, column)
        if _fits(typed, counts):
            return column, typed.dropna()
    return None


def _unit(distinct: pd.Series) -> str:
    """Return the word that most texts end with after a digit, such as km, or none."""
    ends = distinct.str.extract(r"\d\s?([^\W\d]\D*)$")[0].value_counts()
    if ends.empty or ends.iloc[0] < 0.9 * len(distinct) or ends.index[0] in ("k", "K", "M"):
        return ""
    return str(ends.index[0])


def _moment(distinct: pd.Series, counts: pd.Series) -> tuple[str | None, str] | None:
    sample = distinct.head(50)
    if not sample.str.contains(r"\d").all():
        return None
    # pandas takes more for ISO 8601 than requests do, such as 2024/01/31.
    iso = sample.str.fullmatch(MOMENT).all()
    fitting = {}
    for form in (None, *FORMATS) if iso else (*FORMATS, None):
        column = Column(type="datetime", format=form)
        if _fits(convert(sample, column)[0], counts.loc[sample]):
            moments, _ = convert(distinct, column)
            if _fits(moments, counts):
                fitting[form] = moments
    if not fitting:
        return None
    form, *others = fitting
    other = next((one for one in others if not fitting[one].equals(fitting[form])), None)
    doubt = f" ({form} or {other}: no day tells)" if other else ""
    return form, f"moments written like {distinct.iloc[0]!r}{doubt}"


def _range(numbers: pd.Series) -> dict[str, Any]:
    """Bounds as far beyond the values as they are apart; never below zero when they are not."""
    low, high = float(numbers.min()), float(numbers.max())
    span = high - low
    whole = bool((numbers.dropna() % 1 == 0).all()) and max(-low, high) < 2**63
    bounds = [0.0 if low >= 0 else low - span, high + span]
    return {
        "type": "integer" if whole else "number",
        "minimum": _outward(bounds[0], math.floor),
        "maximum": _outward(bounds[1], math.ceil),
    }


def _outward(value: float, towards: Callable[[float], int]) -> float | None:
    """Round to two digits, up or down; None, no bound, for what is beyond every number."""
    if not value:
        return 0.0
    if not math.isfinite(value):
        return None
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{towards(value / unit) * unit:.12g}")


def _span(numbers: pd.Series) -> str:
    return f"{numbers.nunique():,} values, {numbers.min():g} to {numbers.max():g}"


def _words(distinct: pd.Series, counts: pd.Series) -> tuple[dict[str, Any], str]:
    length = (distinct.str.count(r"\s+") * counts.to_numpy()).sum() / counts.sum() + 1
    if length >= 4 and len(distinct) > LISTED:
        return {"type": "text"}, f"{len(distinct):,} texts of {length:.0f} words on average"
    why = f"{len(distinct):,} levels, most often {counts.index[0]!r}"
    if len(distinct) > LISTED:
        return {"type": "category", "allow_unknown": True}, why + "; too many to list"
    levels = tuple(sorted(distinct))
    return {"type": "category", "levels": levels, "allow_unknown": True}, why


def _is_identifier(name: str, known: pd.Series, kind: str) -> bool:
    if len(known) < 20 or kind not in ("integer", "category"):
        return False
    named = bool(IDENTIFIER.search(name))
    if known.nunique() < len(known):
        return named and known.nunique() > len(known) / OFTEN
    return named or kind == "category" or _counts_up(known)


def _repeats(known: pd.Series) -> str:
    times = len(known) / known.nunique()
    return "every value is another" if times == 1 else f"each value is there {times:.2f} times"


def _counts_up(known: pd.Series) -> bool:
    numbers = pd.to_numeric(known, errors="coerce")
    return bool((numbers.diff().dropna() == 1).all())


def as_target(finding: Finding, cells: pd.Series, missing: tuple[str, ...]) -> Finding:
    """Understand a column once more, as the one to predict: classes, or a number."""
    if finding.column.role == "ignore":
        return finding
    texts, _ = convert(cells, Column(type="category"), missing)
    counts = texts.value_counts()
    column = finding.column
    if column.type == "number" or (
        column.type == "integer" and not _are_codes(counts.drop(list(column.missing)))
    ):
        kept = column.model_dump(include={"type", "decimal", "unit", "missing"})
        return Finding(finding.name, Column(**kept, role="target"), f"a number: {finding.why}")
    if len(counts) > 2 and _are_booleans(counts.index.to_series().map(str)):
        why = f"true, the positive class, and false, written {', '.join(sorted(counts.index))}"
        return Finding(finding.name, Column(type="boolean", role="target"), why)
    if len(counts) > CLASSES:
        return finding
    levels = tuple(sorted(counts.index))
    facts: dict[str, Any] = {"type": "category", "role": "target", "levels": levels}
    why = f"{len(levels)} classes, {counts.iloc[-1] / counts.sum():.1%} in the rarest"
    facts["positive"] = positive(counts)
    if facts["positive"]:
        why += f"; {facts['positive']!r} is the positive one"
    return Finding(finding.name, Column(**facts), why)


def positive(counts: pd.Series) -> str | None:
    """Return the class of interest of two: the one that is called so, or the rarer one."""
    if len(counts) != 2:
        return None
    named = [str(level) for level in counts.index if str(level).lower() in POSITIVE]
    return named[0] if len(named) == 1 else str(counts.idxmin())


def _are_codes(counts: pd.Series) -> bool:
    """Whether whole numbers stand for classes: few, or about as often each and without a gap."""
    if len(counts) <= FEW:
        return True
    numbers = pd.to_numeric(counts.index.to_series(), errors="coerce")
    gapless = numbers.max() - numbers.min() == len(counts) - 1 and numbers.min() in (0, 1)
    return bool(len(counts) <= CLASSES and gapless and counts.min() >= 0.2 * counts.max())


def contract_of(findings: list[Finding], missing: tuple[str, ...]) -> Contract:
    """Return the contract that the findings make."""
    return Contract(missing=missing, columns={one.name: one.column for one in findings})
