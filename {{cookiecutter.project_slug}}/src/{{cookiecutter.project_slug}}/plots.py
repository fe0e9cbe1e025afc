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
from sklearn.inspection import permutation_importance
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
)

from .config import Task
from .folds import Rows
from .metrics import Array, Metric, Predictions, predict


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


def importance(pipeline: Any, rows: Rows, metric: Metric, seed: int, repeats: int = 5) -> Figure:
    """Draw how much worse the model gets when a column is shuffled (Breiman 2001).

    Of many rows a random choice is enough.
    """
    chosen = np.random.default_rng(seed).permutation(len(rows.y))[:2_000]

    def score(fitted: Any, X: pd.DataFrame, y: Array) -> float:
        value = metric(y, predict(fitted, X, rows.classes))
        return value if metric.greater_is_better else -value

    found = permutation_importance(
        pipeline,
        rows.X.iloc[chosen],
        rows.y[chosen],
        scoring=score,
        n_repeats=repeats,
        random_state=seed,
    )
    order = np.argsort(found.importances_mean)[-15:]
    figure, axes = _axes("What the model relies on", 6.4, 0.9 + 0.28 * len(order))
    axes.barh(
        [str(rows.X.columns[i]) for i in order],
        found.importances_mean[order],
        xerr=found.importances_std[order],
    )
    axes.set_xlabel(f"loss of {metric.title} when shuffled")
    return figure


def leaderboard(table: pd.DataFrame, metric: Metric) -> Figure:
    """Draw the cross-validated score of each model with its standard error."""
    figure, axes = _axes("Cross-validated models", 6.4, 0.9 + 0.32 * len(table))
    table = table.iloc[::-1]
    axes.errorbar(table["mean"], table["model"], xerr=table["standard_error"], fmt="o", capsize=3)
    axes.set_xlabel(metric.title)
    return figure
