"""The deployable model: fitted pipelines, and how what they say becomes a prediction."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from .combination import Combination, Region
from .contract.cells import Cells
from .features.selection import select
from .predictions import Array, Classes, predict

if TYPE_CHECKING:  # the server has no pandas
    import pandas as pd


class Ensemble(BaseEstimator):
    """One or several fitted pipelines as one model.

    Args:
        members: fitted pipelines that encode, select and predict; the `Encoder` is the same object
            where they encode alike.
        combination: of what they say.
        region: the conformal sets or intervals of the predictions.
        classes: in the order of the probabilities; None for regression.
        costs: of each decision for each true class, shape (classes, classes), or None.
        contract: the SHA-256 of the contract.json that it was saved with.
    """

    def __init__(
        self,
        members: Sequence[Pipeline],
        combination: Combination,
        region: Region,
        classes: Classes | None,
        costs: Array | None = None,
        contract: str = "",
    ) -> None:
        self.members = members
        self.combination = combination
        self.region = region
        self.classes = classes
        self.costs = costs
        self.contract = contract

    @property
    def costs_(self) -> Array | None:
        """What `predictions.predict` decides by."""
        return self.costs

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes in the order of the probabilities."""
        return np.array(self.classes)

    def predict_proba(self, X: "pd.DataFrame") -> Array:
        """Return the probabilities of the classes, shape (n, classes)."""
        return self.score_cells(self.cells(X))

    def predict(self, X: "pd.DataFrame") -> Array:
        """Return a number, or the class with the least expected cost, for each row."""
        if self.classes is None:
            return self.score_cells(self.cells(X))
        return predict(self, X, self.classes).labels

    def cells(self, X: "pd.DataFrame") -> dict[str, Cells]:
        """Return the columns of a typed table as cells, engineered features included."""
        return self.members[0][0].cells(X)

    def score_cells(self, columns: Mapping[str, Cells]) -> Array:
        """Return what `predict_proba`, or `predict` for numbers, gives; without pandas.

        Args:
            columns: cells of each feature, engineered ones included.
        """
        encoders = {id(member[0]): member[0] for member in self.members}
        encoded = {key: encoder.encode(columns) for key, encoder in encoders.items()}
        values = []
        for member in self.members:
            encoder, selection, model = [step for _, step in member.steps]
            matrix = select(selection, encoded[id(encoder)])
            values.append(predict(model, matrix, self.classes).values)
        return self.combination(values)
