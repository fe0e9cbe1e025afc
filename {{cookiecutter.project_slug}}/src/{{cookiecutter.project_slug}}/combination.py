"""How what several members say becomes one prediction, and how sure it is: plain numbers."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from .arithmetic import product, product_row, softmax, softmax_row
from .predictions import Array

TINY = 1e-6  # below which a probability counts as this much, before its logarithm is taken


@dataclass
class Combination:
    """How the members' predictions are combined."""

    weights: Array
    """Of the members, shape (members,); they add up to 1."""
    coefficients: Array | None = None
    """Of the logarithms of probabilities, shape (inputs, classes): of the weighted mean's for
    calibration, of all members' for stacking. None: the weighted mean as it is."""
    intercept: Array | None = None
    """Shape (classes,)."""

    def __call__(self, values: Sequence[Array]) -> Array:
        """Combine the members' predictions, each (n, classes) or (n,); returns that shape."""
        mean = reduce(np.add, (w * v for w, v in zip(self.weights, values, strict=True)))
        if self.coefficients is None or self.intercept is None:
            return mean
        inputs = logarithms([mean] if len(self.coefficients) == mean.shape[1] else values)
        return softmax(product(inputs, self.coefficients) + self.intercept)

    def row(self, values: Sequence[Sequence[float]]) -> list[float]:
        """Combine what the members say of one row; the same bits, in a fraction of the time."""
        first, *others = self._weights
        mean = [first * value for value in values[0]]
        for weight, said in zip(others, values[1:], strict=True):
            mean = [so_far + weight * value for so_far, value in zip(mean, said, strict=True)]
        if self.coefficients is None or self.intercept is None:
            return mean
        every = mean if len(self.coefficients) == len(mean) else chain.from_iterable(values)
        inputs = [float(np.log(min(max(value, TINY), 1.0))) for value in every]
        logits = product_row(inputs, self.coefficients)
        return softmax_row([a + b for a, b in zip(logits, self._intercept, strict=True)])

    @cached_property
    def _weights(self) -> list[float]:
        return [*self.weights.tolist()]

    @cached_property
    def _intercept(self) -> list[float]:
        return [] if self.intercept is None else [*self.intercept.tolist()]


def logarithms(values: Sequence[Array]) -> Array:
    """Return the logarithms of probabilities side by side, shape (n, len(values) * classes)."""
    inputs = np.concatenate(values, axis=1)
    return np.asarray(np.log(np.minimum(np.maximum(inputs, TINY), 1.0)))


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

    def interval_row(self, value: float) -> list[float]:
        """Return the two ends for one prediction."""
        margin = float(self.margins[bisect_right(self.edges, value)])
        return [value - margin, value + margin]

    def members(self, probabilities: Array) -> NDArray[np.bool_]:
        """Return which classes are in the set of each row; the most probable one always is."""
        inside = 1.0 - probabilities <= self.margins[0]
        inside[np.arange(len(inside)), probabilities.argmax(axis=1)] = True
        return inside

    def members_row(self, probabilities: Sequence[float]) -> list[bool]:
        """Return the same for one row."""
        margin, highest = float(self.margins[0]), probabilities.index(max(probabilities))
        return [1.0 - p <= margin or c == highest for c, p in enumerate(probabilities)]
