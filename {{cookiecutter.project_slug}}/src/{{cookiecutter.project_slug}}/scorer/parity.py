"""Whether the plain form of a model says what the model says, where the two could differ."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from sklearn.feature_selection import SelectorMixin

from ..contract import Contract
from ..contract.cells import Cell, columns_of_rows
from ..ensemble import Ensemble
from ..features.encoding import with_engineered
from ..predictions import Array, apart
from .compilation import NotCompiled, compile
from .scorer import Scorer

THRESHOLDS = 40  # of each column, spread over all that the trees have
UNKNOWN = "no such level"


def compiled(
    model: Ensemble, rows: Sequence[tuple[Cell, ...]], contract: Contract, parity: float
) -> tuple[Scorer | None, str]:
    """Return a model as plain numbers; or None, and why scikit-learn must score it.

    Args:
        model: fitted.
        rows: of cells in contract order; at least one.
        contract: of the columns.
        parity: how far the two may be apart.
    """
    try:
        scorer = compile(model)
    except NotCompiled as reason:
        return None, str(reason)
    asked = [*rows, *probes(model, rows, contract)]
    columns = with_engineered(columns_of_rows(asked, contract))
    difference = apart(scorer.score_cells(columns), model.score_cells(columns))
    if difference > parity:
        return None, f"its plain form is {difference:.2g} away from scikit-learn's predictions"
    return scorer, ""


def probes(
    model: Ensemble, rows: Sequence[tuple[Cell, ...]], contract: Contract
) -> Iterator[tuple[Cell, ...]]:
    """Yield rows with one cell replaced: missing, unknown, huge, at and beside a threshold."""
    known, base = thresholds(model), cycle(rows)
    for position, (name, column) in enumerate(contract.features.items()):
        cells: list[Cell] = [None]
        if column.type in ("category", "text"):
            cells += [UNKNOWN, ""]
        else:
            cells += [-1e300, 1e300] if column.type in ("integer", "number") else []
            for value in known.get(name, []):
                cells += [value, float(np.nextafter(value, -np.inf))]
                cells += [float(np.nextafter(value, np.inf))]
        for cell in cells:
            row = next(base)
            yield (*row[:position], cell, *row[position + 1 :])


def thresholds(model: Ensemble) -> dict[str, list[float]]:
    """Return values at which trees of the model split, by column of the matrix."""
    found: dict[str, set[float]] = {}
    for member in model.members:
        encoder, *steps = [step for _, step in member.steps]
        names = encoder.get_feature_names_out()
        for step in steps:
            if isinstance(step, SelectorMixin):
                names = names[step.get_support()]
        for feature, threshold in _splits(getattr(steps[-1], "regressor_", steps[-1])):
            found.setdefault(names[feature], set()).add(threshold)
    return {name: _spread(sorted(values)) for name, values in found.items()}


def _splits(estimator: Any) -> Iterator[tuple[int, float]]:
    for round_ in getattr(estimator, "_predictors", ()):
        for tree in round_:
            asks = (tree.nodes["is_leaf"] == 0) & (tree.nodes["is_categorical"] == 0)
            yield from _pairs(tree.nodes["feature_idx"], tree.nodes["num_threshold"], asks)
    grown = [estimator] if hasattr(estimator, "tree_") else getattr(estimator, "estimators_", ())
    for one in grown:
        tree = one.tree_
        yield from _pairs(tree.feature, tree.threshold, tree.children_left != -1)


def _pairs(feature: Array, threshold: Array, asks: Array) -> Iterator[tuple[int, float]]:
    return zip(feature[asks].tolist(), threshold[asks].tolist(), strict=True)


def _spread(values: list[float]) -> list[float]:
    if len(values) <= THRESHOLDS:
        return values
    return [values[i] for i in np.linspace(0, len(values) - 1, THRESHOLDS).astype(int)]
