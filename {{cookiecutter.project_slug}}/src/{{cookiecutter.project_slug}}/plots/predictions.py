"""Figures of outcomes and predictions: each takes both and returns a matplotlib figure."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
)

from .. import diagnosis, metrics
from ..config import Task
from ..predictions import Array, Predictions
from .canvas import begin

Plot = Callable[[Array, Predictions], Figure]


def roc(y: Array, predictions: Predictions) -> Figure:
    """Draw the receiver operating characteristic."""
    figure, axes = begin("ROC curve")
    positive, scores = _positive(y, predictions)
    RocCurveDisplay.from_predictions(
        positive, scores, ax=axes, name="model", plot_chance_level=True, despine=True
    )
    return figure


def precision_recall(y: Array, predictions: Predictions) -> Figure:
    """Draw precision against recall."""
    figure, axes = begin("Precision and recall")
    positive, scores = _positive(y, predictions)
    PrecisionRecallDisplay.from_predictions(
        positive, scores, ax=axes, name="model", plot_chance_level=True, despine=True
    )
    return figure


def calibration(y: Array, predictions: Predictions) -> Figure:
    """Draw how often what was said came true against how probable it was said to be.

    Of the positive class, or of the most probable one of several; bins of equal mass with the
    exact 95 % interval of the frequency (Clopper and Pearson 1934).
    """
    figure, axes = begin("Calibration")
    said, happened = diagnosis.claims(y, predictions)
    parts = np.array_split(np.argsort(said, kind="stable"), diagnosis.bins(len(said)))
    found = [metrics.share(happened[part] > 0, 0.95) for part in parts]
    middle = [said[part].mean() for part in parts]
    value = np.array([one.value for one in found])
    low, high = value - [one.low for one in found], [one.high for one in found] - value
    axes.plot([0, 1], [0, 1], ":", color="#5b6774", label="perfect")
    axes.errorbar(middle, value, yerr=[low, high], fmt="o-", ms=4, capsize=2, label="model")
    axes.set(xlabel="probability that was said", ylabel="how often it came true")
    axes.legend()
    return figure


def confusion(y: Array, predictions: Predictions) -> Figure:
    """Draw counts of true against predicted classes."""
    figure, axes = begin("Confusion matrix")
    ConfusionMatrixDisplay.from_predictions(
        y, predictions.labels, ax=axes, cmap="Blues", colorbar=False
    )
    return figure


def residuals(y: Array, predictions: Predictions) -> Figure:
    """Draw residuals against predictions."""
    figure, axes = begin("Residuals")
    PredictionErrorDisplay(y_true=y, y_pred=predictions.values).plot(
        ax=axes, kind="residual_vs_predicted", scatter_kwargs={"s": 8, "alpha": 0.35}
    )
    return figure


def actual(y: Array, predictions: Predictions) -> Figure:
    """Draw outcomes against predictions."""
    figure, axes = begin("Actual and predicted")
    PredictionErrorDisplay(y_true=y, y_pred=predictions.values).plot(
        ax=axes, kind="actual_vs_predicted", scatter_kwargs={"s": 8, "alpha": 0.35}
    )
    return figure


def error_by_decile(y: Array, predictions: Predictions) -> Figure:
    """Draw the mean absolute error in each tenth of the predictions."""
    figure, axes = begin("Error by decile of the prediction")
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
    "multiclass": (calibration, confusion),
    "regression": (actual, residuals, error_by_decile),
}
