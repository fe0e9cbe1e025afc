"""Ways to choose among the encoded columns, as the second step of a pipeline."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.feature_selection import (
    SelectorMixin,
    SelectPercentile,
    mutual_info_classif,
    mutual_info_regression,
)
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..config import Task


class Varying(SelectorMixin, BaseEstimator):
    """Keep the columns that vary in the training rows; all of them if none does.

    Unlike scikit-learn's VarianceThreshold, which raises then.
    """

    def fit(self, X: Any, y: Any = None) -> "Varying":
        """Look at a matrix of shape (n, columns)."""
        X = validate_data(self, X, dtype="float64", ensure_all_finite="allow-nan")
        with np.errstate(invalid="ignore"):
            self.varies_ = ~(X[0] == X).all(axis=0)
        self.varies_ |= not self.varies_.any()
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return self.varies_

    def __sklearn_tags__(self) -> Tags:
        """Say that missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Important(SelectorMixin, BaseEstimator):
    """Keep the columns that extra trees find more important than the median one.

    Unlike scikit-learn's SelectFromModel it forgets the trees, which a request would wait for.
    """

    def __init__(self, trees: Any, random_state: int | None = None) -> None:
        self.trees = trees
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "Important":
        """Fit the trees to a matrix of shape (n, columns) and outcomes (n,)."""
        X, y = validate_data(self, X, y, dtype="float64", ensure_all_finite="allow-nan")
        trees = clone(self.trees).set_params(random_state=self.random_state).fit(X, y)
        self.important_ = trees.feature_importances_ >= np.median(trees.feature_importances_)
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return self.important_

    def __sklearn_tags__(self) -> Tags:
        """Say that missing values are welcome, and that outcomes are needed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


def select(selection: Any, matrix: NDArray[np.float64]) -> Any:
    """Return what a fitted selection keeps of a matrix of shape (n, columns).

    Its own `transform` first looks at what it is given: for one row longer than many models take.
    """
    if isinstance(selection, SelectorMixin):
        return matrix[:, selection.get_support()]
    return matrix if selection == "passthrough" else selection.transform(matrix)


def none(task: Task, seed: int) -> Any:
    """Keep every column."""
    return "passthrough"


def variance(task: Task, seed: int) -> Any:
    """Drop columns that are constant in the training rows."""
    return Varying()


def mutual_information(task: Task, seed: int) -> Any:
    """Keep the half of the columns that tells most about the target (Kraskov et al. 2004)."""
    score = mutual_info_regression if task == "regression" else mutual_info_classif
    return SelectPercentile(partial(score, random_state=seed), percentile=50)


def importance(task: Task, seed: int) -> Any:
    """Keep the columns that extra trees find more important than the median one."""
    trees = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier
    return Important(trees(n_estimators=50, min_samples_leaf=5), random_state=seed)


SELECTIONS: dict[str, Callable[[Task, int], Any]] = {
    "none": none,
    "variance": variance,
    "mutual_information": mutual_information,
    "importance": importance,
}
