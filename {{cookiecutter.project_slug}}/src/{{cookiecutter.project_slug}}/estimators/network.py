"""Neural networks: one stops at its cap without a word, the other learns in cycles."""

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._base import ACTIVATIONS, LOSS_FUNCTIONS
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer
from sklearn.utils._param_validation import Interval

BATCH = 256  # rows of a step; in small tables a quarter of them
FIRST = 4  # epochs of the first cycle; each is twice as long as the one before
SCALE, BIAS = 6.0, 0.1  # of the learning rate: for the scale of a column, for biases
DECAY = 0.95  # of the mean of squared gradients, in place of Adam's 0.999
Matrix = NDArray[np.float32]


class _Capped:
    """Does not warn when `max_iter` ends the fit: the cap is there on purpose."""

    def fit(self, X: Any, y: Any) -> Any:
        """Fit, as scikit-learn does."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super().fit(X, y)  # type: ignore[misc]


class CappedMLPClassifier(_Capped, MLPClassifier):
    """scikit-learn's MLPClassifier."""


class CappedMLPRegressor(_Capped, MLPRegressor):
    """scikit-learn's MLPRegressor."""


@dataclass
class Layers:
    """Rectified layers after a scale for each column, or the gradients of these: one vector.

    Args:
        values: all of them.
        sizes: the columns, the units of each hidden layer, the outputs.
    """

    values: NDArray[np.float32]
    sizes: list[int]

    def __post_init__(self) -> None:
        self.scale, rest = np.split(self.values, self.sizes[:1])
        self.weights: list[Matrix] = []
        self.biases: list[Matrix] = []
        for inputs, outputs in pairwise(self.sizes):
            weights, biases, rest = np.split(rest, [inputs * outputs, (inputs + 1) * outputs])
            self.weights.append(weights.reshape(inputs, outputs))
            self.biases.append(biases)

    @classmethod
    def empty(cls, sizes: list[int]) -> "Layers":
        """Return layers that are all zero."""
        count = sizes[0] + sum((a + 1) * b for a, b in pairwise(sizes))
        return cls(np.zeros(count, np.float32), sizes)

    def forward(self, X: Matrix, dropout: float = 0.0, rng: Any = None) -> list[Matrix]:
        """Return what goes into each layer, and last what comes out, for rows (n, columns)."""
        passed = [X * self.scale]
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            inside = np.maximum(passed[-1] @ weights + biases, 0)
            if dropout:
                inside *= (rng.random_sample(inside.shape) >= dropout) / np.float32(1 - dropout)
            passed.append(inside)
        return [*passed, passed[-1] @ self.weights[-1] + self.biases[-1]]

    def backward(
        self, X: Matrix, passed: list[Matrix], slope: Matrix, dropout: float, into: "Layers"
    ) -> None:
        """Write the gradients, given what `forward` returned and the slope of the loss there."""
        for number in reversed(range(len(self.weights))):
            np.sum(slope, axis=0, out=into.biases[number])
            np.dot(passed[number].T, slope, out=into.weights[number])
            slope = slope @ self.weights[number].T
            if number:
                slope *= (passed[number] > 0) / np.float32(1 - dropout)
        np.sum(slope * X, axis=0, out=into.scale)


