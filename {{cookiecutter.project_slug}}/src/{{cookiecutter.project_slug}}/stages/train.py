"""train: compare the model families under the same cross-validation, as a leaderboard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import pandas as pd
from rich.progress import Progress

from .. import candidates, files, metrics, models, tracking
from ..budget import Budget
from ..candidates import Candidate, summarise
from ..compute import parallel
from ..config import Params
from ..contract import Contract
from ..deadline import Deadline
from ..errors import InputError
from ..folds import Fold, Job, Rows, Score, Unfit, make_folds, score_folds
from ..metrics import Metric

ALWAYS = (models.BASELINE, "linear", "boosting")  # are compared, however short the time
WRITING = 0.5  # seconds to write what came of it, and to note it in MLflow, about
QUICK = 0.2  # the share of the time that the others have at least
SLOW = "it takes too long for tune.seconds; name it in train.models to have it all the same"
FEWEST = 2  # folds
FEWER = "the others would take too long for tune.seconds; name train.models to have them all"
CUT = "it would have learned on, had tune.seconds been more"


@dataclass
class Comparison:
    """Families, their scores so far, and why some have none."""

    contract: Contract
    params: Params
    rows: Rows
    folds: list[Fold]
    """The first ones alone, where the time is short for all."""
    metric: Metric
    on_score: Callable[[Score], None]
    jobs: dict[str, list[Job]] = field(default_factory=dict)
    """Of each family, one for each fold that the contract calls for."""
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of each family, where they are not the defaults."""
    scores: dict[str, list[Score]] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)

    def prepare(self, name: str, seconds: float | None = None) -> None:
        """Make the jobs of a family, which takes no more than so many seconds for its rounds."""
        model, params = models.MODELS[name], self.params
        parameters = self.parameters.get(name, {})
        built = models.build(model, self.contract, params.task, params.seed, parameters)
        stops, count = model.rounds is not None, len(self.folds)
        self.jobs[name] = [Job(name, built, fold, stops, seconds) for fold in range(count)]

    def cut_short(self, name: str) -> bool:
        """Return whether a family stopped on some fold since its seconds were over."""
        return any(
            job.stops and job.seconds is not None and score.fit_seconds > job.seconds
            for job, score in zip(self.jobs[name], self.scores.get(name, []), strict=False)
        )

    def compare(self, names: Sequence[str], budget: Budget, seconds: float) -> None:
        """Score families on as many folds as there is time for, but on two at least.

        Those that learn in rounds have half of the time, or what the others leave: those that are
        cut short are scored again, in fewer rounds.
        """
        patient = [name for name in names if models.MODELS[name].rounds is None]
        self.score(patient, slice(1))
        firsts = [self.scores[name][0] for name in patient if name in self.scores]
        each = sum(one.seconds(budget.clock) for one in firsts) / budget.workers
        self.folds = self.folds[: max(FEWEST, int(seconds / 2 / each))]
        self.score(patient, slice(1, None))
        turns = 2 + ceil((len(self.folds) - 1) / budget.workers)
        share = max(seconds - len(self.folds) * each, seconds / 2) / turns
        others = [name for name in names if name not in patient]
        for name in others:
            self.prepare(name, share)
        self.score(others, slice(1))
        hurried = [name for name in others if self.cut_short(name) and models.MODELS[name].hurried]
        for name in hurried:
            given = models.MODELS[name].hurried
            self.parameters[name] = {f"model__{key}": value for key, value in given.items()}
            self.prepare(name, share)
            del self.scores[name]
        self.score(hurried, slice(1))
        self.score(others, slice(1, None))

    def score(self, names: Sequence[str], which: slice, deadline: Deadline | None = None) -> None:
        """Score families on some folds."""

        def note(error: Unfit) -> None:
            name, reason = error.args
            if name == models.BASELINE:  # which takes any rows: the fault is in the features
                raise error
            self.unfit[name] = reason

        jobs = [job for name in names for job in self.jobs[name][: len(self.folds)][which]]
        work = (jobs, self.rows, self.folds, self.metric)
        for score in score_folds(*work, self.on_score, deadline, note):
            self.scores.setdefault(score.name, []).append(score)

    def hurry(self, names: Sequence[str], deadline: Deadline, workers: int) -> None:
        """Score families on the first fold, then the best there on the others, until a deadline.

        All first folds together may take half of the time: what quick ones leave is for slow ones.
        """
        half = deadline.after(deadline.left / 2)
        for start in range(0, len(names), workers):
            share = half.left / ceil((len(names) - start) / workers)
            some = names[start : start + workers]
            self.score(some, slice(1), deadline.after(share))
        firsts = {name: self.scores[name][0] for name in names if name in self.scores}
        sign = 1.0 if self.metric.greater_is_better else -1.0
        left = deadline.left * workers
        timely = []
        for name in sorted(firsts, key=lambda name: -sign * firsts[name].score):
            seconds = firsts[name].seconds(deadline.clock) * (len(self.folds) - 1)
            if seconds < left:
                left -= seconds
                timely.append(name)
        self.score(timely, slice(1, None), deadline)


