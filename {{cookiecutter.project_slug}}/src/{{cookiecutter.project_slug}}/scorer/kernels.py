"""What estimators compute, as plain numbers: matrices in, matrices out.

Each gives a row the same bits whether it comes alone or with others; so there is no BLAS here. A
kernel with a method `row` does the same for the values of one row, where arrays would take longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np

from ..arithmetic import product, softmax, softmax_row
from ..predictions import Array
from .answers import MANY, Answers
from .masks import Masks, mask

LOOKED_UP = 4_000_000  # numbers of leaves at once
LARGEST_POWER = 709.0  # of e that is not infinite


@dataclass
class Constant:
    """The same values for every row."""

    values: Array
    """Shape (outputs,)."""

    def __call__(self, X: Array) -> Array:
        """Return shape (n, outputs)."""
        return np.tile(self.values, (len(X), 1))


@dataclass
class Columns:
    """Some columns of the matrix."""

    kept: Array
    """Their positions."""

    def __call__(self, X: Array) -> Array:
        """Return shape (n, len(kept))."""
        return X.take(self.kept, axis=1)  # row by row in memory: sums of rows depend on it


@dataclass
class Hinges:
    """The columns, and what each has above its knots; see `Splines`."""

    columns: Array
    knots: Array

    def __call__(self, X: Array) -> Array:
        """Return shape (n, columns + knots)."""
        return np.hstack([X, np.maximum(X[:, self.columns] - self.knots, 0.0)])


@dataclass
class Linear:
    """A linear map."""

    coefficients: Array
    """Shape (columns, outputs)."""
    intercept: Array
    """Shape (outputs,)."""

    def __call__(self, X: Array) -> Array:
        """Return shape (n, outputs)."""
        return product(X, self.coefficients) + self.intercept


@dataclass
class Rectified:
    """Zero in place of what is below zero, between the layers of a network."""

    def __call__(self, X: Array) -> Array:
        """Return the same shape."""
        return np.maximum(X, 0.0)


@dataclass
class Gaussians:
    """The logarithms of the joint density of naive Bayes, one normal for each column and class."""

    means: Array
    """Shape (classes, columns)."""
    variances: Array
    priors: Array
    """The logarithm of each class's share, with the constants of its densities."""

    def __call__(self, X: Array) -> Array:
        """Return shape (n, classes)."""
        distances = [
            ((X - mean) ** 2 / variance).sum(axis=1)
            for mean, variance in zip(self.means, self.variances, strict=True)
        ]
        return np.asarray(self.priors - 0.5 * np.column_stack(distances))


