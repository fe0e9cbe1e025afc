"""The learning curve: how good the chosen families are with fewer rows, and with more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from . import models
from .config import Params
from .contract import Contract
from .folds import Job, Rows, Unfit, make_folds, score_fold
from .metrics import Metric
from .predictions import Array, Predictions

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
CELLS = 60_000  # to learn from: rows times columns, at most
EXPONENTS = np.linspace(0.1, 2.0, 39)
FITS = 0.9  # the share of the curve's spread that the law must explain to be believed


@dataclass(frozen=True)
class Point:
    """The metric on held-out training rows after learning from so many others."""

    rows: int
    value: float


@dataclass(frozen=True)
class Curve:
    """Points, and the inverse power law a + b n^(-c) through them."""

    points: list[Point]
    a: float
    b: float
    c: float
    explained: float
    """The share of the points' spread that the law explains (R²)."""
    rows: int
    """All training rows."""
    doubling: float | None
    """By how much the metric gets better with twice the rows, by the law; None if it is not to be
    believed."""
    why: str
    """What to think of it."""

    def __call__(self, rows: Array) -> Array:
        """Return the metric that the law expects after learning from so many rows."""
        return np.asarray(self.a + self.b * np.asarray(rows, dtype=float) ** -self.c)


def measure(
    members: Sequence[Mapping[str, Any]],
    train: pd.DataFrame,
    contract: Contract,
    params: Params,
    metric: Metric,
) -> Curve:
    """Fit the chosen families on growing shares of the training rows of one fold.

    Args:
        members: of the model: family, weight and parameters, as the manifest lists them.
        train: the training rows; one fold of them is held out to be scored.
        contract: of the columns.
        params: folds, task and seed.
        metric: what is measured.
    """
    rows = Rows.of(train, contract)
    learned, held_out = make_folds(train, contract, params.train.folds, params.seed)[-1]
    rng = np.random.default_rng(params.seed)
    held_out = rng.permutation(held_out)[: CELLS // rows.X.shape[1]]
    order = _spread(learned, rows, rng)[: CELLS // rows.X.shape[1]]
    points, skipped = [], []
    for share in SHARES:
        some = np.sort(order[: max(int(share * len(order)), 1)])
        if rows.classes and len(np.unique(rows.y[some])) < len(np.unique(rows.y[learned])):
            skipped.append(f" No point at {len(some):,} rows: a class has none among them.")
            continue
        try:
            said = _blend(members, rows, (some, held_out), contract, params, metric)
        except Unfit as error:
            skipped.append(f" No point at {len(some):,} rows: {': '.join(error.args)}")
            continue
        value = metric(rows.y[held_out], said)
        if np.isfinite(value):
            points.append(Point(len(some), value))
    curve = extrapolate(points, len(train), metric)
    return replace(curve, why="".join([curve.why, *skipped]))


def _spread(learned: Array, rows: Rows, rng: np.random.Generator) -> Array:
    """Shuffle rows so that every beginning of them has its share of each class."""
    learned = rng.permutation(learned)
    if not rows.classes:
        return learned
    y = pd.Series(rows.y[learned])
    place = (y.groupby(y).cumcount() + 0.5) / y.groupby(y).transform("size")
    return learned[np.argsort(place.to_numpy(), kind="stable")]


def _blend(
    members: Sequence[Mapping[str, Any]],
    rows: Rows,
    fold: tuple[Array, Array],
    contract: Contract,
    params: Params,
    metric: Metric,
) -> Predictions:
    """Return the weighted mean of what the members say of held-out rows."""
    total: Any = 0.0
    for member in members:
        family = models.MODELS[member["model"]]
        pipeline = models.build(family, contract, params.task, params.seed, member["parameters"])
        job = Job(member["model"], pipeline, 0, family.rounds is not None)
        score = score_fold(job, rows, fold, metric)
        assert score is not None  # there is no deadline
        total = total + member["weight"] * score.values
    return Predictions(total, rows.classes)


def extrapolate(points: list[Point], rows: int, metric: Metric) -> Curve:
    """Fit the inverse power law (Cortes et al. 1993) and say what it is worth."""
    if len(points) < 4:
        return Curve(points, 0, 0, 0, 0, rows, None, "Too few rows for a curve.")
    x, y = np.array([p.rows for p in points], float), np.array([p.value for p in points])
    fits = []
    for c in EXPONENTS:
        matrix = np.column_stack([np.ones_like(x), x**-c])
        (a, b), *_ = np.linalg.lstsq(matrix, y)
        fits.append((float(((y - matrix @ [a, b]) ** 2).sum()), float(a), float(b), float(c)))
    error, a, b, c = min(fits)
    spread = float(((y - y.mean()) ** 2).sum())
    explained = 1 - error / spread if spread else 0.0
    gain = b * ((2.0 * rows) ** -c - float(rows) ** -c) * (1 if metric.greater_is_better else -1)
    risen = (y[-1] - y[0]) * (1 if metric.greater_is_better else -1)
    law = (points, a, b, c, explained, rows)
    if risen <= 0 or gain <= 0:
        why = "More of these rows did not help: the curve is flat or falls, within its noise."
        return Curve(*law, None, why)
    if explained < FITS:
        why = f"The points scatter too much to look ahead (R² of the fit {explained:.2f})."
        return Curve(*law, None, why)
    scatter = (error / (len(points) - 3)) ** 0.5
    if gain <= 2 * scatter:
        why = f"What the law promises, {gain:.2g}, is within the scatter of the points around it."
        return Curve(*law, None, why)
    why = f"The law explains {explained:.0%} of the points' spread; one fold, so take it roughly."
    return Curve(*law, gain, why)
