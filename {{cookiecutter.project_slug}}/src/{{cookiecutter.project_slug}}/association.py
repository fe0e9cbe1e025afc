"""How strongly a column goes with the target: the statistic for the pair of types, its interval."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from .contract import Column, Contract

LEVELS = 30  # of a category; the rarer ones are one level together


@dataclass(frozen=True)
class Association:
    """A statistic from 0 (none; for ranks, from -1) to 1, with a 95 % interval."""

    measure: str
    value: float
    low: float
    high: float


def associate(
    cells: pd.Series, column: Column, target: pd.Series, goal: Column
) -> Association | None:
    """Measure how a typed column goes with the typed target, where neither is missing.

    Two numbers: Spearman's rank correlation. A number and a category: the correlation ratio of
    the ranks. Two categories: Cramér's V. None for texts, and where nothing varies.
    """
    both = cells.notna() & target.notna()
    cells, target = cells[both], target[both]
    if "text" in (column.type, goal.type) or len(cells) < 5:
        return None
    if cells.nunique() < 2 or target.nunique() < 2:
        return None
    if _is_ordered(column) and _is_ordered(goal):
        return spearman(_ranks(cells), _ranks(target))
    if _is_ordered(column):
        return correlation_ratio(_ranks(cells), _codes(target))
    if _is_ordered(goal):
        return correlation_ratio(_ranks(target), _codes(cells))
    return cramer(_codes(cells), _codes(target))


def _is_ordered(column: Column) -> bool:
    return column.type in ("integer", "number", "datetime") and not column.levels


def _ranks(cells: pd.Series) -> NDArray[np.float64]:
    return np.asarray(cells.rank(), dtype=np.float64)


def _codes(cells: pd.Series) -> NDArray[np.int64]:
    codes, _ = pd.factorize(cells.astype(str))
    order = np.argsort(-np.bincount(codes), kind="stable")
    place = np.empty_like(order)
    place[order] = np.minimum(np.arange(len(order)), LEVELS)
    return np.asarray(place[codes])


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> Association:
    """Correlate ranks; the interval by Fisher's z with the variance of Bonett and Wright (2000)."""
    value = float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))
    if abs(value) > 1 - 1e-12 or len(x) < 5:
        return Association("Spearman", value, value, value)
    half = 1.959964 * np.sqrt((1 + value**2 / 2) / (len(x) - 3))
    low, high = np.tanh(np.arctanh(value) + np.array([-half, half]))
    return Association("Spearman", value, float(low), float(high))


def correlation_ratio(values: NDArray[np.float64], groups: NDArray[np.int64]) -> Association:
    """Compare groups: the root of epsilon squared (Kelley 1935).

    The interval comes from the noncentral F distribution (Steiger 2004).
    """
    n, k = len(values), int(groups.max()) + 1
    sizes = np.bincount(groups)
    means = np.bincount(groups, values) / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum())
    within = float(((values - values.mean()) ** 2).sum()) - between
    if n <= k:
        return Association("correlation ratio", 0.0, 0.0, 1.0)
    value = max(0.0, (between - (k - 1) * within / (n - k)) / (between + within)) ** 0.5
    if within <= 1e-3 * between:  # too near to 1 for the distribution to be computed
        return Association("correlation ratio", value, value, 1.0)
    f = (between / (k - 1)) / (within / (n - k))

    def share(probability: float) -> float:
        found = _noncentrality(lambda nc: stats.ncf.cdf(f, k - 1, n - k, nc), probability)
        return float(np.sqrt(found / (found + n)))

    return Association("correlation ratio", value, share(0.975), share(0.025))


def cramer(x: NDArray[np.int64], y: NDArray[np.int64]) -> Association:
    """Compare categories: Cramér's V, less its bias.

    The interval comes from the noncentral chi-squared distribution (Smithson 2003).
    """
    table = np.bincount(x * (y.max() + 1) + y, minlength=(x.max() + 1) * (y.max() + 1))
    table = table.reshape(x.max() + 1, y.max() + 1).astype(float)
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    chi2 = float(((table - expected) ** 2 / expected).sum())
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    largest = len(x) * (min(table.shape) - 1)

    def scaled(noncentrality: float) -> float:
        return float(np.sqrt(min(1.0, noncentrality / largest)))

    if chi2 >= largest * (1 - 1e-9):
        return Association("Cramér's V", 1.0, 1.0, 1.0)
    low, high = (
        scaled(_noncentrality(lambda nc: stats.ncx2.cdf(chi2, freedom, nc), p))
        for p in (0.975, 0.025)
    )
    return Association("Cramér's V", scaled(max(0.0, chi2 - freedom)), low, high)


def _noncentrality(cdf: Callable[[float], float], probability: float) -> float:
    """Return where a distribution function, falling in the noncentrality, is a probability."""

    def excess(noncentrality: float) -> float:
        found = cdf(noncentrality)
        return (0.0 if np.isnan(found) else found) - probability  # far out, scipy gives NaN for 0

    above = 1.0
    if excess(1e-9) <= 0:
        return 0.0
    while excess(above) > 0:
        above *= 4
    return float(brentq(excess, 1e-9, above, rtol=1e-6))


def strongest(X: pd.DataFrame, y: pd.Series, contract: Contract, count: int) -> list[str]:
    """Return the names of the features that go most with the target, at most so many.

    A text, whose association is not measured, may matter and is kept.
    """
    if X.shape[1] <= count:
        return list(X.columns)
    goal = contract.columns[contract.target]
    found = {name: associate(X[name], c, y, goal) for name, c in contract.features.items()}
    strength = {name: abs(one.value) if one else 1.0 for name, one in found.items()}
    return sorted(strength, key=lambda name: -strength[name])[:count]
