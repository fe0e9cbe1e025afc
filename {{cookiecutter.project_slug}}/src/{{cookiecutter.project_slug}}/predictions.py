"""What a model says of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arithmetic import product, product_row

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
    costs: Array | None = None
    """The cost of each decision (column) for each true class (row), shape (classes, classes); None
    when every mistake costs the same."""

    def __getitem__(self, rows: Any) -> "Predictions":
        return Predictions(self.values[rows], self.classes, self.costs)

    @property
    def decisions(self) -> Array:
        """The position among the classes of the one with the least expected cost, for each row."""
        if self.costs is None:
            return np.asarray(self.values.argmax(axis=1))
        return np.asarray(product(self.values, self.costs).argmin(axis=1))

    @property
    def labels(self) -> Array:
        """The class decided on for each row; for regression the values."""
        if self.classes is None:
            return self.values
        return np.array(self.classes)[self.decisions]

    def codes(self, y: Array) -> Array:
        """Return the position of each outcome among the classes."""
        assert self.classes is not None
        position = {label: code for code, label in enumerate(self.classes)}
        return np.array([position[label] for label in y.tolist()])


def decision(values: Sequence[float], costs: Array | None) -> int:
    """Return what `Predictions.decisions` does, for one row."""
    expected = [-value for value in values] if costs is None else product_row(values, costs)
    return expected.index(min(expected))


def apart(values: Array, others: Array) -> float:
    """Return how far two ways to score the same rows are apart at most.

    The difference of probabilities, and of numbers up to 1; of larger ones their relative
    difference. Infinite where one of the two is not a number.
    """
    if not values.size:
        return 0.0
    difference = np.abs(values - others) / np.maximum(np.abs(others), 1.0)
    return float(np.nan_to_num(difference, nan=np.inf).max())


def predict(pipeline: Any, X: Any, classes: Classes | None) -> Predictions:
    """Return what a fitted pipeline or estimator says of the rows of X.

    Args:
        pipeline: fitted.
        X: rows as the pipeline takes them.
        classes: the order of the probabilities' columns; one that did not occur in training gets
            probability 0. None for regression.
    """
    costs = getattr(pipeline, "costs_", None)
    if not len(X):
        return Predictions(np.zeros((0, len(classes)) if classes else 0), classes, costs)
    if classes is None:
        return Predictions(pipeline.predict(X))
    found = pipeline.predict_proba(X)
    values = np.zeros((len(found), len(classes)))
    values[:, [classes.index(label) for label in pipeline.classes_.tolist()]] = found
    return Predictions(values, classes, costs)
