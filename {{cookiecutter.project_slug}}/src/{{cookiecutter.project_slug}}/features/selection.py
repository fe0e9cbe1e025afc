"""Ways to choose among the encoded columns, as the second step of a pipeline."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.feature_selection import (
    SelectFromModel,
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


def none(task: Task, seed: int) -> Any:
    """Keep every column."""
    return "passthrough"


def variance(task: Task, seed: int) -> Any:
    """Drop columns that are constant in the training rows."""
    return Varying()


def mutual_information(task: Task, seed: int) -> Any:
    """Keep the half of the columns that tells most about the target (Kraskov et al. 2004)."""
    score = mutual_info_regression if task == "regression" else mutual_info_classif
    return SelectPercentile(score, percentile=50)


def importance(task: Task, seed: int) -> Any:
    """Keep the columns that extra trees find more important than the median one."""
    trees = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier
    model = trees(n_estimators=50, min_samples_leaf=5, random_state=seed)
    return SelectFromModel(model, threshold="median")


SELECTIONS: dict[str, Callable[[Task, int], Any]] = {
    "none": none,
    "variance": variance,
    "mutual_information": mutual_information,
    "importance": importance,
}
