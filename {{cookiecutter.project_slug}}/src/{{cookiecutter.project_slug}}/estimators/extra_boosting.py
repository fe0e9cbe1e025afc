"""Gradient boosting of extremely randomised trees."""

import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree import ExtraTreeRegressor
from sklearn.utils import check_random_state

from .boosting import QuickBoostingClassifier, QuickBoostingRegressor

LEAST = 1e-6  # second derivative of a row, so that what it leads to stays finite
NO_LEVELS = np.zeros((0, 8), np.uint32)  # that go left in a tree without categories


class _Extra:
    """Asks each node about columns at thresholds that are drawn (Geurts et al. 2006).

    Such trees follow single rows less than those of HistGradientBoosting, and make other mistakes.
    All but their growth is done by scikit-learn, which takes them for its own.
    """

    def fit(
        self: Any,
        X: Any,
        y: Any,
        X_val: Any = None,
        y_val: Any = None,
        seconds: float | None = None,
    ) -> Any:
        """Fit to rows X of shape (n, columns), which may have NaN, and outcomes of shape (n,).

        Args:
            X: numbers; a category is its code.
            y: classes or numbers.
            X_val: held-out rows, which say when to stop; without them `max_iter` does.
            y_val: their outcomes.
            seconds: after which it adds no more rounds.
        """
        end = math.inf if seconds is None else time.monotonic() + seconds
        given = {name: getattr(self, name) for name in ("max_iter", "early_stopping")}
        self.set_params(max_iter=1, early_stopping=False)
        try:
            super().fit(X, y)  # type: ignore[misc]  # all but the trees
        finally:
            self.set_params(**given)
        rows, outcomes = _singles(X), self._outcomes(y)
        raw, random = self._start(rows), check_random_state(self.random_state)
        held_out = None if X_val is None else (_singles(X_val), self._outcomes(y_val))
        raw_held_out = self._start(held_out[0]) if held_out else None
        self._predictors, best, least = [], 1, math.inf
        for done in range(1, self.max_iter + 1):
            tree, values = self._round(rows, outcomes, raw, random)
            self._predictors.append(self._trees_of(tree, values))
            loss = -math.inf
            if held_out:
                raw_held_out += values.take(tree.apply(held_out[0]), axis=0)
                loss = float(self._loss(y_true=held_out[1], raw_prediction=raw_held_out))
            if loss < least or not held_out:
                best, least = done, loss
            if done - best >= self.n_iter_no_change or time.monotonic() > end:
                break
        del self._predictors[best:]
        return self

    def _outcomes(self: Any, y: Any) -> NDArray[np.float64]:
        return np.ascontiguousarray(self._encode_y_val(np.asarray(y)), dtype=np.float64)

    def _start(self: Any, X: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.tile(self._baseline_prediction, (len(X), 1))

    def _round(
        self: Any,
        X: NDArray[np.float32],
        y: NDArray[np.float64],
        raw: NDArray[np.float64],
        random: np.random.RandomState,
    ) -> tuple[Any, NDArray[np.float64]]:
        """Grow a tree for all outputs by Newton's method, and add what it says to `raw`.

        Of several classes each node has a value, as in CatBoost (Prokhorenkova et al. 2018): a tree
        for each class costs several times as much, and seldom learns better.

        Returns:
            The tree of scikit-learn, and what its leaves add, shape (nodes, outputs).
        """
        gradients, hessians = self._loss.gradient_hessian(y_true=y, raw_prediction=raw)
        slopes = gradients.reshape(raw.shape)
        curves = np.maximum(hessians.reshape(raw.shape), LEAST)
        weights = curves.sum(axis=1)
        grown = ExtraTreeRegressor(
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            random_state=random.randint(2**31 - 1),
        )
        with config_context(skip_parameter_validation=True, assume_finite=True):
            tree = grown.fit(X, -slopes / weights[:, None], sample_weight=weights).tree_
        leaves = tree.apply(X)
        curved = [np.bincount(leaves, curve, tree.node_count) for curve in curves.T]
        total = np.column_stack(curved) + self.l2_regularization
        # What a leaf says for these weights is minus the sum of the slopes over that of the curves.
        moved = self.learning_rate * tree.value[:, :, 0] * tree.weighted_n_node_samples[:, None]
        ends = np.broadcast_to(tree.children_left[:, None] < 0, total.shape)
        values = np.divide(moved, total, out=np.zeros_like(total), where=ends)
        raw += values.take(leaves, axis=0)
        return tree, values

    def _trees_of(self, tree: Any, values: NDArray[np.float64]) -> list[TreePredictor]:
        """Return a tree for each output in the form that HistGradientBoosting has."""
        nodes, trees = self._nodes(tree), []
        for value in values.T:
            own = nodes.copy()
            own["value"] = value
            trees.append(TreePredictor(own, NO_LEVELS, NO_LEVELS))
        return trees

    def _nodes(self, tree: Any) -> Any:
        """Return the nodes of a tree in that form, without values."""
        nodes = np.zeros(tree.node_count, PREDICTOR_RECORD_DTYPE)
        leaf = tree.children_left < 0
        nodes["count"], nodes["is_leaf"] = tree.n_node_samples, leaf
        nodes["depth"] = tree.compute_node_depths() - 1
        nodes["feature_idx"] = np.where(leaf, 0, tree.feature)
        nodes["num_threshold"] = tree.threshold
        nodes["missing_go_to_left"] = tree.missing_go_to_left
        nodes["left"], nodes["right"] = (
            np.where(leaf, 0, child) for child in (tree.children_left, tree.children_right)
        )
        return nodes


class ExtraBoostingClassifier(_Extra, QuickBoostingClassifier):  # type: ignore[misc]
    """A classifier."""


class ExtraBoostingRegressor(_Extra, QuickBoostingRegressor):  # type: ignore[misc]
    """A regressor."""


def _singles(X: Any) -> NDArray[np.float32]:
    return np.ascontiguousarray(X, dtype=np.float32)
