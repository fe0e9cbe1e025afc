"""Metrics by name, and how sure they are. To add one, write its line; nothing else changes."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from .config import Task
from .errors import InputError

Array = NDArray[Any]
Classes = tuple[str, ...] | tuple[bool, ...]


@dataclass(frozen=True)
class Predictions:
    """What a model says of n rows."""

    values: Array
    """Probabilities of shape (n, classes), or numbers of shape (n,) for regression."""
    classes: Classes | None = None
    """The classes in the order of the columns of `values`, the positive one last; None for
    regression."""

    def __getitem__(self, rows: Any) -> "Predictions":
        return Predictions(self.values[rows], self.classes)

    @property
    def labels(self) -> Array:
        """The most probable class of each row; for regression the values themselves."""
        if self.classes is None:
            return self.values
        return np.array(self.classes)[self.values.argmax(axis=1)]

    def codes(self, y: Array) -> Array:
        """Return the position of each outcome among the classes."""
        assert self.classes is not None
        position = {label: code for code, label in enumerate(self.classes)}
        return np.array([position[label] for label in y.tolist()])


def predict(pipeline: Any, X: Any, classes: Classes | None) -> Predictions:
    """Return what a fitted pipeline or estimator says of the rows of X.

    Args:
        pipeline: fitted.
        X: rows as the pipeline takes them.
        classes: the order of the probabilities' columns; one that did not occur in training gets
            probability 0. None for regression.
    """
    if classes is None:
        return Predictions(pipeline.predict(X))
    found = pipeline.predict_proba(X)
    values = np.zeros((len(found), len(classes)))
    values[:, [classes.index(label) for label in pipeline.classes_.tolist()]] = found
    return Predictions(values, classes)


@dataclass(frozen=True)
class Metric:
    """A measure of predictions against outcomes."""

    function: Callable[[Array, Any], float]
    """Takes outcomes (n,) and what `of` names: probabilities, labels or values."""
    of: Literal["positive", "probabilities", "labels", "values"]
    tasks: tuple[Task, ...]
    greater_is_better: bool
    title: str

    def __call__(self, y: Array, predictions: Predictions) -> float:
        """Return the metric for outcomes of shape (n,)."""
        classes = predictions.classes
        if classes is None:
            return float(self.function(y, predictions.values))
        if self.of == "positive":
            return float(self.function(y == classes[-1], predictions.values[:, -1]))
        if self.of == "probabilities":
            return float(self.function(predictions.codes(y), predictions.values))
        return float(self.function(y, predictions.labels))

    def gain(self, y: Array, predictions: Predictions, other: Predictions) -> float:
        """Return by how much `predictions` is better than `other`; negative when it is worse."""
        difference = self(y, predictions) - self(y, other)
        return difference if self.greater_is_better else -difference


def _log_loss(codes: Array, probabilities: Array) -> float:
    # Written out, since sklearn's refuses resamples in which a class does not occur.
    chosen = probabilities[np.arange(len(codes)), codes]
    return float(-np.log(np.clip(chosen, 1e-15, 1.0)).mean())


def _f1_macro(y: Array, labels: Array) -> float:
    return float(sk.f1_score(y, labels, average="macro", zero_division=0.0))


_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_BINARY: tuple[Task, ...] = ("binary",)
_NUMBER: tuple[Task, ...] = ("regression",)

METRICS: dict[str, Metric] = {
    "roc_auc": Metric(sk.roc_auc_score, "positive", _BINARY, True, "ROC AUC"),
    "average_precision": Metric(
        sk.average_precision_score, "positive", _BINARY, True, "average precision"
    ),
    "brier": Metric(sk.brier_score_loss, "positive", _BINARY, False, "Brier score"),
    "log_loss": Metric(_log_loss, "probabilities", _CLASSES, False, "log loss"),
    "accuracy": Metric(sk.accuracy_score, "labels", _CLASSES, True, "accuracy"),
    "f1_macro": Metric(_f1_macro, "labels", _CLASSES, True, "macro F1"),
    "rmse": Metric(sk.root_mean_squared_error, "values", _NUMBER, False, "root mean squared error"),
    "mae": Metric(sk.mean_absolute_error, "values", _NUMBER, False, "mean absolute error"),
    "r2": Metric(sk.r2_score, "values", _NUMBER, True, "R²"),
}


def for_task(task: Task) -> dict[str, Metric]:
    """Return the metrics that make sense for a task, by name."""
    return {name: metric for name, metric in METRICS.items() if task in metric.tasks}


def find(name: str, task: Task) -> Metric:
    """Return a metric.

    Raises:
        InputError: there is no such metric for the task.
    """
    known = for_task(task)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise InputError(
            f"params.yaml: metric: {name!r} is not a metric for task {task}; "
            f"{hint}Known: {', '.join(known)}"
        )
    return known[name]


@dataclass(frozen=True)
class Interval:
    """A value and the confidence interval around it."""

    value: float
    low: float
    high: float


def interval(
    statistic: Callable[[Array], float],
    size: int,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    strata: Array | None = None,
) -> Interval:
    """Return a statistic of rows with its percentile bootstrap interval (Efron 1979).

    Args:
        statistic: takes positions of rows, of shape (size,), with repetition.
        size: the number of rows.
        resamples: how many times rows are drawn.
        confidence: the share of resamples inside the interval.
        seed: seeds the draws; the same seed pairs the draws of two calls.
        strata: a class for each row; draws keep the number of rows of each, so that none vanishes.
    """
    rng = np.random.default_rng(seed)
    groups = [np.arange(size)]
    if strata is not None:
        groups = [np.flatnonzero(strata == level) for level in np.unique(strata)]
    draws = [
        statistic(np.concatenate([rng.choice(group, len(group)) for group in groups]))
        for _ in range(resamples)
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(statistic(np.arange(size)), float(low), float(high))
