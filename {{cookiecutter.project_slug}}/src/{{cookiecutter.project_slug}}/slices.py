"""Slices of the test rows, and how much worse a model is in each."""

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import association
from .comparison import Estimate, estimate
from .config import Params
from .contract import Column, Contract
from .metrics import Metric
from .predictions import Array, Predictions

LEAST = 20  # rows of a slice
FEWEST = 20  # rows of each class, where a curve is measured: intervals of fewer are too narrow
BINS = 4
VALUES = 5  # a number with no more of them is sliced like a category
COLUMNS = 60
RESAMPLES = 200
DRAWS = 10  # of outcomes from the predicted probabilities
BINNED = ("integer", "number", "datetime")

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """A part of the rows: the metric there with its interval."""

    column: str
    slice: str
    rows: int
    value: float
    low: float
    high: float
    gap: float
    """By how much the metric is worse than on the other rows; negative when it is better."""
    kept: float
    """How much of the expected skill is left here, at the favourable end of the interval.

    Skill is the share of a constant prediction's shortcoming on the same rows that the model makes
    good (Murphy 1988). Unlike the metric it can be compared between slices with rarer positives or
    larger numbers. Expected is that on all rows, or what the probabilities themselves promise if
    it is less: in the bins of a number, since a column that tells most tells little within a bin,
    and wherever the model is surely of some use, since some levels are hard to tell apart.
    """


@dataclass(frozen=True)
class Sliced:
    """Slices, the worst first, and how many were left out for which reason."""

    slices: list[Slice]
    left_out: dict[str, int]


def measure(
    frame: pd.DataFrame,
    y: Array,
    predictions: Predictions,
    constant: Predictions,
    contract: Contract,
    metric: Metric,
    params: Params,
) -> Sliced:
    """Measure every slice that has enough rows.

    The order holds up when many are looked at: by the gap at the favourable end of the slice's
    interval, so that a small slice which is bad by chance does not come first.

    Args:
        frame: typed test rows, shape (n, columns).
        y: outcomes, shape (n,).
        predictions: of the same rows.
        constant: the baseline's, of the same rows.
        contract: of the columns.
        metric: what is measured.
        params: confidence and seed of the intervals.
    """
    whole = _skill(metric(y, predictions), y, constant, metric)
    sign = 1 if metric.greater_is_better else -1
    found, left_out = [], Counter[str]()
    beyond = len({*contract.features} - {*_columns(frame, contract)})
    if beyond:
        left_out[f"columns beyond the {COLUMNS} that go most with the target"] = beyond
    for column, label, rows in parts(frame, contract):
        one = _measure(y, predictions, rows, metric, params)
        if isinstance(one, str):
            left_out[one] += 1
            continue
        gap = sign * (metric(y[~rows], predictions[~rows]) - one.value)
        if np.isfinite(gap):
            best = _skill(one.high if sign > 0 else one.low, y[rows], constant[rows], metric)
            ends = (one.value, one.low, one.high)
            worst = _skill(one.low if sign > 0 else one.high, y[rows], constant[rows], metric)
            expected = whole
            if predictions.classes and (worst > 0 or contract.columns[column].type in BINNED):
                promised = _promised(predictions[rows], constant[rows], metric, params.seed)
                expected = float(np.fmin(whole, promised))
            kept = best / expected if expected > 0 and np.isfinite(best) else 1.0
            found.append(Slice(column, label, int(rows.sum()), *ends, float(gap), float(kept)))

    def surely_worse(one: Slice) -> float:
        return one.gap - abs((one.high if sign > 0 else one.low) - one.value)

    return Sliced(sorted(found, key=surely_worse, reverse=True), dict(left_out))


