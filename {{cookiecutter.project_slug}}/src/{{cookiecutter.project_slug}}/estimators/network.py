"""Neural networks that stop at their cap without a word."""

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor


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
