"""The deployable model: fitted pipelines, and how what they say becomes a prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from .contract.cells import Cells
from .metrics import Array, Classes, predict

if TYPE_CHECKING:  # the server has no pandas
    import pandas as pd

TINY = 1e-6  # below which a probability counts as this much, before its logarithm is taken


@dataclass
class Combination:
    """How the members' predictions are combined, as plain numbers."""

    weights: Array
    """Of the members, shape (members,); they add up to 1."""
    coefficients: Array | None = None
    """Of the logarithms of probabilities, shape (inputs, classes): of the weighted mean's for
    calibration, of all members' for stacking. None: the weighted mean as it is."""
    intercept: Array | None = None
    """Shape (classes,)."""

    def __call__(self, values: Sequence[Array]) -> Array:
        """Combine the members' predictions, each (n, classes) or (n,); returns that shape."""
        mean = np.asarray(sum(w * v for w, v in zip(self.weights, values, strict=True)))
        if self.coefficients is None or self.intercept is None:
            return mean
        inputs = logarithms([mean] if len(self.coefficients) == mean.shape[1] else values)
        return np.asarray(softmax(inputs @ self.coefficients + self.intercept, axis=1))


def logarithms(values: Sequence[Array]) -> Array:
    """Return the logarithms of probabilities side by side, shape (n, len(values) * classes)."""
    return np.log(np.clip(np.hstack(values), TINY, 1.0))


@dataclass
class Region:
    """Where an outcome lies with a given probability: conformal sets and intervals."""

    coverage: float
    """The share of outcomes inside."""
    edges: Array
    """The predictions at which one bin ends and the next begins, shape (bins - 1,)."""
    margins: Array
    """For each bin the half width of the interval; for classes (one bin) how improbable a class of
    the set may be."""

    def interval(self, values: Array) -> Array:
        """Return the lower and upper ends for predictions of shape (n,); shape (n, 2)."""
        margin = self.margins[np.searchsorted(self.edges, values, side="right")]
        return np.column_stack([values - margin, values + margin])

    def members(self, probabilities: Array) -> NDArray[np.bool_]:
        """Return which classes are in the set of each row; the most probable one always is."""
        inside = 1.0 - probabilities <= self.margins[0]
        inside[np.arange(len(inside)), probabilities.argmax(axis=1)] = True
        return inside


class Ensemble(BaseEstimator):
    """One or several fitted pipelines as one model.

    Args:
        members: fitted pipelines; the first step of each is an `Encoder`.
        combination: of what they say.
        region: the conformal sets or intervals of the predictions.
        classes: in the order of the probabilities; None for regression.
        costs: of each decision for each true class, shape (classes, classes), or None.
    """

    def __init__(
        self,
        members: Sequence[Pipeline],
        combination: Combination,
        region: Region,
        classes: Classes | None,
        costs: Array | None = None,
    ) -> None:
        self.members = members
        self.combination = combination
        self.region = region
        self.classes = classes
        self.costs = costs

    @property
    def costs_(self) -> Array | None:
        """What `metrics.predict` decides by."""
        return self.costs

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes in the order of the probabilities."""
        return np.array(self.classes)

    def predict_proba(self, X: "pd.DataFrame") -> Array:
        """Return the probabilities of the classes, shape (n, classes)."""
        return self.score_cells(self.cells(X))

    def predict(self, X: "pd.DataFrame") -> Array:
        """Return a number, or the class with the least expected cost, for each row."""
        if self.classes is None:
            return self.score_cells(self.cells(X))
        return predict(self, X, self.classes).labels

    def cells(self, X: "pd.DataFrame") -> dict[str, Cells]:
        """Return the columns of a typed table as cells, engineered features included."""
        return self.members[0][0].cells(X)

    def score_cells(self, columns: Mapping[str, Cells]) -> Array:
        """Return what `predict_proba`, or `predict` for numbers, gives; without pandas.

        Args:
            columns: cells of each feature, engineered ones included.
        """
        values = []
        for member in self.members:
            encode, *others = [step for _, step in member.steps]
            rest = Pipeline([(str(position), step) for position, step in enumerate(others)])
            values.append(predict(rest, encode.encode(columns), self.classes).values)
        return self.combination(values)
