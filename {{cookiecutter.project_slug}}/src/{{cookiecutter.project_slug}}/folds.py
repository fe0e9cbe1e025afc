"""Cross-validation: the folds that a contract calls for, and pipelines scored on them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

from .contract import Contract
from .errors import InputError
from .metrics import Classes, Metric, predict

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def make_folds(train: pd.DataFrame, contract: Contract, count: int, seed: int) -> list[Fold]:
    """Return positions of rows to fit on and to score on, for each fold.

    Ordered in time when the contract has a column of role time (training rows are sorted by it),
    whole groups when it has one of role group, else random, stratified by class.

    Raises:
        InputError: there are too few rows, groups or rows of a class for so many folds.
    """
    y, group = train[contract.target], contract.name("group")
    if contract.name("time"):
        _enough(len(train), count + 1, "training rows")
        return list(TimeSeriesSplit(count).split(train))
    if group:
        _enough(train[group].nunique(), count, f"values of the group column {group}")
        return list(
            GroupKFold(count, shuffle=True, random_state=seed).split(train, y, train[group])
        )
    if contract.classes is None:
        _enough(len(train), count, "training rows")
        return list(KFold(count, shuffle=True, random_state=seed).split(train))
    sizes = y.value_counts()
    _enough(int(sizes.min()), count, f"training rows of class {sizes.idxmin()!r}")
    return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(train, y))


def _enough(found: int, needed: int, what: str) -> None:
    if found < needed:
        raise InputError(
            f"params.yaml: train.folds: {what}: {found}, but {needed} are needed; "
            "set fewer folds, collect more rows, or merge rare classes"
        )


@dataclass(frozen=True)
class Score:
    """How a pipeline did on one fold."""

    name: str
    fold: int
    score: float
    fit_seconds: float
    predict_seconds: float


@dataclass(frozen=True)
class Rows:
    """Rows to learn from: features (n, columns) typed by the contract, and outcomes (n,)."""

    X: pd.DataFrame
    y: NDArray[Any]
    classes: Classes | None

    @classmethod
    def of(cls, frame: pd.DataFrame, contract: Contract) -> "Rows":
        """Split a typed table into features and outcomes."""
        dtype = {"boolean": bool, "category": str}.get(
            contract.columns[contract.target].type, float
        )
        y = frame[contract.target].to_numpy(dtype=dtype)
        return cls(frame[list(contract.features)], y, contract.classes)


def score_fold(name: str, pipeline: Any, rows: Rows, fold: Fold, k: int, metric: Metric) -> Score:
    """Fit a copy of the pipeline without fold k and score it there."""
    fit, held_out = fold
    start = time.perf_counter()
    fitted = clone(pipeline).fit(rows.X.iloc[fit], rows.y[fit])
    fitted_at = time.perf_counter()
    predictions = predict(fitted, rows.X.iloc[held_out], rows.classes)
    seconds = time.perf_counter() - fitted_at
    return Score(name, k, metric(rows.y[held_out], predictions), fitted_at - start, seconds)


def cross_validate(
    pipelines: dict[str, Any],
    rows: Rows,
    folds: list[Fold],
    metric: Metric,
    on_score: Callable[[Score], None] = lambda score: None,
) -> pd.DataFrame:
    """Score pipelines on the same folds, in parallel as joblib's `parallel_config` says.

    Returns:
        One row for each name and fold, with the fields of `Score`, in a fixed order.
    """
    jobs = (
        delayed(score_fold)(name, pipeline, rows, fold, k, metric)
        for name, pipeline in pipelines.items()
        for k, fold in enumerate(folds)
    )
    scores = []
    results: Iterator[Score] = Parallel(return_as="generator_unordered")(jobs)
    for score in results:
        on_score(score)
        scores.append(score)
    order = {name: position for position, name in enumerate(pipelines)}
    return pd.DataFrame(sorted(scores, key=lambda s: (order[s.name], s.fold)))


def summarise(scores: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Return one row for each name, the best first: mean score, its standard error, seconds."""
    by_name = scores.groupby("name", sort=False)
    table = pd.DataFrame(
        {
            "mean": by_name["score"].mean(),
            "standard_error": by_name["score"].sem(),
            "fit_seconds": by_name["fit_seconds"].mean(),
            "predict_seconds": by_name["predict_seconds"].mean(),
        }
    )
    table = table.sort_values("mean", ascending=not metric.greater_is_better, kind="stable")
    return table.rename_axis("model").reset_index()
