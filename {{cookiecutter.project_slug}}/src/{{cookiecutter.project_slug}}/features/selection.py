"""Ways to choose among the encoded columns, as the second step of a pipeline."""

from collections.abc import Callable
from typing import Any

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.feature_selection import (
    SelectFromModel,
    SelectPercentile,
    VarianceThreshold,
    mutual_info_classif,
    mutual_info_regression,
)

from ..config import Task


def none(task: Task, seed: int) -> Any:
    """Keep every column."""
    return "passthrough"


def variance(task: Task, seed: int) -> Any:
    """Drop columns that are constant in the training rows."""
    return VarianceThreshold()


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
