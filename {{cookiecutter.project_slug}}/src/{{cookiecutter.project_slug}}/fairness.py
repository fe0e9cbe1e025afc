"""Gaps between groups of people, by the definitions of fairlearn (Weerts et al. 2023)."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .comparison import Estimate, gap
from .config import Params
from .contract import Contract
from .predictions import Array, Predictions
from .slices import Mask, groups

LEAST = 20  # rows of a group
RESAMPLES = 500

TITLES = {
    "demographic_parity_difference": "largest difference in how often a class is predicted",
    "demographic_parity_ratio": "smallest ratio of how often a class is predicted",
    "equalized_odds_difference": "largest difference of its true or false positive rates",
    "mean_prediction_difference": "largest difference of the mean prediction",
    "mean_absolute_error_difference": "largest difference of the mean absolute error",
}


@dataclass(frozen=True)
class Gaps:
    """What differs between the groups of a sensitive column."""

    measures: dict[str, Estimate]
    sizes: dict[str, int]
    left_out: dict[str, int]
    """Groups with too few rows, with their sizes."""


def measure(
    frame: pd.DataFrame, y: Array, predictions: Predictions, contract: Contract, params: Params
) -> dict[str, Gaps]:
    """Return the gaps of every sensitive column, by name.

    Args:
        frame: typed test rows, shape (n, columns).
        y: outcomes, shape (n,).
        predictions: of the same rows.
        contract: names the sensitive columns.
        params: confidence and seed of the intervals.
    """
    sensitive = [name for name, column in contract.kept.items() if column.sensitive]
    return {
        name: _gaps(groups(frame[name], contract.columns[name]), y, predictions, params)
        for name in sensitive
        if name != contract.target and contract.columns[name].type != "text"
    }


def _gaps(found: dict[str, Mask], y: Array, predictions: Predictions, params: Params) -> Gaps:
    sizes = {label: int(rows.sum()) for label, rows in found.items()}
    kept = {label: rows for label, rows in found.items() if sizes[label] >= LEAST}
    measures: dict[str, Estimate] = {}
    if len(kept) > 1:
        of = _of_numbers if predictions.classes is None else _of_classes
        measures = of(list(kept.values()), y, predictions, params)
    return Gaps(
        measures,
        {label: sizes[label] for label in kept},
        {label: size for label, size in sizes.items() if label not in kept},
    )


def _of_classes(
    found: list[Mask], y: Array, predictions: Predictions, params: Params
) -> dict[str, Estimate]:
    """Return the gaps of decisions, those of the positive class, or of the worst of several.

    A resample of a group's rows is a draw of how many rows have each outcome and decision; without
    a gap these are drawn alike for all groups.
    """
    assert predictions.classes is not None
    count, rng = len(predictions.classes), np.random.default_rng(params.seed)
    outcomes, said = predictions.codes(y), predictions.codes(predictions.labels)
    cells = np.stack(
        [np.bincount(outcomes[g] * count + said[g], minlength=count**2) for g in found]
    )
    pooled = cells.sum(axis=0) / cells.sum()
    drawn = min(RESAMPLES, params.evaluate.resamples)
    shape = (len(found), count, count)

    def draw(chances: Array) -> dict[str, Array]:
        draws = [
            rng.multinomial(size, chance, size=drawn)
            for size, chance in zip(cells.sum(axis=1), chances, strict=True)
        ]
        return rates(np.stack(draws, axis=1).reshape(drawn, *shape))

    whole = rates(cells.reshape(1, *shape))
    resampled = draw(cells / cells.sum(axis=1, keepdims=True))
    chance = draw(np.tile(pooled, (len(found), 1)))
    return {
        name: _estimate(name, float(whole[name][0]), resampled[name], chance[name], params)
        for name in whole
        if np.isfinite(whole[name][0])
    }


def _estimate(name: str, value: float, draws: Array, chance: Array, params: Params) -> Estimate:
    confidence = params.evaluate.confidence
    if not name.endswith("ratio"):
        return gap(value, draws, chance, confidence)
    found = gap(1 - value, 1 - draws, 1 - chance, confidence)
    return replace(found, value=value, low=1 - found.high, high=1 - found.low)


def rates(counts: Array) -> dict[str, Array]:
    """Return the measures of fairlearn from how often each decision met each outcome.

    Args:
        counts: shape (n, groups, outcomes, decisions).

    Returns:
        Each of shape (n,). A rate without rows, such as that of true positives in a group without
        positives, does not count.
    """
    classes = [1] if counts.shape[-1] == 2 else range(counts.shape[-1])
    found: dict[str, list[Array]] = {name: [] for name in list(TITLES)[:3]}
    total = counts.sum(axis=(2, 3))
    for k in classes:
        said, true = counts[..., k].sum(axis=2), counts[:, :, k, :].sum(axis=2)
        hits = counts[:, :, k, k]
        selected = said / total
        most = selected.max(axis=1)
        found["demographic_parity_difference"].append(most - selected.min(axis=1))
        found["demographic_parity_ratio"].append(_ratio(selected.min(axis=1), most, 1.0))
        odds = [_spread(_ratio(hits, true)), _spread(_ratio(said - hits, total - true))]
        found["equalized_odds_difference"].append(np.fmax(*odds))
    return {
        name: np.fmin.reduce(each) if name.endswith("ratio") else np.fmax.reduce(each)
        for name, each in found.items()
    }


def _ratio(part: Array, whole: Array, otherwise: float = np.nan) -> Array:
    out = np.full(np.shape(whole), otherwise)
    return np.divide(part, whole, out=out, where=np.asarray(whole) > 0)


def _spread(values: Array) -> Array:
    """Return the largest minus the smallest in each row, of those that are known."""
    most = np.where(np.isnan(values), -np.inf, values).max(axis=1)
    least = np.where(np.isnan(values), np.inf, values).min(axis=1)
    return np.where(np.isfinite(most), most - least, np.nan)


def _of_numbers(
    found: list[Mask], y: Array, predictions: Predictions, params: Params
) -> dict[str, Estimate]:
    rng, drawn = np.random.default_rng(params.seed), min(RESAMPLES, params.evaluate.resamples)
    each = {
        "mean_prediction_difference": predictions.values,
        "mean_absolute_error_difference": np.abs(y - predictions.values),
    }
    members = [np.flatnonzero(rows) for rows in found]
    everyone = np.concatenate(members)

    def draw(values: Array, sources: list[Array]) -> Array:
        means = [
            [values[rng.choice(source, len(rows))].mean() for _ in range(drawn)]
            for rows, source in zip(members, sources, strict=True)
        ]
        return np.ptp(np.array(means), axis=0)

    return {
        name: gap(
            float(np.ptp([values[rows].mean() for rows in members])),
            draw(values, members),
            draw(values, [everyone] * len(members)),
            params.evaluate.confidence,
            np.inf,
        )
        for name, values in each.items()
    }
