"""tune: search the hyperparameters of the best families and fit the winner on all training rows."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import numpy as np
import optuna
import pandas as pd
from joblib import parallel_config
from rich.progress import Progress

from .. import bundle, files, metrics, models, tracking
from ..config import Params
from ..contract import Contract
from ..contract.cells import Cell, rows_of_table
from ..folds import Rows, cross_validate, make_folds, summarise

GOLDEN_ROWS = 20


@dataclass(frozen=True)
class Trial:
    """One choice of a family and its parameters, cross-validated."""

    trial: int
    model: str
    mean: float
    standard_error: float
    seconds: float
    parameters: Mapping[str, Any]


def search(
    train: pd.DataFrame,
    contract: Contract,
    params: Params,
    leaderboard: pd.DataFrame,
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> list[Trial]:
    """Try parameters of the best families in turn, until the trials or the seconds run out.

    The families' default parameters, already on the leaderboard, count as the first trials. Each
    family has a search of its own with the tree-structured Parzen estimator (Bergstra 2011).

    Returns:
        All trials, best first.
    """
    metric = metrics.find(params.metric, params.task)
    best = leaderboard[leaderboard["model"] != models.BASELINE].head(params.tune.models)
    best = leaderboard if best.empty else best
    trials = [
        Trial(number, row["model"], row["mean"], row["standard_error"], row["fit_seconds"], {})
        for number, row in enumerate(best.to_dict("records"))
    ]
    folds = make_folds(train, contract, params.train.folds, params.seed)
    rows = Rows.of(train, contract)
    end = time.monotonic() + params.tune.seconds
    for name, study, asked in islice(_ask(best["model"], params), params.tune.trials):
        if time.monotonic() > end:
            break
        model = models.MODELS[name]
        pipeline = models.build(model, contract, params.task, params.seed, asked.params)
        start = time.monotonic()
        with parallel_config(n_jobs=params.compute.workers):
            scores = cross_validate({name: pipeline}, rows, folds, metric)
        result = summarise(scores, metric).iloc[0]
        study.tell(asked, result["mean"])
        seconds = time.monotonic() - start
        trials.append(
            Trial(
                len(trials), name, result["mean"], result["standard_error"], seconds, asked.params
            )
        )
        on_trial(trials[-1])
    return sorted(trials, key=lambda t: -t.mean if metric.greater_is_better else t.mean)


def _ask(
    names: pd.Series, params: Params
) -> Iterator[tuple[str, optuna.Study, optuna.trial.Trial]]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    greater = metrics.find(params.metric, params.task).greater_is_better
    spaces = {name: models.MODELS[name].space(params.task) for name in names}
    studies = {
        name: optuna.create_study(
            direction="maximize" if greater else "minimize",
            sampler=optuna.samplers.TPESampler(seed=params.seed),
        )
        for name, space in spaces.items()
        if space
    }
    for name in cycle(studies):
        yield name, studies[name], studies[name].ask(spaces[name])


def golden_rows(train: pd.DataFrame, contract: Contract, seed: int) -> list[tuple[Cell, ...]]:
    """Return rows of cells to test a bundle with.

    Each column is drawn by itself, so that no row is a person of the training data.
    """
    rng = np.random.default_rng(seed)
    drawn = {
        name: train[name].sample(GOLDEN_ROWS, replace=True, random_state=rng).to_numpy()
        for name in contract.features
    }
    return rows_of_table(pd.DataFrame(drawn).astype(train.dtypes[[*drawn]]), contract)


def table(trials: list[Trial]) -> pd.DataFrame:
    """Return trials as a table, their parameters as JSON."""
    return pd.DataFrame(
        {**vars(trial), "parameters": json.dumps(trial.parameters)} for trial in trials
    )


def main() -> None:
    """Write the trials and the best model as the candidate bundle."""
    params, contract = Params.load(), Contract.load()
    train = pd.read_parquet(files.TRAIN)
    leaderboard = pd.read_csv(files.LEADERBOARD)
    with Progress(transient=True) as progress:
        work = progress.add_task("tuning", total=params.tune.trials)
        trials = search(train, contract, params, leaderboard, lambda trial: progress.advance(work))
    best = trials[0]
    pipeline = models.build(
        models.MODELS[best.model], contract, params.task, params.seed, best.parameters
    )
    rows = Rows.of(train, contract)
    pipeline.fit(rows.X, rows.y)
    with tracking.run("tune", params.model_dump()) as run_id:
        bundle.save(
            files.CANDIDATE,
            pipeline,
            contract,
            golden_rows(train, contract, params.seed),
            model=best.model,
            parameters=dict(best.parameters),
            task=params.task,
            metric=params.metric,
            cross_validated=best.mean,
            run_id=run_id,
            data=files.read_json(files.RAW_RECORD)["sha256"],
            **tracking.commit(),
        )
        with files.replacing(files.TRIALS) as scratch:
            table(trials).to_csv(scratch, index=False, float_format="%.6g")
        tracking.log_table(train, "train", str(files.TRAIN))
        tracking.log_metrics({f"cv_{params.metric}": best.mean})
        tracking.log_trials(table(trials), params.metric, run_id)
        tracking.log_files([files.TRIALS])
    print(
        f"{len(trials)} trials; best: {best.model} with {params.metric} {best.mean:.4g} "
        f"± {best.standard_error:.2g} {dict(best.parameters) or '(default parameters)'}"
    )
