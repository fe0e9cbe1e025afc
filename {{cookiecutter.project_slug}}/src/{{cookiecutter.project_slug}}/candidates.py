"""Candidates: families with parameters, scored on every fold; kept in files between stages."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from . import files
from .errors import InputError
from .folds import Fold, Score
from .metrics import Metric
from .predictions import Array


@dataclass(frozen=True)
class Candidate:
    """A family with parameters, scored on every fold."""

    model: str
    parameters: Mapping[str, Any]
    scores: tuple[Score, ...]
    """One for each fold, in order."""

    @property
    def fold_scores(self) -> Array:
        """The metric on each fold."""
        return np.array([score.score for score in self.scores])

    @property
    def mean(self) -> float:
        """The mean of the folds' scores."""
        return float(self.fold_scores.mean())

    @property
    def standard_error(self) -> float:
        """The standard error of the mean over the folds."""
        return float(self.fold_scores.std(ddof=1) / np.sqrt(len(self.scores)))

    def seconds(self, clock: Literal["wall", "cpu"]) -> float:
        """Return how long all folds took together on a clock."""
        return sum(score.seconds(clock) for score in self.scores)

    def fit_seconds(self, clock: Literal["wall", "cpu"]) -> float:
        """Return how long it took on a clock to fit the rows of a fold, in the mean."""
        return float(np.mean([score.fit_seconds * score.share(clock) for score in self.scores]))

    def average(self, cost: str) -> float:
        """Return the mean over the folds of a field of `Score`."""
        return float(np.mean([getattr(score, cost) for score in self.scores]))

    def final_parameters(self, rounds: str | None) -> dict[str, Any]:
        """Return the parameters to fit all training rows with.

        More rows bear more rounds: a tenth above the mean of the folds.
        """
        counts = [score.rounds for score in self.scores if score.rounds]
        if rounds is None or not counts:
            return dict(self.parameters)
        return {**self.parameters, f"model__{rounds}": round(1.1 * float(np.mean(counts)))}

    def held_out(self, folds: list[Fold], size: int) -> Array:
        """Return what was said of each of `size` rows when it was held out; NaN if it never was."""
        shape = (size, *self.scores[0].values.shape[1:])
        values = np.full(shape, np.nan)
        for score, (_, rows) in zip(self.scores, folds, strict=True):
            values[rows] = score.values
        return values


COSTS = ("fit_seconds", "predict_seconds", "row_milliseconds", "megabytes")


def summarise(candidates: Iterable[Candidate], metric: Metric) -> pd.DataFrame:
    """Return a row for each candidate, the best first: mean score, its standard error, costs."""
    table = pd.DataFrame(
        [
            {
                "model": one.model,
                "mean": one.mean,
                "standard_error": one.standard_error,
                **{cost: one.average(cost) for cost in COSTS},
            }
            for one in candidates
        ]
    )
    return table.sort_values("mean", ascending=not metric.greater_is_better, kind="stable")


def save(path: Path, candidate: Candidate) -> None:
    """Write a candidate as an .npz file, whole or not at all."""
    facts = {"model": candidate.model, "parameters": dict(candidate.parameters)}
    scores = [{**asdict(s), "values": None} for s in candidate.scores]
    values = {f"fold_{s.fold}": s.values for s in candidate.scores}
    with files.replacing(path) as scratch:
        values["facts"] = np.array(json.dumps({**facts, "scores": scores}))
        np.savez(scratch, allow_pickle=False, **values)


def load_all(folder: Path) -> list[Candidate]:
    """Read the candidates in a folder.

    Raises:
        InputError: there are none.
    """
    found = [load(path) for path in sorted(folder.glob("*.npz"))]
    if not found:
        raise InputError(f"{folder}: no model has been compared yet; run `make run`")
    return found


def load(path: Path) -> Candidate:
    """Read a candidate that `save` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        facts = json.loads(str(arrays["facts"]))
        scores = [
            Score(**{**score, "values": arrays[f"fold_{score['fold']}"]})
            for score in facts["scores"]
        ]
    return Candidate(facts["model"], facts["parameters"], tuple(scores))
