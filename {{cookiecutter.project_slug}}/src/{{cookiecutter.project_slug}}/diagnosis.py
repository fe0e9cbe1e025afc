"""What is wrong with predictions: calibration, coverage, decisions at other limits, worst rows."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from . import metrics
from .combination import Region
from .comparison import Estimate, gap
from .config import Params
from .contract import Contract
from .predictions import Array, Predictions

BINS = DECILES = 10
BIN = 15  # rows of a bin, at least
RESAMPLES = 500
THRESHOLDS = 101
WORST = 20


def coverage(region: Region, y: Array, predictions: Predictions, params: Params) -> dict[str, Any]:
    """Return how many outcomes are inside the sets or intervals, and how large these are."""
    if predictions.classes is None:
        ends = region.interval(predictions.values)
        hits, sizes = (ends[:, 0] <= y) & (y <= ends[:, 1]), ends[:, 1] - ends[:, 0]
    else:
        inside = region.members(predictions.values)
        hits, sizes = inside[np.arange(len(y)), predictions.codes(y)], inside.sum(axis=1)
    found = asdict(metrics.share(hits, params.evaluate.confidence))
    return {**found, "nominal": region.coverage, "mean_size": float(sizes.mean())}


def coverage_by_decile(
    region: Region, y: Array, predictions: Predictions, params: Params
) -> list[dict[str, Any]]:
    """Return how many outcomes are inside their intervals in each tenth of the predictions."""
    ends = region.interval(predictions.values)
    hits = (ends[:, 0] <= y) & (y <= ends[:, 1])
    parts = np.array_split(np.argsort(predictions.values, kind="stable"), min(DECILES, len(y)))
    confidence = params.evaluate.confidence
    return [asdict(metrics.share(hits[part], confidence)) for part in parts]


def calibration(region: Region, y: Array, predictions: Predictions, params: Params) -> Estimate:
    """Return how far what was said of the probabilities is from what happened.

    Classes: the expected calibration error in bins of equal mass (Naeini et al. 2015), of the
    positive class, or of the most probable one of several (Guo et al. 2017). Numbers: by how much
    the share of outcomes inside the intervals misses the one that was asked for.
    """
    confidence = params.evaluate.confidence
    if predictions.classes is None:
        found = coverage(region, y, predictions, params)
        low, high, nominal = found["low"], found["high"], found["nominal"]
        ends = sorted([abs(low - nominal), abs(high - nominal)])
        least = 0.0 if low <= nominal <= high else ends[0]
        return Estimate(abs(found["value"] - nominal), least, ends[1], "Clopper-Pearson")
    said, happened = claims(y, predictions)
    rng, drawn = np.random.default_rng(params.seed), min(RESAMPLES, params.evaluate.resamples)
    resampled = rng.integers(0, len(y), (drawn, len(y)))
    draws = [expected_error(said[rows], happened[rows]) for rows in resampled]
    # As if it were calibrated (Bröcker and Smith 2007).
    chance = [expected_error(said, rng.random(len(y)) < said) for _ in range(drawn)]
    return gap(expected_error(said, happened), np.array(draws), np.array(chance), confidence)


def claims(y: Array, predictions: Predictions) -> tuple[Array, Array]:
    """Return the probability that was said for each row, and whether it came true (1 or 0)."""
    assert predictions.classes is not None
    if len(predictions.classes) == 2:
        return predictions.values[:, -1], (y == predictions.classes[-1]).astype(float)
    best = predictions.values.argmax(axis=1)
    return predictions.values.max(axis=1), (predictions.codes(y) == best).astype(float)


def expected_error(said: Array, happened: Array) -> float:
    """Return the mean distance of probability and frequency over bins of equal mass."""
    order = np.argsort(said, kind="stable")
    differences = (said - happened)[order]
    return float(
        sum(abs(part.sum()) for part in np.array_split(differences, bins(len(said)))) / len(said)
    )


def bins(rows: int) -> int:
    """Return how many bins of equal mass so many rows bear."""
    return int(np.clip(rows // BIN, 1, BINS))


@dataclass(frozen=True)
class Threshold:
    """Decisions for the positive class from a probability on."""

    threshold: float
    precision: float | None
    """None where nothing is decided positive."""
    recall: float
    cost: float
    """The mean over all rows."""
    chosen: bool
    """Whether the model decides nearly so."""


def thresholds(y: Array, predictions: Predictions) -> list[Threshold]:
    """Return precision, recall and the mean cost of decisions by the threshold, for two classes."""
    assert predictions.classes is not None
    positive, scores = y == predictions.classes[-1], predictions.values[:, -1]
    costs = 1.0 - np.eye(2) if predictions.costs is None else predictions.costs
    limits = np.linspace(0, 1, THRESHOLDS)
    chosen = int(np.abs(limits - threshold_of(costs)).argmin())
    found = []
    for position, limit in enumerate(limits):
        said = scores > limit
        hits, wrong = int((said & positive).sum()), int((said & ~positive).sum())
        missed, rest = int(positive.sum()) - hits, int((~positive).sum()) - wrong
        counts = np.array([[rest, wrong], [missed, hits]])
        found.append(
            Threshold(
                round(float(limit), 4),
                hits / (hits + wrong) if hits + wrong else None,
                hits / max(hits + missed, 1),
                float((counts * costs).sum() / len(y)),
                position == chosen,
            )
        )
    return found


def threshold_of(costs: Array) -> float:
    """Return the probability above which costs (2, 2) decide for the positive class."""
    wrong, missed = costs[0, 1] - costs[0, 0], costs[1, 0] - costs[1, 1]
    return float(np.clip(wrong / (wrong + missed), 0, 1)) if wrong + missed else 0.5


def worst(
    frame: pd.DataFrame, y: Array, predictions: Predictions, contract: Contract
) -> pd.DataFrame:
    """Return the rows that were predicted worst: outcome, prediction, error, features.

    By the absolute error, or by the probability that the true class did not get. Ids, and sensitive
    columns that the model does not see, stay out.
    """
    if predictions.classes is None:
        error, said = np.abs(y - predictions.values), predictions.values
    else:
        codes = predictions.codes(y)
        error = 1 - predictions.values[np.arange(len(y)), codes]
        said = predictions.labels
    order = np.argsort(-error, kind="stable")[:WORST]
    head = pd.DataFrame(
        {contract.target: y[order], "prediction": said[order], "error": error[order]}
    )
    cells = frame[list(contract.features)].iloc[order].reset_index(drop=True)
    return pd.concat([head, cells], axis=1)
