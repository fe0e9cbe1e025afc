"""Fitted encodings of single columns, as plain numbers and tables.

Each turns a column of cells (floats with NaN, or strings with None) into a float64 matrix. Tables
and single requests go through the same code, so they get the same bits; nothing here needs pandas
or scikit-learn.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from ..contract.cells import Cells, Coded
from .engineered import FEATURES

Matrix = NDArray[np.float64]
Numbers = Sequence[float | None] | NDArray[np.float64]

DAY = 86_400.0
LARGEST = 1e30  # forests add up columns in float32, which ends at 3.4e38
_WORD = re.compile(r"\w\w+")


@dataclass
class Number:
    """A number as it is: NaN stays NaN, for trees, which handle it."""

    def encode(self, cells: Numbers) -> Matrix:
        """Return shape (n, 1)."""
        values = np.array(cells, dtype=np.float64).reshape(-1, 1)
        return np.minimum(np.maximum(values, -LARGEST), LARGEST)  # quicker than clip


@dataclass
class ScaledNumber:
    """A number with its median in place of NaN, standardised; and whether it was missing."""

    median: float
    mean: float
    scale: float
    indicator: bool
    """Whether a second column says which cells were missing."""

    def encode(self, cells: Numbers) -> Matrix:
        """Return shape (n, 1), or (n, 2) with the indicator."""
        scaled = np.array(cells, dtype=np.float64)
        missing = np.isnan(scaled)
        scaled[missing] = self.median
        with np.errstate(over="ignore"):  # what overflows is clipped just below
            scaled -= self.mean
            scaled /= self.scale
        # An outlier far beyond the training rows must not carry a linear model away.
        np.minimum(np.maximum(scaled, -10.0, out=scaled), 10.0, out=scaled)
        return np.column_stack([scaled, missing]) if self.indicator else scaled.reshape(-1, 1)


@dataclass
class Level:
    """A category by look-up: one row of a table for each level, one for unknown, one for missing.

    One-hot, ordinal and target encoding are all of this form.
    """

    index: dict[str, int]
    """The row of each level."""
    table: Matrix
    """Shape (levels + 2, width); the last two rows are for unknown and for missing."""

    def encode(self, cells: Sequence[str | None]) -> Matrix:
        """Return shape (n, width)."""
        if isinstance(cells, Coded):
            return np.asarray(self.table[np.array(self._rows(cells.levels))[cells.codes]])
        return np.asarray(self.table[self._rows(cells)], dtype=np.float64)

    def _rows(self, cells: Sequence[str | None]) -> list[int]:
        unknown, missing = len(self.index), len(self.index) + 1
        if None in cells:
            return [missing if cell is None else self.index.get(cell, unknown) for cell in cells]
        return [*map(self.index.get, cells, repeat(unknown))]  # type: ignore[arg-type, list-item]


@dataclass
class Moment:
    """A moment as parts of the calendar, each looked up in a table of its own."""

    parts: list[str]
    """Which of `PARTS` vary in the training rows."""
    tables: dict[str, Matrix]
    """For each part, shape (values, width); a last row is for a missing moment."""
    trend: Number | ScaledNumber
    """Of the days since 1970."""

    def encode(self, cells: Numbers) -> Matrix:
        """Take seconds since 1970; return the trend and then the columns of each part."""
        seconds = np.array(cells, dtype=np.float64)
        missing = np.isnan(seconds)
        columns = [self.trend.encode(seconds / DAY)]
        for part in self.parts:
            table = self.tables[part]
            values = calendar_part(part, np.where(missing, 0.0, seconds))
            columns.append(table[np.where(missing, len(table) - 1, values)])
        return np.hstack(columns)


PARTS = {"month": 12, "day": 31, "weekday": 7, "hour": 24, "minute": 60}


def calendar_part(part: str, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a part of the calendar, counted from 0, for seconds since 1970 (UTC)."""
    days = np.floor(seconds / DAY)
    rest = seconds - days * DAY
    if part == "hour":
        return (rest // 3600).astype(np.int64)
    if part == "minute":
        return (rest % 3600 // 60).astype(np.int64)
    if part == "weekday":
        return (days.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
    dates = days.astype(np.int64).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    if part == "month":
        return np.asarray(months.astype(np.int64) % 12)
    return np.asarray((dates - months.astype("datetime64[D]")).astype(np.int64))


@dataclass
class Text:
    """Words, weighted by TF-IDF and compressed by latent semantic analysis (Deerwester 1990)."""

    weights: dict[str, int]
    """The row of each known word."""
    idf: NDArray[np.float64]
    components: Matrix
    """Shape (words, width)."""

    def encode(self, cells: Sequence[str | None]) -> Matrix:
        """Return shape (n, width); a text without a known word, or none, is all zero."""
        encoded = np.zeros((len(cells), self.components.shape[1]))
        for row, cell in zip(encoded, cells, strict=True):
            counts = Counter(word for word in words(cell or "") if word in self.weights)
            if not counts:
                continue
            rows = [self.weights[word] for word in counts]
            tf_idf = np.array(list(counts.values())) * self.idf[rows]
            norm = np.sqrt((tf_idf * tf_idf).sum())
            row[:] = (self.components[rows] * (tf_idf / norm)[:, None]).sum(axis=0)
        return encoded


def words(text: str) -> list[str]:
    """Split a text into lower-case words of two letters or more."""
    return _WORD.findall(text.lower())


Encoding = Number | ScaledNumber | Level | Moment | Text


_INPUTS = {name: frozenset(inputs) for name, (_, inputs) in FEATURES.items()}


def with_engineered(columns: Mapping[str, Cells]) -> dict[str, Cells]:
    """Add the engineered features whose inputs are among the columns."""
    everything = dict(columns)
    able = [name for name, inputs in _INPUTS.items() if columns.keys() >= inputs]
    if able:
        with np.errstate(divide="ignore", invalid="ignore"):
            for name in able:
                function, inputs = FEATURES[name]
                values = function(*(np.array(columns[i], dtype=np.float64) for i in inputs))
                if len(values) == 1:  # in a fraction of the time
                    everything[name] = [float(values[0]) if isfinite(values[0]) else nan]
                else:
                    everything[name] = np.where(np.isfinite(values), values, nan)
    return everything
