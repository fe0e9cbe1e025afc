"""Forests that answer a single request quickly.

scikit-learn hands every tree to a pool of threads, which costs milliseconds for one row. These give
the same numbers, bit for bit, from the same trees.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.utils.validation import check_is_fitted


def _mean(forest: Any, X: Any) -> NDArray[np.float64]:
    """Return the mean of what the trees of a forest say, shape (n, classes) or (n, 1)."""
    check_is_fitted(forest)
    matrix = np.asarray(X, dtype=np.float32)
    total: Any = 0.0
    for tree in forest.estimators_:
        total = total + tree.tree_.predict(matrix)
    return np.asarray(total / len(forest.estimators_), dtype=np.float64)


class QuickForestClassifier(RandomForestClassifier):
    """scikit-learn's RandomForestClassifier."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of shape (n, classes)."""
        return _mean(self, X)


class QuickForestRegressor(RandomForestRegressor):
    """scikit-learn's RandomForestRegressor."""

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return numbers of shape (n,)."""
        return _mean(self, X)[:, 0]


class QuickExtraTreesClassifier(ExtraTreesClassifier):
    """scikit-learn's ExtraTreesClassifier."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of shape (n, classes)."""
        return _mean(self, X)


class QuickExtraTreesRegressor(ExtraTreesRegressor):
    """scikit-learn's ExtraTreesRegressor."""

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return numbers of shape (n,)."""
        return _mean(self, X)[:, 0]