class _Cyclic:
    """Learns with Adam, at a rate that falls to nothing and starts anew: cycle after cycle.

    Each cycle has twice the epochs of the one before (Loshchilov and Hutter 2017); held-out rows
    say after which one to stop. What is learned begins at the same size in layers of any width, the
    scale of a column moves faster and biases slower (RealMLP, Holzmüller et al. 2024).

    Args:
        units: of each hidden layer.
        depth: the number of hidden layers.
        dropout: the share of units that a step leaves out (Srivastava et al. 2014).
        learning_rate_init: the highest rate of a cycle.
        max_iter: epochs, of which as many are made as make up whole cycles.
        random_state: of what is drawn.
    """

    _parameter_constraints = {  # noqa: RUF012  # as scikit-learn has it
        **MLPClassifier._parameter_constraints,
        "units": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    _held_out: tuple[Any, Any] | None = None
    _end = math.inf

    def __init__(
        self,
        units: int = 64,
        depth: int = 2,
        *,
        dropout: float = 0.0,
        learning_rate_init: float = 0.05,
        max_iter: int = 252,
        random_state: Any = None,
    ) -> None:
        super().__init__(  # type: ignore[call-arg]
            learning_rate_init=learning_rate_init, max_iter=max_iter, random_state=random_state
        )
        self.units = units
        self.depth = depth
        self.dropout = dropout

    @property
    def hidden_layer_sizes(self) -> tuple[int, ...]:
        """The units of each hidden layer, as scikit-learn asks for them."""
        return (self.units,) * self.depth

    @hidden_layer_sizes.setter
    def hidden_layer_sizes(self, default: Any) -> None:
        """Leave scikit-learn's default alone."""

    def fit(
        self, X: Any, y: Any, X_val: Any = None, y_val: Any = None, seconds: float | None = None
    ) -> Self:
        """Fit to rows X of shape (n, columns) and outcomes of shape (n,).

        Args:
            X: complete, and about standardised.
            y: classes or numbers.
            X_val: held-out rows, which say when to stop; without them `max_iter` does.
            y_val: their outcomes.
            seconds: after which it stops early.
        """
        self._held_out = None if X_val is None else (X_val, y_val)
        self._end = math.inf if seconds is None else time.monotonic() + seconds
        try:
            super().fit(X, y)  # type: ignore[misc]
        finally:
            del self._held_out, self._end
        return self

    def _check_solver(self) -> None:
        raise AttributeError("the cycles are of all rows: there is no partial_fit")

    def _fit_stochastic(self: Any, X: Any, y: Any, *_: Any) -> None:
        """Learn the weights; scikit-learn has checked the rows."""
        rows, outcomes = _dense(X), self._outcomes(y)
        layers = Layers.empty([*map(len, self.coefs_), self.n_outputs_])
        layers.scale[:] = 1.0
        for weights in layers.weights:
            drawn = self._random_state.standard_normal(weights.shape)
            weights[:] = drawn / math.sqrt(len(weights))
        for biases in layers.biases[:-1]:
            biases[:] = self._random_state.standard_normal(len(biases))
        held_out = self._held_out and (_dense(self._held_out[0]), self._coded(self._held_out[1]))
        best, self.loss_ = layers.values, math.inf
        for epochs in self._learn(layers, rows, outcomes):
            loss = self._loss(layers, *held_out) if held_out else -math.inf
            if held_out and loss >= self.loss_:
                break
            best, self.loss_, self.n_iter_ = layers.values.copy(), loss, epochs
        learned = Layers(best.astype(np.float64), layers.sizes)
        learned.weights[0] *= learned.scale[:, None]
        self.coefs_, self.intercepts_ = learned.weights, learned.biases

    def _learn(self: Any, layers: Layers, X: Matrix, y: Matrix) -> Iterator[int]:
        """Go through the cycles; yields the number of epochs so far after each."""
        factors, slopes = Layers.empty(layers.sizes), Layers.empty(layers.sizes)
        factors.scale[:] = SCALE
        for weights, biases in zip(factors.weights, factors.biases, strict=True):
            weights[:], biases[:] = 1 / math.sqrt(len(weights)), BIAS
        adam = AdamOptimizer([layers.values], beta_2=DECAY)
        batch = max(1, min(BATCH, len(X) // 4))
        cycles = max(1, round(math.log2(self.max_iter / FIRST + 1)))
        ends = [FIRST * (2**cycle - 1) for cycle in range(1, cycles + 1)]
        steps = len(X) // batch * ends[-1]
        for epoch in range(1, ends[-1] + 1):
            order = self._random_state.permutation(len(X))
            for start in range(0, len(X) - batch + 1, batch):
                chosen = order[start : start + batch]
                rows = X[chosen]
                passed = layers.forward(rows, self.dropout, self._random_state)
                ACTIVATIONS[self.out_activation_](passed[-1])
                slope = (passed[-1] - y[chosen]) / np.float32(batch)
                layers.backward(rows, passed, slope, self.dropout, slopes)
                turn = math.log2(1 + (2**cycles - 1) * adam.t / steps)  # whole where a cycle ends
                adam.learning_rate_init = (
                    self.learning_rate_init * (1 - math.cos(2 * math.pi * turn)) / 2
                )
                (move,) = adam._get_updates([slopes.values])
                layers.values += factors.values * move
            late = time.monotonic() > self._end
            if late or epoch in ends:
                yield epoch
            if late:
                return

    def _loss(self: Any, layers: Layers, X: Matrix, y: Matrix) -> float:
        out = layers.forward(X)[-1].astype(np.float64)
        ACTIVATIONS[self.out_activation_](out)
        names = {"softmax": "log_loss", "logistic": "binary_log_loss", "identity": "squared_error"}
        return float(LOSS_FUNCTIONS[names[self.out_activation_]](y, out))


class CyclicMLPClassifier(_Cyclic, MLPClassifier):
    """A classifier."""

    def _outcomes(self, y: Any) -> Matrix:
        return np.asarray(y, dtype=np.float32)

    def _coded(self, y: Any) -> Matrix:
        return self._outcomes(self._label_binarizer.transform(y))


class CyclicMLPRegressor(_Cyclic, MLPRegressor):
    """A regressor."""

    def _outcomes(self, y: Any) -> Matrix:
        self._mean, self._scale = y.mean(axis=0), np.maximum(y.std(axis=0), 1e-12)
        return self._standard(y)

    def _coded(self, y: Any) -> Matrix:
        return self._standard(np.asarray(y, dtype=np.float64).reshape(len(y), -1))

    def _standard(self, y: Any) -> Matrix:
        return np.asarray((y - self._mean) / self._scale, dtype=np.float32)

    def _fit_stochastic(self, X: Any, y: Any, *_: Any) -> None:
        super()._fit_stochastic(X, y)
        self.coefs_[-1] *= self._scale
        self.intercepts_[-1] = self.intercepts_[-1] * self._scale + self._mean


def _dense(X: Any) -> Matrix:
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float32)
