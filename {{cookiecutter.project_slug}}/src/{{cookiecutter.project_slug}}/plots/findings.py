"""Figures of what evaluate found out about a model."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..diagnosis import Threshold
from ..importance import Dependence, Importance
from ..learning import Curve
from ..metrics import Metric
from ..predictions import Classes
from ..slices import Slice
from .canvas import begin, short

SOFT = "#5b6774"
LINES = 8  # of classes in one figure


def importance(found: list[Importance], metric: Metric) -> Figure:
    """Draw how much worse the model gets when a column is shuffled, the first 15."""
    shown = found[:15][::-1]
    figure, axes = begin("What the model relies on", 6.4, 1.1 + 0.28 * len(shown))
    value = np.array([one.value for one in shown])
    ends = [value - [one.low for one in shown], [one.high for one in shown] - value]
    axes.barh([short(one.column) for one in shown], value, xerr=np.array(ends))
    axes.set_xlabel(f"loss of {metric.title} when shuffled")
    return figure


def dependence(found: Dependence, classes: Classes | None) -> Figure:
    """Draw the mean prediction as one column varies; but for several classes its 10–90 % band.

    Of many classes those that vary most.
    """
    figure, axes = begin(short(found.column))
    levels = isinstance(found.grid[0], (str, bool))
    x: Any = np.arange(len(found.grid)) if levels else found.grid
    count = found.means.shape[1]
    names = classes if classes and count > 1 else [None]
    for k in sorted(np.argsort(-np.ptp(found.means, axis=0))[:LINES].tolist()):
        label = None if count == 1 else short(names[k])
        axes.plot(x, found.means[:, k], "o" if levels else ".-", label=label)
        if count == 1 and levels:
            below, above = found.means[:, 0] - found.bands[:, 0, 0], found.bands[:, 1, 0]
            ends = np.clip([below, above - found.means[:, 0]], 0, None)
            axes.errorbar(x, found.means[:, 0], yerr=ends, fmt="none", alpha=0.4)
        elif count == 1:
            axes.fill_between(x, found.bands[:, 0, 0], found.bands[:, 1, 0], alpha=0.15)
    if levels:
        axes.set_xticks(x, [short(one) for one in found.grid], rotation=30, ha="right")
    elif isinstance(found.grid[0], pd.Timestamp):
        axes.tick_params("x", rotation=30)
    positive = "number" if classes is None else f"probability of {classes[-1]}"
    axes.set_ylabel(f"predicted {'probability' if count > 1 else positive}")
    if count > 1:
        axes.legend()
    return figure


def learning(curve: Curve, metric: Metric) -> Figure:
    """Draw the metric against the rows learned from, and the law through the points."""
    figure, axes = begin("What more data would bring", 6.4, 4.0)
    rows, values = [p.rows for p in curve.points], [p.value for p in curve.points]
    if curve.doubling is not None:
        ahead = np.geomspace(rows[0], 2 * curve.rows, 60)
        axes.plot(ahead, curve(ahead), "--", color=SOFT, label="power law through the points")
        axes.axvline(curve.rows, color=SOFT, lw=0.8, ls=":")
    axes.plot(rows, values, "o", label="held-out training rows")
    axes.set(xlabel="rows learned from", ylabel=metric.title)
    axes.legend()
    return figure


def coverage(deciles: list[dict[str, Any]], nominal: float) -> Figure:
    """Draw how many outcomes are inside their intervals in each tenth of the predictions."""
    figure, axes = begin("Coverage by decile of the prediction")
    value, low, high = (np.array([one[end] for one in deciles]) for end in ("value", "low", "high"))
    place = np.arange(len(deciles)) + 1
    axes.errorbar(place, value, yerr=[value - low, high - value], fmt="o", ms=4, capsize=2)
    axes.axhline(nominal, color=SOFT, ls=":", label="asked for")
    axes.set(xlabel="decile", ylabel="share of outcomes inside", xticks=place)
    axes.legend()
    return figure


def thresholds(found: list[Threshold]) -> Figure:
    """Draw precision, recall and cost by the threshold of a decision, the chosen one marked."""
    figure, axes = begin("Trade-off of the threshold", 6.4, 4.0)
    limit = [one.threshold for one in found]
    precision = [np.nan if one.precision is None else one.precision for one in found]
    axes.plot(limit, precision, label="precision")
    axes.plot(limit, [one.recall for one in found], label="recall")
    axes.set(xlabel="decide for the positive class above this probability", ylabel="share")
    right = axes.twinx()
    right.plot(limit, [one.cost for one in found], color="#b8860b", ls="--", label="cost")
    right.set_ylabel("mean cost of a decision")
    right.spines["right"].set_visible(True)
    for one in found:
        if one.chosen:
            axes.axvline(one.threshold, color=SOFT, ls=":", label="chosen")
    handles = [*axes.get_lines(), *right.get_lines()]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4)
    return figure


def slices(found: list[Slice], overall: float, metric: Metric) -> Figure:
    """Draw the metric with its interval in the 15 worst slices, the worst at the top."""
    shown = found[:15][::-1]
    figure, axes = begin("The worst slices", 6.4, 1.1 + 0.3 * len(shown))
    value = np.array([one.value for one in shown])
    ends = [value - [one.low for one in shown], [one.high for one in shown] - value]
    names = [short(f"{one.column}: {one.slice}") for one in shown]
    axes.errorbar(value, range(len(shown)), xerr=np.clip(ends, 0, None), fmt="o", capsize=3)
    axes.set_yticks(range(len(shown)), names)
    axes.axvline(overall, color=SOFT, ls=":", label="all test rows")
    axes.set_xlabel(metric.title)
    axes.legend(loc="best")
    return figure
