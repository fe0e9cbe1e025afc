"""Values as the encoder takes them, from requests and from tables alike.

A cell is a float (NaN or None when it is missing; 1.0 for true; seconds since 1970 for a moment) or
a string (None when it is missing).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .definition import Contract

if TYPE_CHECKING:  # the server has no pandas
    import pandas as pd

Cell = float | str | None

Values = tuple[Any, ...]
"""What a validated row holds, in contract order: whole numbers, booleans and moments, too."""


@dataclass(frozen=True)
class Coded(Sequence[str | None]):
    """A column of texts by their codes, so that each different text is looked at once."""

    levels: list[str | None]
    codes: NDArray[np.int64]
    """The position of each cell among the levels; negative ones count from the end."""

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, int):
            return self.levels[self.codes[row]]
        return Coded(self.levels, self.codes[row])


Cells = Sequence[Cell] | NDArray[np.float64]

_EPOCH = datetime(1970, 1, 1)


def of_row(row: Values) -> tuple[Cell, ...]:
    """Return the cells of a validated row, in contract order."""
    return tuple(_of_value(value) for value in row)


def of_rows(rows: Sequence[Values], contract: Contract) -> dict[str, Cells]:
    """Return the columns of validated rows, by name.

    Whole numbers and booleans stay what they are, since they are encoded as the float is: to
    convert each would take as long as to validate it.
    """
    columns: dict[str, Cells] = dict(zip(contract.features, zip(*rows, strict=True), strict=True))
    for name in contract.moments:
        columns[name] = [_of_value(value) for value in columns[name]]
    return columns


def _of_value(value: Any) -> Cell:
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, datetime):
        # Whole microseconds first: the same division as for tables, so the same float.
        moment = value - _EPOCH
        return ((moment.days * 86_400 + moment.seconds) * 1_000_000 + moment.microseconds) / 1e6
    return float(value)


def of_series(series: "pd.Series") -> Cells:
    """Return the cells of a typed column."""
    if series.dtype.kind == "M":
        micros = series.astype("datetime64[us]").to_numpy().astype("int64")
        return np.where(series.isna(), np.nan, micros / 1e6)
    if series.dtype.kind in "biuf":
        return np.asarray(series.to_numpy(dtype="float64", na_value=np.nan))
    # What is no text is missing; to ask pandas takes as long as all else of a short table.
    return [cell if isinstance(cell, str) else None for cell in series.to_numpy(dtype=object)]


def of_table(table: "pd.DataFrame", names: Iterable[str]) -> dict[str, Cells]:
    """Return the cells of these columns of a typed table."""
    if len(table) != 1:
        return {name: of_series(table[name]) for name in names}
    # For pandas a column takes ten times as long as a cell of a row.
    row = table.iloc[0]
    known = dict(zip(row.index, zip(row.tolist(), row.notna().tolist(), strict=True), strict=True))
    return {name: [_of_value(known[name][0]) if known[name][1] else None] for name in names}


def columns_of_rows(rows: Sequence[tuple[Cell, ...]], contract: Contract) -> dict[str, Cells]:
    """Turn rows of cells into columns by name."""
    return {
        name: list(column)
        for name, column in zip(contract.features, zip(*rows, strict=True), strict=True)
    }


def rows_of_table(table: "pd.DataFrame", contract: Contract) -> list[tuple[Cell, ...]]:
    """Turn a typed table into rows of cells; a missing number is None, as in a request."""
    columns = []
    for name in contract.features:
        cells = of_series(table[name])
        if isinstance(cells, np.ndarray):
            cells = [
                None if missing else cell
                for cell, missing in zip(cells.tolist(), np.isnan(cells), strict=True)
            ]
        columns.append(cells)
    return list(zip(*columns, strict=True))
