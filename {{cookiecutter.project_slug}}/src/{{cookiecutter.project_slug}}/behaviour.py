"""Behavioural tests (Ribeiro et al. 2020): what a prediction must not depend on, and where to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from .contract import Contract
from .ensemble import Ensemble
from .errors import InputError
from .folds import Rows
from .predictions import Array, Predictions, predict

Direction = Literal["up", "down"]

ROWS = 500
SINGLE = 20  # rows that are scored one by one
EXACT = 1e-9  # the largest difference of the same prediction
WRONG_WAY = 0.05  # share of rows that may move against the direction


@dataclass(frozen=True)
class Check:
    """A behavioural test: passed when the value is at most the limit."""

    test: str
    column: str | None
    passed: bool
    value: float
    limit: float
    change: float
    """The mean absolute change of a probability, or of the predicted number."""


def check(
    model: Ensemble,
    rows: Rows,
    contract: Contract,
    directions: Mapping[str, Direction],
    max_flips: float,
    seed: int,
) -> list[Check]:
    """Return every test, on a sample of the rows.

    Args:
        model: fitted.
        rows: typed test rows.
        contract: names the sensitive columns.
        directions: of numbers, whether raising them raises the prediction or lowers it.
        max_flips: the share of decisions that may change with a sensitive column alone.
        seed: seeds the sample and what is put in place of a sensitive value.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(rows.y))[:ROWS]
    X = rows.X.iloc[chosen].reset_index(drop=True)

    def score(table: pd.DataFrame) -> Predictions:
        return predict(model, table, rows.classes)

    before = score(X)
    found = [
        _same("row order", before, _shuffled(score, X, rng)),
        _same("batch size", before[: SINGLE * 2], _in_batches(score, X.head(SINGLE * 2))),
        _same("extra columns", before, score(X.assign(**{_unused(X): 1.0}))),
    ]
    for name, column in contract.features.items():
        if column.sensitive and column.type != "text" and X[name].nunique() > 1:
            after = score(X.assign(**{name: _others(X[name], rng)}))
            share = flips(model, before, after)
            passed = share <= max_flips
            found.append(Check("sensitive", name, passed, share, max_flips, _change(before, after)))
    for name, direction in directions.items():
        found.append(_direction(name, direction, X, score, before))
    return found


def require(directions: Mapping[str, Direction], contract: Contract, task: str) -> None:
    """Check that directions name numbers that the model sees.

    Raises:
        InputError: one does not, or predictions of the task have no direction.
    """
    if directions and task == "multiclass":
        raise InputError(
            "params.yaml: evaluate.directions: several classes have no up and down; remove it"
        )
    numbers = [n for n, c in contract.features.items() if c.type in ("integer", "number")]
    for name in directions:
        if name not in numbers:
            raise InputError(
                f"params.yaml: evaluate.directions: {name!r} is not a feature that is a number; "
                f"known: {', '.join(numbers)}"
            )


def flips(model: Ensemble, before: Predictions, after: Predictions) -> float:
    """Return the share of decisions that differ; of numbers, outside the interval before."""
    if before.classes is not None:
        return float((before.labels != after.labels).mean())
    ends = model.region.interval(before.values)
    return float(((after.values < ends[:, 0]) | (after.values > ends[:, 1])).mean())


def _shuffled(
    score: Callable[[pd.DataFrame], Predictions], X: pd.DataFrame, rng: np.random.Generator
) -> Predictions:
    order = rng.permutation(len(X))
    return score(X.iloc[order])[np.argsort(order)]


def _in_batches(score: Callable[[pd.DataFrame], Predictions], X: pd.DataFrame) -> Predictions:
    """Score some rows one by one and the others at once."""
    cuts = [*range(min(SINGLE, len(X))), min(SINGLE, len(X)), len(X)]
    said = [score(X.iloc[a:b]) for a, b in pairwise(cuts) if a < b]
    return Predictions(np.concatenate([one.values for one in said]), said[0].classes)


def _unused(X: pd.DataFrame) -> str:
    name = "unused"
    while name in X:
        name += "_"
    return name


def _same(test: str, before: Predictions, after: Predictions) -> Check:
    difference = np.abs(before.values - after.values)
    scale = max(1.0, float(np.abs(before.values).max()))
    value = float(difference.max()) / scale
    return Check(test, None, value <= EXACT, value, EXACT, float(difference.mean()))


def _change(before: Predictions, after: Predictions) -> float:
    if before.classes is None:
        return float(np.abs(after.values - before.values).mean())
    return float(np.abs(after.values - before.values).max(axis=1).mean())


def _others(cells: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Return for each cell one of the other values that occur, in proportion to how often."""
    known, values = cells.dropna(), cells.copy()
    wrong = pd.Series(True, index=cells.index)
    for _ in range(100):
        drawn = known.iloc[rng.integers(0, len(known), int(wrong.sum()))]
        values[wrong] = drawn.to_numpy()
        wrong = (values == cells).fillna(False).astype(bool)
        if not wrong.any():
            break
    return values


def _direction(
    name: str,
    direction: Direction,
    X: pd.DataFrame,
    score: Callable[[pd.DataFrame], Predictions],
    before: Predictions,
) -> Check:
    after = score(X.assign(**{name: raised(X[name])}))
    moved = _single(after) - _single(before)
    scale = max(1.0, float(np.abs(_single(before)).max()))
    against = moved < -EXACT * scale if direction == "up" else moved > EXACT * scale
    value = float(against.mean())
    change = float(np.abs(moved).mean())
    return Check(f"direction {direction}", name, value <= WRONG_WAY, value, WRONG_WAY, change)


def raised(cells: pd.Series) -> pd.Series:
    """Return numbers a quarter of the rows higher, or at the next value where many are the same.

    The highest stay; a missing one is missing.
    """
    known, values = cells.dropna(), cells.copy()
    last, ordered = len(known), known.sort_values().array
    quarter = np.minimum(known.rank() + last / 4, last).to_numpy(dtype=int) - 1
    beyond = np.minimum(known.rank(method="max") + 1, last).to_numpy(dtype=int) - 1
    values[known.index] = ordered[np.maximum(quarter, beyond)]
    return values


def _single(predictions: Predictions) -> Array:
    return predictions.values if predictions.classes is None else predictions.values[:, -1]
