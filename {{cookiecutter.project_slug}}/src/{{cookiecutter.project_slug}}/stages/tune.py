"""tune: search for the best model within the budget and fit it on all training rows."""

import json
import shutil
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import BarColumn, Progress, TextColumn

from .. import blending, bundle, candidates, files, metrics, reference, tracking
from ..assembly import choose, finish, held_out
from ..blending import Choice
from ..budget import Budget
from ..compute import parallel
from ..config import Params
from ..contract import Contract
from ..contract.cells import Cell, rows_of_table
from ..ensemble import Ensemble
from ..errors import InputError
from ..features.encoding import words
from ..folds import Rows, make_folds
from ..predictions import Predictions
from ..search import Search

GOLDEN_ROWS = 20
INTERRUPTED = 130  # the exit code of a command that Ctrl-C ended


def table(search: Search, choices: Sequence[Choice], chosen: Choice) -> pd.DataFrame:
    """Return candidates, blends and trials that were given up as a table, the best first."""
    metric, found = search.metric, search.candidates
    sign = 1.0 if metric.greater_is_better else -1.0
    best = max(choices, key=lambda one: sign * one.fold_scores.mean())
    rows: list[dict[str, Any]] = []
    for one in choices:
        members = [found[i] for i in one.members]
        difference, error = blending.behind(one, best, metric)
        rows.append(
            {
                "model": " + ".join(member.model for member in members),
                "mean": float(one.fold_scores.mean()),
                "standard_error": float(
                    one.fold_scores.std(ddof=1) / np.sqrt(len(one.fold_scores))
                ),
                "behind": difference,
                "behind_error": error,
                "row_milliseconds": one.row_milliseconds,
                "row_calls": one.row_calls,
                "megabytes": one.megabytes,
                "chosen": one is chosen,
                "parameters": json.dumps([dict(member.parameters) for member in members]),
            }
        )
    given_up = [
        {"model": t.model, "mean": t.first_fold, "parameters": json.dumps([dict(t.parameters)])}
        for t in search.trials
        if not t.candidate
    ]
    ordered = sorted(rows, key=lambda row: -sign * row["mean"])
    return pd.DataFrame(ordered + [{**row, "chosen": False} for row in given_up])


def golden_rows(train: pd.DataFrame, contract: Contract, seed: int) -> list[tuple[Cell, ...]]:
    """Return rows of cells to test a bundle with.

    Each column is drawn by itself, and the words of texts are mixed, so that no row is a person of
    the training data and no text what one wrote.
    """
    rng = np.random.default_rng(seed)
    drawn = {
        name: train[name].sample(GOLDEN_ROWS, replace=True, random_state=rng).reset_index(drop=True)
        for name in contract.features
    }
    texts = [name for name, column in contract.features.items() if column.type == "text"]
    drawn |= {name: mixed(drawn[name], rng) for name in texts}
    return rows_of_table(pd.DataFrame(drawn).astype(train.dtypes[[*drawn]]), contract)


