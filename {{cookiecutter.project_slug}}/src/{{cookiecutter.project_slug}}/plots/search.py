"""Figures of the models that were compared."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..metrics import Metric
from .canvas import begin


def leaderboard(table: pd.DataFrame, metric: Metric) -> Figure:
    """Draw the cross-validated score of each model with its standard error."""
    figure, axes = begin("Cross-validated models", 6.4, 0.9 + 0.32 * len(table))
    table = table.iloc[::-1]
    axes.errorbar(table["mean"], table["model"], xerr=table["standard_error"], fmt="o", capsize=3)
    axes.set_xlabel(metric.title)
    return figure


def pareto(trials: pd.DataFrame, metric: Metric) -> Figure:
    """Draw the score of every trial against its latency, the ones that nothing beats in both."""
    figure, axes = begin("Accuracy and latency", 6.4, 4.2)
    known = trials.dropna(subset=["row_milliseconds"]).sort_values("row_milliseconds")
    score = known["mean"] if metric.greater_is_better else -known["mean"]
    front = known[score > score.cummax().shift(fill_value=-np.inf)]
    chosen = known[known["chosen"]]
    axes.scatter(known["row_milliseconds"], known["mean"], s=14, alpha=0.4, label="trial")
    axes.plot(front["row_milliseconds"], front["mean"], "o-", ms=5, label="Pareto front")
    axes.plot(chosen["row_milliseconds"], chosen["mean"], "*", ms=15, label="chosen")
    axes.set(xscale="log", xlabel="milliseconds for one row", ylabel=metric.title)
    if len(known) > 3:  # far worse ones would hide the differences among the good
        low, high = np.quantile(known["mean"], [0.25, 1] if metric.greater_is_better else [0, 0.75])
        axes.set_ylim(low - 0.15 * (high - low or 1), high + 0.15 * (high - low or 1))
    axes.legend()
    return figure