def compare(
    train: pd.DataFrame,
    contract: Contract,
    params: Params,
    on_score: Callable[[Score], None] = lambda score: None,
    on_note: Callable[[str], None] = print,
) -> list[Candidate]:
    """Cross-validate the families with their default parameters.

    Those that params.yaml does not name are left out, with a note, where they cannot be fitted or
    would make it take longer than `tune.seconds`; boosting stops early then.

    Raises:
        InputError: one that params.yaml names cannot be fitted to these rows.
    """
    families = models.find(params.train.models, params.task, len(train))
    folds = make_folds(train, contract, params.train.folds, params.seed)
    metric = metrics.find(params.metric, params.task)
    found = Comparison(contract, params, Rows.of(train, contract), folds, metric, on_score)
    for name in families:
        found.prepare(name)
    with parallel(params.compute):
        budget = Budget(params.tune.seconds, params.tune.clock)
        deadline = budget.deadline(WRITING)
        hurried = [name for name in families if name not in ALWAYS and not params.train.models]
        if deadline is None or not hurried:
            found.score([*families], slice(None))
        else:
            always = [name for name in families if name in ALWAYS]
            left = max(deadline.left, 0)
            found.compare(always, budget, left * (1 - QUICK))
            # What these leave is for the others, which have a part even if they leave nothing.
            until = deadline.after(max(deadline.left, left * QUICK))
            found.hurry(hurried, until, budget.workers)
    if len(found.folds) < len(folds):
        on_note(f"{len(found.folds)} of {len(folds)} folds: {FEWER}")
    whole = {name: s for name, s in found.scores.items() if len(s) == len(found.folds)}
    for name in families:
        reason = found.unfit.get(name, SLOW)
        if name in found.unfit and params.train.models:
            raise InputError(
                f"params.yaml: train.models: {name} cannot be fitted to these rows ({reason}); "
                "leave it out"
            )
        if name not in whole:
            on_note(f"{name} is left out: {reason}")
        elif found.cut_short(name):
            on_note(f"{name} stopped early: {CUT}")
    parameters = {name: found.parameters.get(name, {}) for name in families}
    return [Candidate(n, parameters[n], tuple(whole[n])) for n in families if n in whole]


def main() -> None:
    """Write the leaderboard, and what the models said of held-out rows; record it in MLflow."""
    params, contract = Params.load(), Contract.load()
    tracking.connect()  # so that a server that does not answer is told before all the work
    train = pd.read_parquet(files.TRAIN)
    count = len(models.find(params.train.models, params.task, len(train)))
    notes: list[str] = []
    with Progress(transient=True) as progress:
        work = progress.add_task("train", total=count * params.train.folds)
        compared = compare(
            train, contract, params, lambda score: progress.advance(work), notes.append
        )
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
    for note in notes:
        print(note)
