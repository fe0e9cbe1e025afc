"""Figures of outcomes and predictions: each takes both and returns a matplotlib figure."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
)

from .. import diagnosis, metrics
from ..config import Task
from ..predictions import Array, Predictions
from .canvas import begin, short

Plot = Callable[[Array, Predictions], Figure]
CURVES = 8  # classes that have a curve, the most frequent ones


def roc(y: Array, predictions: Predictions) -> Figure:
    """Draw the receiver operating characteristic, of several classes one against the rest."""
    figure, axes = begin("ROC curve")
    for name, positive, scores in _against_the_rest(y, predictions):
        RocCurveDisplay.from_predictions(positive, scores, ax=axes, name=name, despine=True)
    axes.plot([0, 1], [0, 1], ":", color="#5b6774", label="chance")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    axes.legend(fontsize="small")
    return figure


def precision_recall(y: Array, predictions: Predictions) -> Figure:
    """Draw precision against recall, of several classes one against the rest."""
    figure, axes = begin("Precision and recall")
    for name, positive, scores in _against_the_rest(y, predictions):
        PrecisionRecallDisplay.from_predictions(positive, scores, ax=axes, name=name, despine=True)
        axes.axhline(positive.mean(), ls=":", lw=0.8, color=axes.get_lines()[-1].get_color())
    axes.set(xlabel="recall", ylabel="precision")
    axes.legend(fontsize="small")
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
    found = np.unique([*y, *predictions.labels])
    side = 4 + 0.2 * max(0, len(found) - 8)
    figure, axes = begin("Confusion matrix", side + 0.6, side)
    ConfusionMatrixDisplay.from_predictions(
        y,
        predictions.labels,
        labels=found,
        display_labels=[short(one, 24) for one in found],
        xticks_rotation="horizontal" if len(found) < 4 else "vertical",
        ax=axes,
        cmap="Blues",
        colorbar=False,
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


def _against_the_rest(
    y: Array, predictions: Predictions
) -> Iterator[tuple[str, NDArray[np.bool_], Array]]:
    """Yield a name, which rows are of the class, and how probable it was said to be.

    Of two classes the positive one; of several the most frequent that occur, beside others.
    """
    assert predictions.classes is not None
    codes, count = predictions.codes(y), len(predictions.classes)
    sizes = np.bincount(codes, minlength=count)
    often = np.argsort(-sizes, kind="stable")[:CURVES]
    chosen = [1] if count == 2 else sorted(code for code in often if 0 < sizes[code] < len(y))
    for code in chosen:
        name = "model" if count == 2 else short(predictions.classes[code], 24)
        yield name, codes == code, predictions.values[:, code]


PLOTS: dict[Task, tuple[Plot, ...]] = {
    "binary": (roc, precision_recall, calibration, confusion),
    "multiclass": (roc, precision_recall, calibration, confusion),
    "regression": (actual, residuals, error_by_decile),
}
