"""Cross-validation: the folds that a contract calls for, and pipelines scored on them."""

import pickle
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from joblib.parallel import get_active_backend
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from .contract import Contract
from .deadline import Deadline, OutOfTime, until
from .errors import InputError
from .features.selection import select
from .metrics import Metric
from .predictions import Array, Classes, predict

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
        return _telling(list(TimeSeriesSplit(count).split(train)), train, contract)
    if group:
        _enough(train[group].nunique(), count, f"values of the group column {group}")
        whole = GroupKFold(count, shuffle=True, random_state=seed).split(train, y, train[group])
        return _telling(list(whole), train, contract)
    if contract.classes is None:
        _enough(len(train), count, "training rows")
        return list(KFold(count, shuffle=True, random_state=seed).split(train))
    sizes = y.value_counts()
    _enough(int(sizes.min()), count, f"training rows of class {sizes.idxmin()!r}")
    return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(train, y))


def _telling(folds: list[Fold], train: pd.DataFrame, contract: Contract) -> list[Fold]:
    """Leave out folds with one class alone on a side, where most metrics are not defined.

    Unless fewer than two are left.
    """
    if contract.classes is None:
        return folds
    y = train[contract.target]
    telling = [fold for fold in folds if all(y.iloc[rows].nunique() > 1 for rows in fold)]
    return telling if len(telling) > 1 else folds


def _enough(found: int, needed: int, what: str) -> None:
    if found < needed:
        raise InputError(
            f"params.yaml: train.folds: {what}: {found}, but {needed} are needed; "
            "set fewer folds, collect more rows, or merge rare classes"
        )


@dataclass(frozen=True)
class Rows:
    """Rows to learn from: features (n, columns) typed by the contract, and outcomes (n,)."""

    X: pd.DataFrame
    y: Array
    classes: Classes | None

    @classmethod
    def of(cls, frame: pd.DataFrame, contract: Contract) -> "Rows":
        """Split a typed table into features and outcomes."""
        dtype = {"boolean": bool, "category": str}.get(
            contract.columns[contract.target].type, float
        )
        y = frame[contract.target].to_numpy(dtype=dtype)
        return cls(frame[list(contract.features)], y, contract.classes)


@dataclass(frozen=True)
class Job:
    """A pipeline to fit without a fold, and to score there."""

    name: str
    pipeline: Pipeline
    fold: int
    stops: bool = False
    """Whether the held-out rows say after how many rounds the model stops."""
    seconds: float | None = None
    """After which one that stops adds no more rounds, whatever the held-out rows say."""


@dataclass(frozen=True)
class Score:
    """How a pipeline did on one fold, and what it cost."""

    name: str
    fold: int
    score: float
    values: Array
    """What it said of the held-out rows: (rows, classes), or (rows,) for regression."""
    fit_seconds: float
    predict_seconds: float
    row_milliseconds: float
    """To score a single request."""
    row_calls: int
    """Function calls that this takes: the same each time, so that what is chosen by them is too."""
    megabytes: float
    """On disk, compressed."""
    cpu_seconds: float
    """Of all this."""
    cpu_share: float
    """Of the seconds to fit and to predict: the rest had other work of the machine."""
    rounds: int | None

    def seconds(self, clock: Literal["wall", "cpu"]) -> float:
        """Return how long all this took on a clock."""
        return self.cpu_seconds * self.share(clock) / self.cpu_share

    def share(self, clock: Literal["wall", "cpu"]) -> float:
        """Return what a second on the wall was on a clock."""
        return self.cpu_share if clock == "cpu" else 1.0


class Unfit(Exception):
    """A pipeline does not take the rows that it was to be fitted to: its name, and the reason."""


def fit(
    pipeline: Pipeline, rows: Rows, fold: Fold, stops: bool, seconds: float | None = None
) -> int | None:
    """Fit a pipeline without a fold; returns the rounds at which the held-out rows stopped it.

    Held-out rows are encoded by what was learned from the others. Stopping by them flatters the
    score a little, as in every library that does it; the test rows do not take part.
    """
    learned, held_out = fold
    X, y = rows.X.iloc[learned], rows.y[learned]
    if rows.classes:  # one may be new among the rows of another group or of a later time
        held_out = held_out[np.isin(rows.y[held_out], y)]
    if not stops or not len(held_out):
        pipeline.fit(X, y)
        return None
    *steps, (_, model) = pipeline.steps
    model.set_params(
        **{name: True for name in model.get_params() if name.endswith("early_stopping")}
    )
    before = Pipeline(steps)
    matrix = before.fit_transform(X, y)
    options: dict[str, Any] = {"X_val": before.transform(rows.X.iloc[held_out])}
    options["y_val"] = rows.y[held_out]
    if seconds is not None and has_fit_parameter(getattr(model, "regressor", model), "seconds"):
        options["seconds"] = seconds
    model.fit(matrix, y, **options)
    return int(model.n_iter_)


