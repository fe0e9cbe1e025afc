"""How much each column moved a prediction: Shapley values against reference rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import files
from ..bundle import GOLDEN, Bundle
from ..contract.cells import Cell, Values, columns_of_rows, of_row
from ..features.encoding import with_engineered
from ..features.engineered import FEATURES
from ..predictions import Array
from ..scorer import Scorer
from ..scorer.kernels import (
    Arranged,
    Columns,
    Constant,
    Hinges,
    Linear,
    Rescaled,
    Sigmoid,
    Softmax,
)

ASKED = 2_000  # rows that one explanation may have scored
ADDITIVE = (Columns, Constant, Hinges, Linear, Rescaled)


class Explainer:
    """Explains predictions of a bundle; its golden rows, which are nobody's, are the reference.

    In an additive model the contribution of a column is exact. Otherwise it is the mean change,
    over random orders of the columns, when the column of the row takes the place of a reference
    row's (Štrumbelj and Kononenko 2014). Both add up to the prediction.
    """

    def __init__(self, champion: Bundle) -> None:
        self.champion = champion
        rows = files.read_json(champion.folder / GOLDEN)["rows"]
        self.reference: list[tuple[Cell, ...]] = [tuple(row) for row in rows]
        self.additive = _is_additive(champion.compiled)

    def explain(self, row: Values, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Return the contributions to the answer that a row got."""
        cells, names = of_row(row), list(self.champion.contract.features)
        if self.additive:
            # Of two classes one logit is enough: that of the second.
            output, scale = self._output(answer), self._scale(answer, "log-odds")
            base, moved = self._exact(cells, output)
            method = "exact, since the model is additive"
        else:
            output, scale = self._output(answer), self._scale(answer, "probability")
            orders = max(ASKED // (len(names) + 1), 1)
            base, moved = self._sampled(cells, output, orders)
            method = f"Shapley values, sampled over {orders} orders of the columns"
        return {
            "method": method,
            "scale": scale,
            "base": base,
            "contributions": dict(zip(names, moved, strict=True)),
        }

    def _output(self, answer: Mapping[str, Any]) -> int:
        classes = self.champion.contract.classes
        if classes is None:
            return 0
        return len(classes) - 1 if len(classes) == 2 else classes.index(answer["label"])

    def _scale(self, answer: Mapping[str, Any], unit: str) -> str:
        classes = self.champion.contract.classes
        if classes is None:
            return self.champion.contract.target
        label = classes[self._output(answer)]
        said = str(label).lower() if isinstance(label, bool) else label
        return f"{unit} of {said}" + (" before calibration" if unit == "log-odds" else "")

    def _columns(self, rows: Sequence[tuple[Cell, ...]]) -> Mapping[str, Any]:
        return with_engineered(columns_of_rows(rows, self.champion.contract))

    def _exact(self, cells: tuple[Cell, ...], output: int) -> tuple[float, list[float]]:
        """Replace one column at a time: in a sum, the others do not matter."""
        asked = [*self.reference]
        for position in range(len(cells)):
            asked += [_replaced(row, cells, [position]) for row in self.reference]
        means = self._sums(asked, output).reshape(len(cells) + 1, -1).mean(axis=1)
        return float(means[0]), (means[1:] - means[0]).tolist()

    def _sums(self, rows: Sequence[tuple[Cell, ...]], output: int) -> Array:
        """Return what the link to probabilities is given, for one output."""
        assert self.champion.compiled is not None
        (member,) = self.champion.compiled.members
        values = member.encode(self._columns(rows), len(rows))
        order = None
        for kernel in member.kernels:
            if isinstance(kernel, ADDITIVE):
                values = kernel(values)
            elif isinstance(kernel, Arranged):
                order = kernel.positions.tolist()
        if values.shape[1] > 1:
            return np.asarray(values[:, order.index(output) if order else output])
        return values[:, 0] * (-1.0 if order and order[1] != output else 1.0)

    def _sampled(
        self, cells: tuple[Cell, ...], output: int, orders: int
    ) -> tuple[float, list[float]]:
        rng = np.random.default_rng(0)  # the same row, the same explanation
        drawn = [rng.permutation(len(cells)) for _ in range(orders)]
        asked = [
            _replaced(self.reference[number % len(self.reference)], cells, order[:step])
            for number, order in enumerate(drawn)
            for step in range(len(cells) + 1)
        ]
        values = self.champion.scorer.score_cells(self._columns(asked))
        chosen = values if values.ndim == 1 else values[:, output]
        path = chosen.reshape(orders, len(cells) + 1)
        moved = np.zeros(len(cells))
        for order, change in zip(drawn, np.diff(path, axis=1), strict=True):
            moved[order] += change
        return float(path[:, 0].mean()), (moved / orders).tolist()


def _is_additive(scorer: Scorer | None) -> bool:
    """Return whether a model is a sum over columns, up to the link to probabilities."""
    if scorer is None or len(scorer.members) > 1:
        return False
    (member,) = scorer.members
    mixed = any(
        len(inputs) > 1 for name, (_, inputs) in FEATURES.items() if name in member.encodings
    )
    links = (Arranged, Sigmoid, Softmax)
    return not mixed and all(isinstance(one, (*ADDITIVE, *links)) for one in member.kernels)


def _replaced(
    row: tuple[Cell, ...], cells: tuple[Cell, ...], positions: Sequence[int] | Array
) -> tuple[Cell, ...]:
    changed = list(row)
    for position in positions:
        changed[position] = cells[position]
    return tuple(changed)
