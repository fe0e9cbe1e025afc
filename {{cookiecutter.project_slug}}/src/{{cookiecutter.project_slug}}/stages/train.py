"""train: compare the model families under the same cross-validation, as a leaderboard."""

from collections.abc import Callable

import pandas as pd
from joblib import parallel_config
from rich.progress import Progress

from .. import files, metrics, models, tracking
from ..config import Params
from ..contract import Contract
from ..folds import Rows, Score, cross_validate, make_folds, summarise


def compare(
    train: pd.DataFrame,
    contract: Contract,
    params: Params,
    on_score: Callable[[Score], None] = lambda score: None,
) -> pd.DataFrame:
    """Cross-validate every model of params.yaml with its default parameters.

    Returns:
        The leaderboard, best first: model, mean, standard_error, fit_seconds, predict_seconds.
    """
    metric = metrics.find(params.metric, params.task)
    pipelines = {
        name: models.build(model, contract, params.task, params.seed)
        for name, model in models.find(params.train.models, "train.models").items()
    }
    folds = make_folds(train, contract, params.train.folds, params.seed)
    with parallel_config(n_jobs=params.compute.workers):
        scores = cross_validate(pipelines, Rows.of(train, contract), folds, metric, on_score)
    return summarise(scores, metric)


def main() -> None:
    """Write the leaderboard and record it in MLflow."""
    params, contract = Params.load(), Contract.load()
    train = pd.read_parquet(files.TRAIN)
    with Progress(transient=True) as progress:
        count = len(models.find(params.train.models, "train.models"))
        work = progress.add_task("cross-validation", total=count * params.train.folds)
        table = compare(train, contract, params, lambda score: progress.advance(work))
    with files.replacing(files.LEADERBOARD) as scratch:
        table.to_csv(scratch, index=False, float_format="%.6g")
    with tracking.run("train", params.model_dump()):
        tracking.log_metrics(dict(zip("cv_" + table["model"], table["mean"], strict=True)))
        tracking.log_files([files.LEADERBOARD])
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
