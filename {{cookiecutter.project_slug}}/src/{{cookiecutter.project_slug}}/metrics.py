"""Metrics by name, and how sure they are. To add one, write its function and its line."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal

import numpy as np
from scipy.stats import binomtest, rankdata

from .config import Task
from .errors import InputError
from .predictions import Array, Classes, Predictions


@dataclass(frozen=True)
class Metric:
    """A measure of predictions against outcomes."""

    function: Callable[[Array, Any], float]
    """Takes outcomes (n,) and what `of` names."""
    of: Literal["positive", "decisions", "probabilities", "labels", "values"]
    """The probability of the positive class (outcomes are booleans), whether it is decided on (so
    are these), probabilities of all (outcomes are codes), labels, or numbers."""
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
        if self.of == "decisions":
            return float(self.function(y == classes[-1], predictions.labels == classes[-1]))
        if self.of == "probabilities":
            return float(self.function(predictions.codes(y), predictions.values))
        return float(self.function(y, predictions.labels))

    def gain(self, y: Array, predictions: Predictions, other: Predictions) -> float:
        """Return by how much `predictions` is better than `other`; negative when it is worse."""
        difference = self(y, predictions) - self(y, other)
        return difference if self.greater_is_better else -difference


# Written out in numpy, and tested to equal scikit-learn's: its checks of every argument cost more
# than the sums do, and the bootstrap computes each metric a thousand times.


def _roc_auc(positive: Array, scores: Array) -> float:
    """Mann and Whitney's U, as a share of all pairs (Hanley and McNeil 1982)."""
    n = len(positive)
    events = positive.sum()
    if events in (0, n):
        return float("nan")
    above = rankdata(scores)[positive].sum() - events * (events + 1) / 2
    return float(above / (events * (n - events)))


def _average_precision(positive: Array, scores: Array) -> float:
    """Precision at each distinct score, weighted by the gain in recall."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(positive[order])
    if not hits[-1]:
        return float("nan")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    recall = np.append(0.0, hits[last] / hits[-1])
    return float((np.diff(recall) * hits[last] / (last + 1)).sum())


def _brier(positive: Array, scores: Array) -> float:
    return float(((scores - positive) ** 2).mean())


def _log_loss(codes: Array, probabilities: Array) -> float:
    chosen = probabilities[np.arange(len(codes)), codes]
    return float(-np.log(np.clip(chosen, 1e-15, 1.0)).mean())


def _accuracy(y: Array, labels: Array) -> float:
    return float((y == labels).mean())


def _f1_macro(y: Array, labels: Array) -> float:
    def f1(label: Any) -> float:
        truth, said = y == label, labels == label
        return float(2 * (truth & said).sum() / (truth.sum() + said.sum()))

    return float(np.mean([f1(label) for label in np.union1d(y, labels)]))


def _rmse(y: Array, values: Array) -> float:
    return float(np.sqrt(((y - values) ** 2).mean()))


def _mae(y: Array, values: Array) -> float:
    return float(np.abs(y - values).mean())


def _r2(y: Array, values: Array) -> float:
    spread = ((y - y.mean()) ** 2).sum()
    return float(1 - ((y - values) ** 2).sum() / spread) if spread else float("nan")


_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_BINARY: tuple[Task, ...] = ("binary",)
_NUMBER: tuple[Task, ...] = ("regression",)

METRICS: dict[str, Metric] = {
    "roc_auc": Metric(_roc_auc, "positive", _BINARY, True, "ROC AUC"),
    "average_precision": Metric(_average_precision, "positive", _BINARY, True, "average precision"),
    "brier": Metric(_brier, "positive", _BINARY, False, "Brier score"),
    "log_loss": Metric(_log_loss, "probabilities", _CLASSES, False, "log loss"),
    "accuracy": Metric(_accuracy, "labels", _CLASSES, True, "accuracy"),
    "f1_macro": Metric(_f1_macro, "labels", _CLASSES, True, "macro F1"),
    "rmse": Metric(_rmse, "values", _NUMBER, False, "root mean squared error"),
    "mae": Metric(_mae, "values", _NUMBER, False, "mean absolute error"),
    "r2": Metric(_r2, "values", _NUMBER, True, "R²"),
}


def for_task(task: Task) -> dict[str, Metric]:
    """Return our metrics that make sense for a task, by name."""
    return {name: metric for name, metric in METRICS.items() if task in metric.tasks}


def reported(chosen: str, task: Task) -> dict[str, Metric]:
    """Return the metrics that are measured on test rows, the chosen one first."""
    return {chosen: find(chosen, task)} | for_task(task)


def defined(chosen: str, task: Task, y: Array, predictions: Predictions) -> dict[str, Metric]:
    """Return of the reported metrics those that rows have: R² is none where all outcomes are alike.

    Raises:
        InputError: the chosen one is not among them.
    """
    found = {
        name: metric
        for name, metric in reported(chosen, task).items()
        if np.isfinite(metric(y, predictions))
    }
    if chosen not in found:
        raise InputError(
            f"params.yaml: metric: {chosen} is not defined on the {len(y):,} test rows, "
            f"{len(np.unique(y)):,} of whose outcomes differ; choose another metric, or raise "
            "preprocess.test_size"
        )
    return found


def find(name: str, task: Task) -> Metric:
    """Return a metric: one of ours, or a scorer of scikit-learn by its name there.

    Raises:
        InputError: there is no such metric for the task.
    """
    known = for_task(task)
    found = known.get(name) or _scorer(name, task)
    if found is None:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise InputError(
            f"params.yaml: metric: {name!r} is not a metric for task {task}; "
            f"{hint}Known: {', '.join(known)}, and the scorers of scikit-learn for such a task"
        )
    return found


def _scorer(name: str, task: Task) -> Metric | None:
    """Return a scorer of scikit-learn as a metric, or None if it cannot score the task."""
    from sklearn.metrics import get_scorer, get_scorer_names

    if name not in get_scorer_names():
        return None
    scorer = get_scorer(name)
    function, sign, options = scorer._score_func, scorer._sign, dict(scorer._kwargs)
    responses = scorer._response_method
    labels = "predict" in ([responses] if isinstance(responses, str) else responses)
    of: Literal["positive", "decisions", "probabilities", "labels", "values"]
    classes: Classes | None
    if task == "regression":
        of, classes = "values", None
    elif task == "binary":
        of, classes = "decisions" if labels else "positive", (False, True)
    else:
        of, classes = "labels" if labels else "probabilities", ("a", "b", "c")

    def score(y: Array, said: Array) -> float:
        named = of == "probabilities" and "labels" in signature(function).parameters
        every = {"labels": range(said.shape[1])} if named else {}
        return float(sign * function(y, said, **options, **every))

    metric = Metric(score, of, (task,), True, name)
    try:  # on a small example, to know whether it is for such a task
        if classes is None:
            metric(np.array([1.5, 2.0, 4.0]), Predictions(np.array([1.2, 2.5, 3.0])))
        else:
            y = np.array([*classes, *classes])
            metric(y, Predictions(np.eye(len(classes))[[*range(len(classes))] * 2], classes))
    except (ValueError, TypeError):
        return None
    return metric


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
    # Some may not be defined, such as R² of a draw of rows that are all alike.
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return Interval(statistic(np.arange(size)), float(low), float(high))


def share(hits: Array, confidence: float) -> Interval:
    """Return the share of true values of shape (n,), with its exact interval.

    Clopper and Pearson 1934.
    """
    found = binomtest(int(hits.sum()), len(hits)).proportion_ci(confidence, method="exact")
    return Interval(float(hits.mean()), float(found.low), float(found.high))