@dataclass
class Trees:
    """Decision trees in the format of ONNX (TreeEnsemble of ai.onnx.ml 5), in double precision."""

    graph: Array
    """Its bytes. Takes `X`; gives the sum of the trees, or with `leaves` the leaf of each tree."""
    start: Array
    """What is added to the sum, shape (outputs,)."""
    single: bool
    """Whether cells are compared in single precision, as scikit-learn's forests do."""
    count: int = 1
    """What the sum is divided by."""
    leaves: Array | None = None
    """What each leaf says, shape (leaves, outputs)."""
    answers: Answers | None = None
    """The same trees without the graph, if they are small."""
    _run: Any = field(default=None, init=False, repr=False, compare=False)

    @cached_property
    def masks(self) -> Masks | None:
        """The same trees for few rows, if they are small."""
        return mask(self.answers) if self.answers else None

    def row(self, values: Sequence[float]) -> list[float]:
        """Return what the trees say of one row."""
        if self.masks is None:
            said: list[float] = self(np.array([values], dtype=np.float64)).tolist()[0]
            return said
        sums, start = self.masks.row(values), self.start.tolist()
        return [one / self.count + first for one, first in zip(sums, start, strict=True)]

    def __call__(self, X: Array) -> Array:
        """Return shape (n, outputs)."""
        small = self.answers if len(X) >= MANY else self.masks
        if small:
            return np.asarray(small(X) / self.count + self.start)
        if self._run is None:
            self._run = _session(self.graph.tobytes())
        if self.single:
            X = X.astype(np.float32)
        found = self._run(["Y"], {"X": np.ascontiguousarray(X, dtype=np.float64)})[0]
        if self.leaves is None:
            return np.asarray(found / self.count + self.start)
        rows = max(LOOKED_UP // (found.shape[1] * self.leaves.shape[1]), 1)
        parts = [
            self.leaves[found[first : first + rows].astype(np.int64)].sum(axis=1)
            for first in range(0, len(found), rows)
        ]
        return np.asarray(np.concatenate(parts) / self.count + self.start)


def _session(graph: bytes) -> Any:
    import onnxruntime  # 30 MB that models without large trees do not need

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return session.run


@dataclass
class Sigmoid:
    """The probabilities of two classes for the logit of the second one."""

    def __call__(self, X: Array) -> Array:
        """Take shape (n, 1); return shape (n, 2)."""
        second = 1.0 / (1.0 + np.exp(np.minimum(-X, LARGEST_POWER)))
        return np.concatenate((1.0 - second, second), axis=1)

    def row(self, values: Sequence[float]) -> list[float]:
        """Do the same for one row."""
        second = 1.0 / (1.0 + float(np.exp(min(-values[0], LARGEST_POWER))))
        return [1.0 - second, second]


@dataclass
class Softmax:
    """The probabilities of classes for their logits."""

    def __call__(self, X: Array) -> Array:
        """Return the same shape."""
        return softmax(X)

    def row(self, values: Sequence[float]) -> list[float]:
        """Do the same for one row."""
        return softmax_row(values)


@dataclass
class Complement:
    """The probabilities of two classes for that of the second one."""

    def __call__(self, X: Array) -> Array:
        """Take shape (n, 1); return shape (n, 2)."""
        return np.concatenate((1.0 - X, X), axis=1)

    def row(self, values: Sequence[float]) -> list[float]:
        """Do the same for one row."""
        return [1.0 - values[0], values[0]]


@dataclass
class Arranged:
    """Probabilities in the order of the contract; a class that was never seen gets 0."""

    positions: Array
    count: int

    def __call__(self, X: Array) -> Array:
        """Return shape (n, count)."""
        values = np.zeros((len(X), self.count))
        values[:, self.positions] = X
        return values


@dataclass
class Rescaled:
    """Numbers on the scale of the target."""

    mean: float
    scale: float

    def __call__(self, X: Array) -> Array:
        """Return the same shape."""
        return X * self.scale + self.mean

    def row(self, values: Sequence[float]) -> list[float]:
        """Do the same for one row."""
        return [value * self.scale + self.mean for value in values]


@dataclass
class Exponential:
    """Numbers whose logarithms were learned; see `LogTarget`."""

    low: float
    high: float

    def __call__(self, X: Array) -> Array:
        """Return the same shape."""
        return np.clip(np.expm1(np.clip(X, 0.0, np.log1p(self.high))), self.low, self.high)


@dataclass
class Clipped:
    """Numbers within limits."""

    low: float
    high: float

    def __call__(self, X: Array) -> Array:
        """Return the same shape."""
        return np.clip(X, self.low, self.high)


@dataclass
class Sum:
    """What several chains of kernels make of the same matrix, added up."""

    chains: Sequence[Sequence["Kernel"]]

    def __call__(self, X: Array) -> Array:
        """Return shape (n, outputs)."""
        said = [reduce(lambda values, kernel: kernel(values), chain, X) for chain in self.chains]
        return np.asarray(reduce(np.add, said))


Kernel = (
    Constant
    | Columns
    | Hinges
    | Linear
    | Rectified
    | Gaussians
    | Trees
    | Sigmoid
    | Softmax
    | Complement
    | Arranged
    | Rescaled
    | Exponential
    | Clipped
    | Sum
)
