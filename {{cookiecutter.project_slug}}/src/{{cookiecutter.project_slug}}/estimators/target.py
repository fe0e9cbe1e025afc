"""The logarithm of a target, for regressors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

SKEWED = 1.0


def is_skewed(y: NDArray[Any]) -> bool:
    """Return whether outcomes of shape (n,) are numbers not below zero with a long upper tail."""
    return bool(y.dtype.kind == "f" and y.min() >= 0 and skew(y) > SKEWED)


class LogTarget(RegressorMixin, BaseEstimator):
    """Fit a regressor to log(1 + y); predict y.

    Unlike scikit-learn's TransformedTargetRegressor it hands on held-out rows, with their outcomes
    on the same scale. Predictions stay within the outcomes it has seen.
    """

    def __init__(self, regressor: Any) -> None:
        self.regressor = regressor

    def fit(
        self, X: Any, y: Any, X_val: Any = None, y_val: Any = None, **options: Any
    ) -> "LogTarget":
        """Fit to outcomes of shape (n,), none below zero; options are the regressor's."""
        if X_val is not None:
            options |= {"X_val": X_val, "y_val": np.log1p(y_val)}
        self.regressor_ = clone(self.regressor).fit(X, np.log1p(y), **options)
        self.low_, self.high_ = float(np.min(y)), float(np.max(y))
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return predictions of shape (n,)."""
        check_is_fitted(self)
        logarithms = np.clip(self.regressor_.predict(X), 0.0, np.log1p(self.high_))
        return np.clip(np.expm1(logarithms), self.low_, self.high_)

    @property
    def n_iter_(self) -> int:
        """The rounds that the regressor took."""
        return int(self.regressor_.n_iter_)
