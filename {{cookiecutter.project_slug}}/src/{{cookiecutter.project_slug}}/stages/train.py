"""train: compare the model families under the same cross-validation, as a leaderboard."""

from collections.abc import Callable

import pandas as pd
from rich.progress import Progress

from .. import candidates, files, metrics, models, tracking
from ..candidates import Candidate, summarise
from ..compute import parallel
from ..config import Params
from ..contract import Contract
from ..folds import Job, Rows, Score, make_folds, score_folds


def compare(
    train: pd.DataFrame,
    contract: Contract,
    params: Params,
    on_score: Callable[[Score], None] = lambda score: None,
) -> list[Candidate]:
    """Cross-validate every family of params.yaml with its default parameters."""
    metric = metrics.find(params.metric, params.task)
    families = models.find(params.train.models, params.task, len(train))
    folds = make_folds(train, contract, params.train.folds, params.seed)
    jobs = [
        Job(
            name,
            models.build(model, contract, params.task, params.seed),
            fold,
            model.rounds is not None,
        )
        for name, model in families.items()
        for fold in range(len(folds))
    ]
    with parallel(params.compute):
        scores = score_folds(jobs, Rows.of(train, contract), folds, metric, on_score)
    return [
        Candidate(name, {}, tuple(score for score in scores if score.name == name))
        for name in families
    ]


def main() -> None:
    """Write the leaderboard, and what the models said of held-out rows; record it in MLflow."""
    params, contract = Params.load(), Contract.load()
    train = pd.read_parquet(files.TRAIN)
    count = len(models.find(params.train.models, params.task, len(train)))
    with Progress(transient=True) as progress:
        work = progress.add_task("train", total=count * params.train.folds)
        compared = compare(train, contract, params, lambda score: progress.advance(work))
    board = summarise(compared, metrics.find(params.metric, params.task))
    with files.replacing(files.DEFAULTS) as scratch:
        scratch.mkdir()
        for one in compared:
            candidates.save(scratch / f"{one.model}.npz", one)
    with files.replacing(files.LEADERBOARD) as scratch:
        board.to_csv(scratch, index=False, float_format="%.6g")
    with tracking.run("train", params.model_dump()):
        tracking.log_metrics(dict(zip("cv_" + board["model"], board["mean"], strict=True)))
        tracking.log_files([files.LEADERBOARD])
    print(board.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