def _skill(value: float, y: Array, constant: Predictions, metric: Metric) -> float:
    """Return how far a value is from the constant prediction's (0) to a perfect one's (1)."""
    if constant.classes is None:
        perfect = metric(y, Predictions(y))
    else:
        certain = np.eye(len(constant.classes))[constant.codes(y)]
        perfect = metric(y, Predictions(certain, constant.classes))
    base = metric(y, constant)
    return (value - base) / (perfect - base) if perfect != base else np.nan


def _promised(predictions: Predictions, constant: Predictions, metric: Metric, seed: int) -> float:
    """Return the mean skill if outcomes were as probable as predicted; NaN if it is not defined."""
    rng, skills = np.random.default_rng(seed), []
    limits = predictions.values.cumsum(axis=1)
    for _ in range(DRAWS):
        codes = (rng.random((len(limits), 1)) > limits[:, :-1]).sum(axis=1)
        y = np.array(predictions.classes)[codes]
        if len(np.unique(codes)) > 1:
            skills.append(_skill(metric(y, predictions), y, constant, metric))
    return float(np.mean(skills)) if skills else np.nan


def _measure(
    y: Array, predictions: Predictions, rows: Mask, metric: Metric, params: Params
) -> Estimate | str:
    """Return the metric on some rows, or why there is none."""
    if rows.sum() < LEAST:
        return f"fewer than {LEAST} rows"
    if rows.all():
        return "all rows"
    if metric.of == "positive":
        _, sizes = np.unique(y[rows], return_counts=True)
        if len(sizes) < 2:
            return "one class only"
        if sizes.min() < FEWEST:
            return f"fewer than {FEWEST} rows of a class"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = estimate(
                metric,
                y[rows],
                predictions[rows],
                params,
                min(RESAMPLES, params.evaluate.resamples),
            )
    except ValueError:  # a scorer of scikit-learn that wants every class
        return "the metric is not defined"
    return found if np.isfinite([found.low, found.high]).all() else "the metric is not defined"


def parts(frame: pd.DataFrame, contract: Contract) -> Iterator[tuple[str, str, Mask]]:
    """Yield column, label and rows of each slice: of the features and the sensitive columns."""
    for name in _columns(frame, contract):
        for label, rows in groups(frame[name], contract.columns[name]).items():
            yield name, label, rows


def _columns(frame: pd.DataFrame, contract: Contract) -> list[str]:
    """Return the columns to slice by: the sensitive ones, and the features that tell most."""
    sensitive = [name for name, column in contract.kept.items() if column.sensitive]
    names = association.strongest(
        frame[list(contract.features)], frame[contract.target], contract, COLUMNS
    )
    return [name for name in dict.fromkeys([*sensitive, *names]) if name != contract.target]


def groups(cells: pd.Series, column: Column) -> dict[str, Mask]:
    """Return the rows of each level, value or quantile bin of a typed column; none for a text."""
    if column.type == "text":
        return {}
    known = cells.notna().to_numpy(dtype=bool)
    if column.type in BINNED and cells.nunique() > VALUES:
        codes, labels = _bins(cells[known])
    else:
        codes, levels = pd.factorize(cells[known], sort=True)
        labels = [_text(level) for level in levels]
    place = np.full(len(cells), len(labels))
    place[known] = codes
    found = {label: place == code for code, label in enumerate(labels)}
    return found if known.all() else {**found, "(missing)": ~known}


def _bins(cells: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    """Return the quantile bin of each known number or moment, and what the bins are called."""
    values = cells if cells.dtype.kind == "M" else cells.astype("float64")
    codes = pd.qcut(values, BINS, labels=False, duplicates="drop").to_numpy()
    spans = values.groupby(codes).agg(["min", "max"])
    used, codes = np.unique(codes, return_inverse=True)
    ends = [(_text(spans.loc[code, "min"]), _text(spans.loc[code, "max"])) for code in used]
    return codes, [low if low == high else f"{low} to {high}" for low, high in ends]


def _text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    return f"{value:,.6g}" if isinstance(value, (int, float, np.number)) else str(value)
