"""Which candidates become the model: single ones and blends, by score and by cost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .candidates import Candidate
from .folds import Fold
from .metrics import Metric
from .predictions import Array, Classes, Predictions

Preference = Literal["accuracy", "balanced", "speed"]

TOLERANCE: dict[Preference, float] = {"accuracy": 0.0, "balanced": 1.0, "speed": 3.0}
"""How many standard errors of the difference a cheaper model may be behind the best one."""

MEMBERS = 4
POOL = 16  # candidates that blends are made of
KIN = 3  # of one family, before others of other families: what errs alike adds little to a blend
ALIKE = 2.0
"""Costs that differ by a smaller factor count as equal: some calls take longer than others."""
BUNDLE = 2.0
"""How much larger a bundle is, at most about, than the models of the folds: these learn from fewer
rows, and the numbers that the server computes with are not yet beside them."""
ROW = 1.2  # how much longer a row takes, likewise, where it is one of a table besides
STEPS = 12
ROWS = 8_000  # that a blend is chosen on


@dataclass(frozen=True)
class Choice:
    """Candidates and their weights, as one model."""

    members: tuple[int, ...]
    """Positions among the candidates."""
    weights: Array
    fold_scores: Array
    row_milliseconds: float
    row_calls: float
    megabytes: float

    @property
    def cost(self) -> float:
        """Latency times size.

        Latency in function calls, since the same seed shall choose the same model: a call takes
        0.15 to 0.3 microseconds in every family. Size is at least what a bundle has anyway.
        """
        return self.row_calls * max(self.megabytes, 0.01)


@dataclass(frozen=True)
class HeldOut:
    """What candidates said of rows that they had not learned from."""

    values: Mapping[int, Array]
    """For positions of candidates (n, classes) or (n,); NaN where a row was never held out."""
    y: Array
    classes: Classes | None
    folds: Sequence[Fold]

    def score(self, values: Array, metric: Metric, rows: Sequence[Array] | None = None) -> Array:
        """Return the metric of combined predictions on each fold."""
        held_out = rows or [fold[1] for fold in self.folds]
        return np.array([metric(self.y[r], Predictions(values[r], self.classes)) for r in held_out])


def best_first(candidates: Sequence[Candidate], metric: Metric) -> list[int]:
    """Return the positions of candidates, the best first."""
    sign = -1.0 if metric.greater_is_better else 1.0
    return sorted(range(len(candidates)), key=lambda i: sign * candidates[i].mean)


def pool(candidates: Sequence[Candidate], metric: Metric) -> list[int]:
    """Return the positions of the candidates for blends: the best, but of every family a few."""
    seen: Counter[str] = Counter()
    kin: list[int] = []
    more: list[int] = []
    for position in best_first(candidates, metric):
        family = candidates[position].model
        (kin if seen[family] < KIN else more).append(position)
        seen[family] += 1
    return [*kin[: POOL - POOL // 4], *more, *kin[POOL - POOL // 4 :]][:POOL]


def single(candidates: Sequence[Candidate]) -> list[Choice]:
    """Return each candidate as a choice by itself."""
    return [
        Choice(
            (position,),
            np.ones(1),
            one.fold_scores,
            one.average("row_milliseconds"),
            one.average("row_calls"),
            one.average("megabytes"),
        )
        for position, one in enumerate(candidates)
    ]


def blends(
    candidates: Sequence[Candidate], held_out: HeldOut, metric: Metric, seed: int
) -> list[Choice]:
    """Return weighted means of few candidates, chosen greedily (Caruana et al. 2004).

    Those with held-out predictions are added, with repetition, as long as the mean of the folds'
    scores grows; each step with another set of members is a choice.
    """
    sign = 1.0 if metric.greater_is_better else -1.0
    pool = list(held_out.values)
    rng = np.random.default_rng(seed)
    size = max(ROWS // len(held_out.folds), 1)
    rows = [rng.permutation(fold[1])[:size] for fold in held_out.folds]
    counts = np.zeros(len(candidates))
    total = np.zeros_like(held_out.values[pool[0]])
    best, found = -np.inf, {}
    for step in range(1, STEPS + 1):
        allowed = pool if (counts > 0).sum() < MEMBERS else [i for i in pool if counts[i]]
        scores = {
            i: sign * held_out.score((total + held_out.values[i]) / step, metric, rows).mean()
            for i in allowed
        }
        winner = max(scores, key=lambda i: scores[i])
        if not scores[winner] > best:
            break
        best = scores[winner]
        counts[winner] += 1
        total = total + held_out.values[winner]
        found[tuple(np.flatnonzero(counts).tolist())] = counts / step
    return [
        _choice(members, weights[list(members)], candidates, held_out, metric)
        for members, weights in found.items()
        if len(members) > 1
    ]


def _choice(
    members: tuple[int, ...],
    weights: Array,
    candidates: Sequence[Candidate],
    held_out: HeldOut,
    metric: Metric,
) -> Choice:
    values = np.asarray(sum(w * held_out.values[i] for w, i in zip(weights, members, strict=True)))
    return Choice(
        members,
        weights,
        held_out.score(values, metric),
        sum(candidates[i].average("row_milliseconds") for i in members),
        sum(candidates[i].average("row_calls") for i in members),
        sum(candidates[i].average("megabytes") for i in members),
    )


def behind(choice: Choice, best: Choice, metric: Metric) -> tuple[float, float]:
    """Return by how much a choice is behind another, and the standard error of that over folds."""
    sign = 1.0 if metric.greater_is_better else -1.0
    differences = sign * (best.fold_scores - choice.fold_scores)
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return float(differences.mean()), float(error)


def is_within(
    row_milliseconds: float, megabytes: float, max_milliseconds: float, max_megabytes: float
) -> bool:
    """Return whether what models of the folds cost lets the released one keep the limits."""
    return ROW * row_milliseconds <= max_milliseconds and BUNDLE * megabytes <= max_megabytes


def prefer(
    choices: Sequence[Choice],
    metric: Metric,
    preference: Preference,
    max_milliseconds: float,
    max_megabytes: float,
) -> Choice:
    """Return the cheapest choice that is not clearly behind the best one; of several, the best.

    Clearly is by more standard errors of the difference, on the same folds, than `TOLERANCE` has
    for the preference (the one-standard-error rule of Breiman et al. 1984, paired). Choices beyond
    the limits are left out while others are there.
    """
    sign = 1.0 if metric.greater_is_better else -1.0
    limits = max_milliseconds, max_megabytes
    within = [
        one for one in choices if is_within(one.row_milliseconds, one.megabytes, *limits)
    ] or [min(choices, key=lambda one: one.cost)]
    best = max(within, key=lambda one: sign * one.fold_scores.mean())
    close = []
    for one in within:
        difference, error = behind(one, best, metric)
        if difference <= TOLERANCE[preference] * error:
            close.append(one)
    cheap = ALIKE * min(one.cost for one in close)
    return max(
        (one for one in close if one.cost <= cheap), key=lambda one: sign * one.fold_scores.mean()
    )
