"""The search for parameters: a portfolio first, then Optuna, by rounds, within a budget."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

from . import candidates, models
from .blending import MEMBERS, POOL, is_within
from .budget import Budget
from .candidates import Candidate
from .config import Params
from .contract import Contract
from .deadline import Deadline
from .folds import Fold, Job, Rows, Score, Unfit, score_folds
from .interruption import Stop
from .metrics import Metric

ROUND = 4  # trials that are asked for at once, whatever the number of workers
ROUNDS = 4  # that shall at least fit into the time that is left
ROUND_SHARE = 0.8  # of the time that is left, which a round may fit models for
WRITING = 2.0  # seconds to choose, to write the model and to note it in MLflow, about
MEGABYTE = 0.4  # seconds more for each that the model has
RECORDING = 0.015  # seconds to note one trial in MLflow


@dataclass(frozen=True)
class Trial:
    """A family with parameters that the search has tried."""

    trial: int
    model: str
    parameters: Mapping[str, Any]
    first_fold: float
    """The score there; families that are clearly behind there are not scored on the others."""
    seconds: float
    candidate: Candidate | None
    """None for one that was given up after the first fold."""


@dataclass
class Search:
    """What is searched, and what came of it so far.

    Each family has a study of its own with the tree-structured Parzen estimator (Bergstra et al.
    2011), in a journal of its own, so that a search that was interrupted goes on.
    """

    rows: Rows
    folds: list[Fold]
    contract: Contract
    params: Params
    metric: Metric
    defaults: Sequence[Candidate]
    """Every family with its default parameters: the first candidates."""
    folder: Path
    """Where trials are kept until the search has ended."""
    stop: Stop = field(default_factory=Stop)
    trials: list[Trial] = field(default_factory=list)
    spent: float = 0.0
    """Seconds of the budget that an interrupted search took."""

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._unfit: set[str] = set()
        self._lost: set[str] = set()  # families of which a trial did not end in time
        self._sign = 1.0 if self.metric.greater_is_better else -1.0
        self._skewed = self.params.task == "regression" and models.is_skewed(self.rows.y)
        self.folder.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(self.folder / "optuna.log")))
        direction = (
            StudyDirection.MAXIMIZE if self.metric.greater_is_better else StudyDirection.MINIMIZE
        )
        self._studies = {
            name: optuna.create_study(
                study_name=name, storage=storage, direction=direction, load_if_exists=True
            )
            for name in [*self.families, *self.late]
        }
        self._resume()

    @property
    def late(self) -> list[str]:
        """The families that `train` had no time for, until they are tried: those that can hurry."""
        if self.params.train.models or not self.families:
            return []
        known = {one.model for one in self.defaults} | {t.model for t in self.trials} | self._lost
        suited = models.find(None, self.params.task, len(self.rows.y))
        return [n for n, one in suited.items() if one.hurried and n not in known]

    @property
    def families(self) -> list[str]:
        """The other families that are searched, ranked by the first candidate of each."""
        firsts: dict[str, Candidate] = {}
        for one in self.candidates:
            firsts.setdefault(one.model, one)
        firsts.pop(models.BASELINE, None)
        ranked = sorted(firsts.values(), key=lambda one: -self._sign * one.mean)
        return [one.model for one in ranked][: self.params.tune.models]

    @property
    def candidates(self) -> list[Candidate]:
        """All that was scored on every fold."""
        return [*self.defaults, *(t.candidate for t in self.trials if t.candidate)]

    def run(
        self,
        budget: Budget,
        on_trial: Callable[[Trial], None] = lambda trial: None,
        on_score: Callable[[Score], None] = lambda score: None,
    ) -> None:
        """Try parameters until the trials or the seconds run out.

        Raises:
            KeyboardInterrupt: Ctrl-C; all trials up to then are kept.
        """

        def count(score: Score) -> None:
            budget.charge(score.cpu_seconds)
            on_score(score)

        while True:
            deadline = budget.deadline(self.reserve())
            left = np.inf if deadline is None else deadline.left * budget.workers
            picked = self._pick(left)
            if not picked:
                break
            # A trial that learns in rounds stops early rather than to be lost at the deadline. What
            # the last fit of a new family takes is not in the reserve yet.
            fits = len(picked) * len(self.folds) + (picked[0].model in self.late)
            share = ROUND_SHARE * left / fits
            start = time.monotonic()
            firsts = self._score(picked, [0], count, deadline, share)
            kept = [one for one in picked if one in firsts and self._promising(one, firsts[one][0])]
            rest = self._score(kept, range(1, len(self.folds)), count, deadline, share)
            seconds = (time.monotonic() - start) / len(picked)
            for one in picked:
                scores = [*firsts.get(one, []), *rest.get(one, [])]
                whole = len(scores) == len(self.folds)
                if one.name in self._unfit:
                    first = self._worst()
                elif not scores or (one in kept and not whole):
                    self._lost.add(one.model)
                    continue  # out of time
                else:
                    first = scores[0].score
                candidate = Candidate(one.model, one.parameters, tuple(scores)) if whole else None
                trial = Trial(one.number, one.model, one.parameters, first, seconds, candidate)
                self._keep(one, trial, budget.spent)
                on_trial(trial)

    def reserve(self) -> float:
        """Return how long what follows the search may take: the last fit of a blend, and writing.

        A blend is of the best of each family, or of several of one: of those that may be chosen.
        """
        tune = self.params.tune
        limits = tune.max_milliseconds, tune.max_megabytes
        known = self._best()
        best = [
            one
            for one in known
            if is_within(one.average("row_milliseconds"), one.average("megabytes"), *limits)
        ] or known
        of_family: dict[str, Candidate] = {}
        for one in best:
            of_family.setdefault(one.model, one)
        blends = best[:MEMBERS], [*of_family.values()][:MEMBERS]
        fits = max(sum(self.refit_seconds(one) for one in blend) for blend in blends)
        size = max(sum(one.average("megabytes") for one in blend) for blend in blends)
        size = min(size, tune.max_megabytes)
        return fits + WRITING + MEGABYTE * size + RECORDING * len(self.trials)

    def refit_seconds(self, one: Candidate) -> float:
        """Return how long it takes on the budget's clock to fit all training rows, about."""
        growth = len(self.rows.y) / np.mean([len(learned) for learned, _ in self.folds])
        return float(growth * one.fit_seconds(self.params.tune.clock))

    def _pick(self, left: float) -> list["Pick"]:
        """Return the next trials: of better families more, of each its portfolio first.

        Fewer at once where they take long, since a round that does not end in time is lost, and
        none of a family that would take longer than what is left. Before them, and alone, what
        `train` had no time for.

        Args:
            left: seconds of all processes together.
        """
        found: list[Pick] = []
        first, families = 1 + max((t.trial for t in self.trials), default=-1), self.families
        limit = self.params.tune.trials or np.inf
        if self.late and left > 0 and len(self.trials) < limit:
            name = self.late[0]
            hurried = models.MODELS[name].hurried.items()
            return [Pick(first, name, {f"model__{key}": value for key, value in hurried}, None)]
        tried = {name: [t for t in self.trials if t.model == name] for name in families}
        counts = {name: float(len(tried[name])) for name in families}
        queues = {
            name: deque(models.MODELS[name].portfolio(self.params.task, self._skewed))
            for name in families
        }
        seen = {name: [dict(t.parameters) for t in tried[name]] for name in families}
        spaces = {n: models.MODELS[n].space(self.params.task, self._skewed) for n in families}
        seconds, expected = {n: self._seconds(n) for n in families}, 0.0
        while len(found) < ROUND and len(self.trials) + len(found) < limit:
            able = [n for n in families if (queues[n] or spaces[n]) and seconds[n] <= left]
            if not able:
                break
            # The family that is furthest behind its share, which falls with its rank.
            name = min(able, key=lambda n: (counts[n] + 1) * (families.index(n) + 1))
            expected += seconds[name]
            if found and expected * ROUNDS > left:
                break
            number = first + len(found)
            counts[name] += 1
            while queues[name] and queues[name][0] in seen[name]:
                queues[name].popleft()
            if queues[name]:
                found.append(Pick(number, name, queues[name].popleft(), None))
            elif spaces[name]:
                study = self._studies[name]
                # Seeded by the trial, so that a search that goes on asks what it would have asked.
                study.sampler = optuna.samplers.TPESampler(
                    n_startup_trials=4, constant_liar=True, seed=self.params.seed + number
                )
                asked = study.ask(spaces[name])
                found.append(Pick(number, name, asked.params, asked))
        return found

    def _seconds(self, family: str) -> float:
        """Return how long a trial of a family takes on one core, by those that were whole."""
        took = [c for c in self.candidates if c.model == family]
        return float(np.mean([c.seconds(self.params.tune.clock) for c in took]))

    def _score(
        self,
        picked: Sequence["Pick"],
        which: Sequence[int],
        on_score: Callable[[Score], None],
        deadline: Deadline | None,
        seconds: float,
    ) -> dict["Pick", list[Score]]:
        jobs = [job for one in picked for job in self._jobs(one, which, seconds)]
        with self.stop.allowed():
            scores = score_folds(
                jobs, self.rows, self.folds, self.metric, on_score, deadline, self._leave
            )
        found: dict[Pick, list[Score]] = {}
        for one in picked:
            own = [score for score in scores if score.name == one.name]
            if own:
                found[one] = own
        return found

    def _leave(self, error: Unfit) -> None:
        """Note what does not take its rows, such as fewer of a class than it asks for."""
        self._unfit.add(error.args[0])

    def _worst(self) -> float:
        """Return the worst score of the first fold: that of what cannot be fitted."""
        return min((c.scores[0].score for c in self.candidates), key=lambda s: self._sign * s)

    def _jobs(self, one: "Pick", which: Sequence[int], seconds: float) -> Iterator[Job]:
        model = models.MODELS[one.model]
        pipeline = models.build(
            model, self.contract, self.params.task, self.params.seed, one.parameters
        )
        for fold in which:
            yield Job(one.name, pipeline, fold, model.rounds is not None, seconds)

    def _best(self) -> list[Candidate]:
        known = [c for c in self.candidates if c.model != models.BASELINE]
        return sorted(known, key=lambda c: -self._sign * c.mean)

    def _promising(self, one: "Pick", first: Score) -> bool:
        """Return whether the first fold's score is clearly behind neither family nor pool there."""
        known = self._best()
        own = next((c for c in known if c.model == one.model), None)
        if own and self._sign * (own.scores[0].score - first.score) > own.standard_error:
            return False
        best, leader = known[: POOL // 2], known[0]
        worst = min(self._sign * c.scores[0].score for c in best)
        behind = self._sign * (leader.scores[0].score - first.score)
        return self._sign * first.score >= worst or behind <= leader.standard_error

    def _keep(self, one: "Pick", trial: Trial, spent: float) -> None:
        """Tell the family's study, and write what a search that goes on needs."""
        self.trials.append(trial)
        if trial.candidate:
            candidates.save(self.folder / f"trial_{trial.trial}.npz", trial.candidate)
        facts = {
            "trial": trial.trial,
            "parameters": json.dumps(dict(trial.parameters)),
            "first_fold": trial.first_fold,
            "seconds": trial.seconds,
            "spent": spent,
        }
        # What was given up was behind on the first fold alone: folds differ more than parameters.
        leader = self._best()[0]
        behind = trial.first_fold - leader.scores[0].score
        value = trial.candidate.mean if trial.candidate else leader.mean + behind
        study = self._studies[trial.model]
        space = models.MODELS[trial.model].space(self.params.task, self._skewed)
        known = {name: value for name, value in trial.parameters.items() if name in space}
        if one.asked:
            for name, fact in facts.items():
                one.asked.set_user_attr(name, fact)
            study.tell(one.asked, value)
        else:
            study.add_trial(
                optuna.trial.create_trial(
                    params=known,
                    distributions={name: space[name] for name in known},
                    value=value,
                    user_attrs=facts,
                )
            )

    def _resume(self) -> None:
        """Take up the trials of a search that was interrupted."""
        for name, study in self._studies.items():
            for old in study.get_trials(deepcopy=False):
                if old.state == TrialState.RUNNING:
                    study.tell(old.number, state=TrialState.FAIL)
                if old.state != TrialState.COMPLETE:
                    continue
                facts = old.user_attrs
                path = self.folder / f"trial_{facts['trial']}.npz"
                self.trials.append(
                    Trial(
                        facts["trial"],
                        name,
                        json.loads(facts["parameters"]),
                        facts["first_fold"],
                        facts["seconds"],
                        candidates.load(path) if path.exists() else None,
                    )
                )
                self.spent = max(self.spent, facts["spent"])
        self.trials.sort(key=lambda trial: trial.trial)


@dataclass(frozen=True, eq=False)
class Pick:
    """A trial to come."""

    number: int
    model: str
    parameters: Mapping[str, Any]
    asked: optuna.trial.Trial | None
    """None for one of the portfolio."""

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return f"{self.model} {self.number}"
