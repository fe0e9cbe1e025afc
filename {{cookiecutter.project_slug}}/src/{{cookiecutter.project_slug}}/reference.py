"""What the training rows looked like, so that drift can be seen later; nobody's row is in it."""

from typing import Any

import numpy as np
import pandas as pd

from .contract import Contract
from .contract.cells import of_series
from .predictions import Array, Predictions

BINS = 10
LEVELS = 50
FEWEST = 5  # rows of a level that is named; rarer ones are counted together


def describe(table: pd.DataFrame, contract: Contract, said: Predictions) -> dict[str, Any]:
    """Return the distribution of each feature and of the predictions, as JSON values.

    Args:
        table: typed training rows.
        contract: of the table.
        said: what the model says of rows that it has not learned from.
    """
    columns = {}
    for name, column in contract.features.items():
        cells = of_series(table[name])
        known = table[name].notna().to_numpy()
        if column.type in ("category", "boolean"):
            found = _levels(table[name][known].astype("str"))
        elif column.type == "text":  # is somebody's, however often it was written
            found = _bins(table[name][known].str.split().str.len().to_numpy(dtype=np.float64))
        else:
            found = _bins(np.asarray(cells, dtype=np.float64)[known])
        columns[name] = {"missing": float(1 - known.mean()), **found}
    return {"rows": len(table), "columns": columns, "predictions": _predictions(said)}


def _predictions(said: Predictions) -> dict[str, Any]:
    if said.classes is None:
        return _bins(said.values)
    labels = pd.Series(said.labels.astype(str))
    return {**_levels(labels), "scores": _bins(said.values[:, -1])}


def _bins(values: Array) -> dict[str, Any]:
    """Return the edges between tenths of the values, and the share in each bin."""
    if not len(values):
        return {"edges": [], "shares": []}
    edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "shares": (counts / len(values)).tolist()}


def _levels(values: pd.Series) -> dict[str, Any]:
    """Return the share of each frequent level, and of all others together."""
    counts = values.value_counts()
    kept = counts[counts >= FEWEST].head(LEVELS)
    total = max(len(values), 1)
    shares = {str(level): count / total for level, count in kept.sort_index().items()}
    return {"levels": shares, "others": float((counts.sum() - kept.sum()) / total)}