def mixed(cells: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Return texts of as many words, drawn from those of all cells; a missing one is missing."""
    split = cells.map(words, na_action="ignore")
    pool = [word for each in split.dropna() for word in each] or ["text"]
    return split.map(
        lambda each: " ".join(rng.permutation(pool)[: max(1, len(each))]), na_action="ignore"
    )


def fingerprint(params: Params, contract: Contract) -> str:
    """Return a digest of all that a trial depends on: data, contract, parameters, code."""
    digest = sha256(files.sha256(files.TRAIN).encode())
    digest.update(contract.model_dump_json().encode())
    kept = params.model_dump(include={"seed", "task", "metric", "train"})
    digest.update(json.dumps({**kept, "models": params.tune.models}, sort_keys=True).encode())
    for path in sorted(Path(__file__).parent.parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def explore(search: Search, params: Params, budget: Budget) -> bool:
    """Run the search, showing its progress; returns whether Ctrl-C ended it."""
    tune, sign = params.tune, 1 if search.metric.greater_is_better else -1
    total = tune.trials or tune.seconds
    columns = (TextColumn("tune"), BarColumn(), TextColumn("{task.fields[state]}"))
    with Progress(*columns, transient=True) as progress:
        work = progress.add_task("tune", total=total, state="")

        def show(*_: Any) -> None:
            best = max(search.candidates, key=lambda one: sign * one.mean)
            left = f"{max(budget.left, 0):.0f} s left" if tune.seconds else ""
            tried = f"{len(search.trials)} of {tune.trials}" if tune.trials else len(search.trials)
            state = f"{tried} trials  best {best.model} {best.mean:.4g}  {left}"
            done = len(search.trials) if tune.trials else budget.spent
            progress.update(work, completed=done, state=state)

        show()
        try:
            with search.stop.heard():
                search.run(budget, show, show)
        except KeyboardInterrupt:
            return True
    return False


def main() -> None:
    """Write the trials and the preferred model as the candidate bundle."""
    params, contract = Params.load(), Contract.load()
    train = pd.read_parquet(files.TRAIN)
    folder = files.SEARCH / fingerprint(params, contract)
    with files.writing(folder), parallel(params.compute):
        budget = Budget(params.tune.seconds, params.tune.clock)
        tracking.connect()  # so that a server that does not answer is told before all the work
        folds = make_folds(train, contract, params.train.folds, params.seed)
        defaults = candidates.load_all(files.DEFAULTS)
        for score, (_, held_out) in zip(defaults[0].scores, folds, strict=False):
            if len(score.values) != len(held_out):
                raise InputError(
                    f"{files.DEFAULTS}: compared on other folds than those of params.yaml and the "
                    "training rows; run `make run`"
                )
        search = Search(
            Rows.of(train, contract),
            folds[: len(defaults[0].scores)],  # those that `train` had the time for
            contract,
            params,
            metrics.find(params.metric, params.task),
            defaults,
            folder,
        )
        budget.resume(search.spent)
        interrupted = explore(search, params, budget)
        choices, choice = choose(search, budget.left)
        model = finish(search, choice)
        spent = budget.spent
    write(model, search, choices, choice, train, params, contract)
    print(
        f"{len(search.trials)} trials in {spent:.1f} s; chosen: {name(search, choice)} with "
        f"{params.metric} {choice.fold_scores.mean():.4g}, {choice.row_milliseconds:.2g} ms a row, "
        f"{choice.megabytes:.2g} MB"
    )
    if interrupted:
        print("Interrupted: the best so far is the candidate. `make run` goes on with the search.")
        sys.exit(INTERRUPTED)
    shutil.rmtree(folder)


def held_out_predictions(search: Search, choice: Choice, model: Ensemble) -> Predictions:
    """Return what the chosen model says of training rows that its members had not learned from."""
    said = held_out(search, choice.members).values
    values = [said[i] for i in choice.members]
    known = ~np.isnan(values[0].reshape(len(values[0]), -1)[:, 0])
    combined = model.combination([one[known] for one in values])
    return Predictions(combined, search.rows.classes, model.costs)


def name(search: Search, choice: Choice) -> str:
    """Return what a choice is called: its families."""
    return " + ".join(search.candidates[i].model for i in choice.members)


def write(
    model: Ensemble,
    search: Search,
    choices: Sequence[Choice],
    choice: Choice,
    train: pd.DataFrame,
    params: Params,
    contract: Contract,
) -> None:
    """Write the candidate bundle and the table of trials, and record them in MLflow."""
    members = [search.candidates[i] for i in choice.members]
    trials = table(search, choices, choice)
    said = held_out_predictions(search, choice, model)
    with tracking.run("tune", params.model_dump()) as run_id:
        bundle.save(
            files.CANDIDATE,
            model,
            contract,
            golden_rows(train, contract, params.seed),
            reference.describe(train, contract, said),
            model=name(search, choice),
            members=[
                {"model": one.model, "weight": float(weight), "parameters": dict(one.parameters)}
                for one, weight in zip(members, choice.weights, strict=True)
            ],
            task=params.task,
            metric=params.metric,
            cross_validated=float(choice.fold_scores.mean()),
            run_id=run_id,
            data=files.read_json(files.RAW_RECORD)["sha256"],
            params=params.model_dump(),
            **tracking.commit(),
        )
        with files.replacing(files.TRIALS) as scratch:
            trials.to_csv(scratch, index=False, float_format="%.6g")
        tracking.log_table(train, "train", str(files.TRAIN))
        tracking.log_metrics({f"cv_{params.metric}": float(choice.fold_scores.mean())})
        tracking.log_trials(trials, params.metric, run_id)
        tracking.log_files([files.TRIALS])
