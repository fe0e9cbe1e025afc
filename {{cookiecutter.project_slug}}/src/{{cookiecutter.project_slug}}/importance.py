"""What a model relies on, and how its predictions go with the columns that matter most."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t

from . import association
from .config import Params
from .contract import Contract
from .folds import Rows
from .metrics import Metric
from .predictions import Array, Predictions

SCORED = 25_000  # rows times columns times repeats, about: what takes the time
ROWS = 200  # at least, if there are so many
COLUMNS = 60
REPEATS = 3, 8  # at least, at most
SHOWN = 4
DEPENDENCE_ROWS = 120
GRID = 10  # quantiles of a number, or levels


@dataclass(frozen=True)
class Importance:
    """How much worse the metric gets when a column is shuffled, with its interval."""

    column: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Dependence:
    """Mean predictions as one column varies and all others stay."""

    column: str
    grid: list[float] | list[str] | list[pd.Timestamp]
    means: Array
    """Of numbers or of the positive class, shape (grid, 1); of several classes (grid, classes)."""
    bands: Array
    """The 10 % and 90 % quantiles over the rows, shape (grid, 2, 1 or classes)."""


Score = Callable[[pd.DataFrame], Predictions]


def permutation(
    score: Score, rows: Rows, contract: Contract, metric: Metric, params: Params
) -> list[Importance]:
    """Return the columns by how much the model needs them (Breiman 2001), the largest need first.

    A random choice of many rows, and of many columns those that go most with the target. The
    interval is that of the mean over shuffles (Student's t), not over other rows.
    """
    rng = np.random.default_rng(params.seed)
    columns = association.strongest(rows.X, pd.Series(rows.y), contract, COLUMNS)
    chosen = rng.permutation(len(rows.y))[: max(SCORED // (len(columns) * REPEATS[0]), ROWS)]
    X, y = rows.X.iloc[chosen].reset_index(drop=True), rows.y[chosen]
    repeats = int(np.clip(SCORED // (len(X) * len(columns)), *REPEATS))
    whole = metric(y, score(X))
    sign = 1 if metric.greater_is_better else -1
    losses = np.zeros((len(columns), repeats))
    for position, column in enumerate(columns):
        for repeat in range(repeats):
            shuffled = X[column].iloc[rng.permutation(len(X))].set_axis(X.index)
            said = score(X.assign(**{column: shuffled}))
            losses[position, repeat] = sign * (whole - metric(y, said))
    factor = t.ppf((1 + params.evaluate.confidence) / 2, repeats - 1) / np.sqrt(repeats)
    mean, half = losses.mean(axis=1), factor * losses.std(axis=1, ddof=1)
    found = [
        Importance(column, float(m), float(m - h), float(m + h))
        for column, m, h in zip(columns, mean, half, strict=True)
    ]
    return sorted(found, key=lambda one: -one.value)


def dependence(
    score: Score, rows: Rows, contract: Contract, important: list[Importance], seed: int
) -> list[Dependence]:
    """Return the partial dependence (Friedman 2001) on the most important columns but texts."""
    columns = [one.column for one in important if contract.columns[one.column].type != "text"]
    chosen = np.random.default_rng(seed).permutation(len(rows.y))[:DEPENDENCE_ROWS]
    X = rows.X.iloc[chosen].reset_index(drop=True)
    found = []
    for column in columns[:SHOWN]:
        grid = _grid(rows.X[column].dropna())
        if len(grid) < 2:
            continue
        varied = pd.concat([X] * len(grid), ignore_index=True)
        repeated = grid.repeat(len(X)).set_axis(varied.index)
        values = score(varied.assign(**{column: repeated})).values
        values = values.reshape(len(grid), len(X), -1)
        values = values[..., -1:] if values.shape[2] == 2 else values
        bands = np.quantile(values, [0.1, 0.9], axis=1).transpose(1, 0, 2)
        found.append(Dependence(column, grid.tolist(), values.mean(axis=1), bands))
    return found


def _grid(known: pd.Series) -> pd.Series:
    """Return quantiles (values that occur) of numbers and moments, or the most frequent levels."""
    if known.dtype.kind in "iufM" and known.nunique() > GRID:
        ordered = known.sort_values(ignore_index=True)
        places = np.linspace(0.02, 0.98, GRID) * (len(ordered) - 1)
        return ordered.iloc[np.unique(places.astype(int))].drop_duplicates()
    levels = known.value_counts().head(GRID).index
    return pd.Series(levels.sort_values(), dtype=known.dtype)
