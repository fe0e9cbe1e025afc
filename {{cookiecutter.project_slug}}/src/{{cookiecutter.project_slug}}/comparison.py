"""How good predictions are, and how much better than others on the same rows, with intervals."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binomtest, norm, rankdata

from . import metrics
from .config import Params
from .contract import Contract
from .metrics import Interval, Metric
from .predictions import Array, Predictions

METHODS = {
    "bootstrap": "percentile bootstrap (Efron 1979), rows drawn within the classes",
    "gap bootstrap": "for what is never negative: the wider ends of percentile and basic bootstrap "
    "(Davison and Hinkley 1997), from 0 on where chance alone gives as much",
    "paired bootstrap": "percentile bootstrap of the difference on the same rows (Efron 1979)",
    "Clopper-Pearson": "exact interval of a share (Clopper and Pearson 1934)",
    "DeLong": "DeLong et al. 1988, computed as by Sun and Xu 2014, symmetric on the logit scale",
    "paired DeLong": "DeLong et al. 1988 for two areas on the same rows",
}
"""What each method is, and its source."""


@dataclass(frozen=True)
class Estimate(Interval):
    """A value, the confidence interval around it, and how that was found: one of `METHODS`."""

    method: str


@dataclass(frozen=True)
class Unmeasured:
    """A champion that is not measured on the rows of the candidate."""

    version: str
    why: str
    moot: bool = False
    """Whether there is nothing to compare, since it answers another question."""


def unmeasured(version: str, old: Contract, new: Contract) -> Unmeasured | None:
    """Return why a champion cannot be measured on rows of another contract; None if it can."""
    takes, given = ({n: c.type for n, c in one.features.items()} for one in (old, new))
    another = 2 * len(takes.keys() & given.keys()) <= len(takes)
    if (old.target, old.task) != (new.target, new.task) or another:
        return Unmeasured(version, "it predicts something else, or from another table", moot=True)
    lacking = [name for name, kind in takes.items() if given.get(name) != kind]
    if lacking:
        why = f"it takes columns that are gone or of another type: {', '.join(lacking)}"
        return Unmeasured(version, why)
    if old.classes != new.classes:
        return Unmeasured(version, "its classes are others, or in another order")
    return None


def estimate(
    metric: Metric,
    y: Array,
    predictions: Predictions,
    params: Params,
    resamples: int | None = None,
) -> Estimate:
    """Return a metric with its interval: the exact one where there is one, else a bootstrap.

    Args:
        metric: what is measured.
        y: outcomes, shape (n,).
        predictions: of the same rows.
        params: confidence, resamples and seed.
        resamples: instead of those of `params`.
    """
    confidence = params.evaluate.confidence
    if metric is metrics.METRICS["accuracy"]:
        found = metrics.share(y == predictions.labels, confidence)
        return Estimate(found.value, found.low, found.high, "Clopper-Pearson")
    if metric is metrics.METRICS["roc_auc"] and predictions.classes:
        area = delong(y == predictions.classes[-1], predictions.values[:, -1], confidence)
        return replace(area, value=metric(y, predictions))
    drawn = metrics.interval(
        lambda rows: metric(y[rows], predictions[rows]),
        len(y),
        resamples=resamples or params.evaluate.resamples,
        confidence=confidence,
        seed=params.seed,
        strata=y if predictions.classes else None,
    )
    return Estimate(drawn.value, drawn.low, drawn.high, "bootstrap")


def compare(
    metric: Metric, y: Array, predictions: Predictions, other: Predictions, params: Params
) -> Estimate:
    """Return by how much predictions are better than others of the same rows."""
    confidence = params.evaluate.confidence
    if metric is metrics.METRICS["roc_auc"] and predictions.classes:
        positive = y == predictions.classes[-1]
        if 1 < positive.sum() < len(y) - 1:
            scores = predictions.values[:, -1], other.values[:, -1]
            return delong_difference(positive, *scores, confidence)
    drawn = metrics.interval(
        lambda rows: metric.gain(y[rows], predictions[rows], other[rows]),
        len(y),
        resamples=params.evaluate.resamples,
        confidence=confidence,
        seed=params.seed,
        strata=y if predictions.classes else None,
    )
    value, low, high = (end + 0.0 for end in (drawn.value, drawn.low, drawn.high))  # never -0
    return Estimate(value, low, high, "paired bootstrap")


def delong(positive: Array, scores: Array, confidence: float) -> Estimate:
    """Return the area under the ROC curve with its interval.

    DeLong et al. 1988, symmetric on the logit scale, so that it stays between 0 and 1. Where they
    find no variance (perfect order, or one row of a class) the interval is the exact one for as
    many pairs as share no row.
    """
    events, others = placements(positive, scores)
    area = float(events.mean())
    pairs = min(len(events), len(others))
    error = _standard_error(events, others) if pairs > 1 else 0.0
    if not error or area in (0.0, 1.0):
        found = binomtest(round(area * pairs), pairs).proportion_ci(confidence, method="exact")
        return Estimate(area, min(found.low, area), max(found.high, area), "DeLong")
    centre, width = np.log(area / (1 - area)), error / (area * (1 - area))
    ends = centre + norm.ppf([(1 - confidence) / 2, (1 + confidence) / 2]) * width
    low, high = 1 / (1 + np.exp(-ends))
    return Estimate(area, float(low), float(high), "DeLong")


def delong_difference(
    positive: Array, scores: Array, other_scores: Array, confidence: float
) -> Estimate:
    """Return how much larger one area under the ROC curve is than another of the same rows.

    DeLong et al. 1988: the two areas vary together, since the rows are the same.
    """
    ours, theirs = placements(positive, scores), placements(positive, other_scores)
    events, others = ours[0] - theirs[0], ours[1] - theirs[1]
    difference = float(events.mean())
    width = norm.ppf((1 + confidence) / 2) * _standard_error(events, others)
    return Estimate(
        difference, float(difference - width), float(difference + width), "paired DeLong"
    )


def placements(positive: Array, scores: Array) -> tuple[Array, Array]:
    """Return for each event the share of the others below it, and for each other of events above.

    Ties count half. From ranks, in O(n log n) (Sun and Xu 2014); the mean of either is the area.
    """
    ranks, events = rankdata(scores), int(positive.sum())
    above = (ranks[positive] - rankdata(scores[positive])) / (len(scores) - events)
    below = 1 - (ranks[~positive] - rankdata(scores[~positive])) / events
    return above, below


def _standard_error(events: Array, others: Array) -> float:
    return float(np.sqrt(events.var(ddof=1) / len(events) + others.var(ddof=1) / len(others)))


def gap(
    value: float, draws: Array, chance: Array, confidence: float, most: float = 1.0
) -> Estimate:
    """Return the interval of a statistic that is never negative, and so biased upward.

    A gap between groups, or an error of calibration, is larger in a sample than it is, and once
    more in the resamples. The ends are the wider ones of the percentile and of the basic bootstrap,
    which mirrors it to take the bias away; the lower one is 0 where chance alone gives as much.

    Args:
        value: of the sample.
        draws: of the resamples, shape (resamples,); NaN where it is not defined.
        chance: of samples in which there is no gap, shape (samples,).
        confidence: the share of resamples inside.
        most: the largest possible value.
    """
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    ends = np.clip([min(low, 2 * value - high), max(high, 2 * value - low)], 0.0, most)
    if value <= np.nanquantile(chance, 1 - tail):
        ends[0] = 0.0
    return Estimate(value, float(min(ends[0], value)), float(max(ends[1], value)), "gap bootstrap")
