"""Figures for the report: each takes outcomes and predictions and returns a matplotlib figure."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.figure import Figure
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
)

from .association import associate
from .config import Task
from .contract import Contract
from .folds import Rows
from .metrics import Metric
from .predictions import Array, Predictions, predict

IMPORTANT_ROWS = 2_000
IMPORTANT_COLUMNS = 60


def style() -> AbstractContextManager[None]:
    """Return the context in which figures are drawn."""
    return matplotlib.rc_context(
        {
            "axes.prop_cycle": cycler(color=["#3b6fb6", "#d1495b", "#2e8b57", "#b8860b"]),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "figure.constrained_layout.use": True,
            "figure.dpi": 110,
            "font.size": 10,
        }
    )


Plot = Callable[[Array, Predictions], Figure]


def _axes(title: str, width: float = 4.6, height: float = 4.0) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height))
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def roc(y: Array, predictions: Predictions) -> Figure:
    """Draw the receiver operating characteristic."""
    figure, axes = _axes("ROC curve")
    positive, scores = _positive(y, predictions)
    RocCurveDisplay.from_predictions(
        positive, scores, ax=axes, name="model", plot_chance_level=True, despine=True
    )
    return figure


def precision_recall(y: Array, predictions: Predictions) -> Figure:
    """Draw precision against recall."""
    figure, axes = _axes("Precision and recall")
    positive, scores = _positive(y, predictions)
    PrecisionRecallDisplay.from_predictions(
        positive, scores, ax=axes, name="model", plot_chance_level=True, despine=True
    )
    return figure


def calibration(y: Array, predictions: Predictions) -> Figure:
    """Draw how often an event happens against how probable it was said to be."""
    figure, axes = _axes("Calibration")
    positive, scores = _positive(y, predictions)
    CalibrationDisplay.from_predictions(
        positive, scores, n_bins=10, strategy="quantile", ax=axes, name="model"
    )
    return figure


def confusion(y: Array, predictions: Predictions) -> Figure:
    """Draw counts of true against predicted classes."""
    figure, axes = _axes("Confusion matrix")
    ConfusionMatrixDisplay.from_predictions(
        y, predictions.labels, ax=axes, cmap="Blues", colorbar=False
    )
    return figure


def residuals(y: Array, predictions: Predictions) -> Figure:
    """Draw residuals against predictions."""
    figure, axes = _axes("Residuals")
    PredictionErrorDisplay(y_true=y, y_pred=predictions.values).plot(
        ax=axes, kind="residual_vs_predicted", scatter_kwargs={"s": 8, "alpha": 0.35}
    )
    return figure


def actual(y: Array, predictions: Predictions) -> Figure:
    """Draw outcomes against predictions."""
    figure, axes = _axes("Actual and predicted")
    PredictionErrorDisplay(y_true=y, y_pred=predictions.values).plot(
        ax=axes, kind="actual_vs_predicted", scatter_kwargs={"s": 8, "alpha": 0.35}
    )
    return figure


def error_by_decile(y: Array, predictions: Predictions) -> Figure:
    """Draw the mean absolute error in each tenth of the predictions."""
    figure, axes = _axes("Error by decile of the prediction")
    rank = pd.Series(predictions.values).rank(method="first")
    decile = pd.qcut(rank, min(10, len(y)), labels=False) + 1
    error = pd.Series(np.abs(y - predictions.values)).groupby(decile).mean()
    axes.bar(error.index, error.to_numpy())
    axes.set(xlabel="decile", ylabel="mean absolute error", xticks=error.index)
    return figure


def _positive(y: Array, predictions: Predictions) -> tuple[Array, Array]:
    assert predictions.classes is not None
    return y == predictions.classes[-1], predictions.values[:, -1]


PLOTS: dict[Task, tuple[Plot, ...]] = {
    "binary": (roc, precision_recall, calibration, confusion),
    "multiclass": (confusion,),
    "regression": (actual, residuals, error_by_decile),
}


def importance(
    pipeline: Any, rows: Rows, contract: Contract, metric: Metric, seed: int, repeats: int = 5
) -> Figure:
    """Draw how much worse the model gets when a column is shuffled (Breiman 2001).

    A random choice of many rows, and of many columns those that go most with the target.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(rows.y))[:IMPORTANT_ROWS]
    X, y = rows.X.iloc[chosen].reset_index(drop=True), rows.y[chosen]
    whole = metric(y, predict(pipeline, X, rows.classes))
    columns = _most_associated(X, pd.Series(y), contract)
    losses = np.zeros((len(columns), repeats))
    for position, column in enumerate(columns):
        for repeat in range(repeats):
            shuffled = X[column].to_numpy()[rng.permutation(len(X))]
            shuffled = X.assign(**{column: pd.Series(shuffled, dtype=X[column].dtype)})
            losses[position, repeat] = whole - metric(y, predict(pipeline, shuffled, rows.classes))
    losses *= 1 if metric.greater_is_better else -1
    order = np.argsort(losses.mean(axis=1))[-15:]
    figure, axes = _axes("What the model relies on", 6.4, 0.9 + 0.28 * len(order))
    axes.barh(
        [columns[i] for i in order],
        losses.mean(axis=1)[order],
        xerr=losses.std(axis=1)[order],
    )
    axes.set_xlabel(f"loss of {metric.title} when shuffled")
    return figure


def _most_associated(X: pd.DataFrame, y: pd.Series, contract: Contract) -> list[str]:
    if X.shape[1] <= IMPORTANT_COLUMNS:
        return list(X.columns)
    goal = contract.columns[contract.target]
    found = {name: associate(X[name], c, y, goal) for name, c in contract.features.items()}
    # What cannot be measured, a text, may matter.
    strength = {name: abs(one.value) if one else 1.0 for name, one in found.items()}
    return sorted(strength, key=lambda name: -strength[name])[:IMPORTANT_COLUMNS]


def leaderboard(table: pd.DataFrame, metric: Metric) -> Figure:
    """Draw the cross-validated score of each model with its standard error."""
    figure, axes = _axes("Cross-validated models", 6.4, 0.9 + 0.32 * len(table))
    table = table.iloc[::-1]
    axes.errorbar(table["mean"], table["model"], xerr=table["standard_error"], fmt="o", capsize=3)
    axes.set_xlabel(metric.title)
    return figure


def pareto(trials: pd.DataFrame, metric: Metric) -> Figure:
    """Draw the score of every trial against its latency, the ones that nothing beats in both."""
    figure, axes = _axes("Accuracy and latency", 6.4, 4.2)
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