def score_fold(
    job: Job, rows: Rows, fold: Fold, metric: Metric, deadline: Deadline | None = None
) -> Score | None:
    """Fit a copy of the job's pipeline without a fold and score it there, on one core.

    Returns:
        The score, or None if the deadline came first.

    Raises:
        Unfit: such as where a class has too few rows for the folds inside a model.
    """
    try:
        with until(deadline), threadpool_limits(1):
            start, cpu = time.perf_counter(), time.process_time()
            pipeline = clone(job.pipeline)
            try:
                rounds = fit(pipeline, rows, fold, job.stops, job.seconds)
            except ValueError as error:
                raise Unfit(job.name, " ".join(str(error).split())) from error
            fitted = time.perf_counter()
            X = rows.X.iloc[fold[1]]
            said = predict(pipeline, X, rows.classes)
            predicted, cpu_predicted = time.perf_counter(), time.process_time()
            return Score(
                job.name,
                job.fold,
                metric(rows.y[fold[1]], said),
                said.values,
                fitted - start,
                predicted - fitted,
                *row_costs(pipeline, X, rows.classes),
                megabytes(pipeline),
                time.process_time() - cpu,
                min(1.0, (cpu_predicted - cpu) / (predicted - start)),
                rounds,
            )
    except OutOfTime:
        return None


class _Compressed:
    """A file that is compressed, and counted, not kept: a forest would take its size again."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(1)
        self.size = 0

    def write(self, data: Any) -> None:
        self.size += len(self._compressor.compress(data))

    def close(self) -> None:
        self.size += len(self._compressor.flush())


def megabytes(pipeline: Pipeline) -> float:
    """Return the size of a fitted pipeline on disk, compressed."""
    with closing(_Compressed()) as file:
        pickle.dump(pipeline, file, pickle.HIGHEST_PROTOCOL)
    return file.size / 1e6


def row_costs(
    pipeline: Pipeline, X: pd.DataFrame, classes: Classes | None, repeats: int = 5
) -> tuple[float, int]:
    """Return milliseconds and calls that a fitted pipeline takes for one row, without pandas."""
    encoder, selection, model = [step for _, step in pipeline.steps]
    columns = encoder.cells(X.iloc[:1])

    def predict_one() -> None:
        predict(model, select(selection, encoder.encode(columns)), classes)

    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict_one()
        seconds.append(time.perf_counter() - start)
    # What is made once is made by now; what else the machine did is in the other seconds.
    return 1e3 * min(seconds), calls(predict_one)


def calls(function: Callable[[], Any]) -> int:
    """Return how many functions, of Python or C, are called by one."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(previous)
    return count


def _attempt(*work: Any) -> Score | Unfit | None:
    """Return what `score_fold` does or raises, so that the other jobs go on."""
    try:
        return score_fold(*work)
    except Unfit as error:
        return error


def _fail(error: Unfit) -> None:
    raise error


def score_folds(
    jobs: Iterable[Job],
    rows: Rows,
    folds: list[Fold],
    metric: Metric,
    on_score: Callable[[Score], None] = lambda score: None,
    deadline: Deadline | None = None,
    on_unfit: Callable[[Unfit], None] = _fail,
) -> list[Score]:
    """Do jobs in parallel, as joblib's `parallel_config` says.

    Returns:
        The scores of the jobs that ended in time, in the order of the jobs.

    Raises:
        Unfit: by default, where a pipeline does not take its rows.
    """
    ordered = list(jobs)
    work = (delayed(_attempt)(job, rows, folds[job.fold], metric, deadline) for job in ordered)
    found = {}
    backend, _ = get_active_backend()
    return_as = "generator_unordered" if backend.supports_return_generator else "list"
    results: Iterable[Score | Unfit | None] = Parallel(return_as=return_as)(work)
    for result in results:
        if isinstance(result, Unfit):
            on_unfit(result)
        elif result is not None:
            on_score(result)
            found[result.name, result.fold] = result
    places = [(job.name, job.fold) for job in ordered]
    return [found[place] for place in places if place in found]
