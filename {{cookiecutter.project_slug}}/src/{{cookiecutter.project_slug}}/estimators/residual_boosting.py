"""Boosted trees on what a linear model leaves over."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.utils.validation import check_is_fitted

FOLDS = 5


class ResidualBoosting(RegressorMixin, BaseEstimator):
    """Fit a linear model, and gradient boosting to its residuals; predict the sum of both.

    A trend, which takes trees many steps, is left to the linear model, and what columns do together
    to the trees. The residuals are of rows that the linear model had not learned from, since those
    of its own rows are too small (as in stacking: Wolpert 1992). What the linear model says stays
    within the outcomes it has seen.

    Args:
        linear: a regressor.
        boosting: a regressor that takes held-out rows, as scikit-learn's histogram boosting does.
        random_state: of the folds that the residuals come from.
    """

    def __init__(self, linear: Any, boosting: Any, random_state: int | None = None) -> None:
        self.linear = linear
        self.boosting = boosting
        self.random_state = random_state

    def fit(
        self, X: Any, y: Any, X_val: Any = None, y_val: Any = None, seconds: float | None = None
    ) -> "ResidualBoosting":
        """Fit to rows of shape (n, columns) and outcomes of shape (n,).

        Args:
            X: rows.
            y: outcomes.
            X_val: held-out rows, which say when to stop.
            y_val: their outcomes.
            seconds: after which boosting stops early, where held-out rows would let it go on.
        """
        self.low_, self.high_ = float(np.min(y)), float(np.max(y))
        folds = KFold(min(FOLDS, len(y)), shuffle=True, random_state=self.random_state)
        said = cross_val_predict(clone(self.linear), X, y, cv=folds)
        self.linear_ = clone(self.linear).fit(X, y)
        options: dict[str, Any] = {} if seconds is None else {"seconds": seconds}
        if X_val is not None:
            options |= {"X_val": X_val, "y_val": y_val - self._trend(X_val)}
        residuals = y - np.clip(said, self.low_, self.high_)
        self.boosting_ = clone(self.boosting).fit(X, residuals, **options)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return predictions of shape (n,)."""
        check_is_fitted(self)
        return np.asarray(self._trend(X) + self.boosting_.predict(X))

    def _trend(self, X: Any) -> NDArray[np.float64]:
        return np.clip(self.linear_.predict(X), self.low_, self.high_)

    @property
    def n_iter_(self) -> int:
        """The rounds that boosting took."""
        return int(self.boosting_.n_iter_)
