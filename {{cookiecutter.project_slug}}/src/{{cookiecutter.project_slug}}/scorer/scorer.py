"""Scoring with plain numbers: encodings, kernels and how the members are combined."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from ..combination import Combination, Region
from ..contract.cells import Cells
from ..features.encoding import Encoding
from ..predictions import Array
from .kernels import Kernel
from .layout import Layout, plain
from .rows import Step, steps


@dataclass
class Member:
    """One fitted pipeline."""

    encodings: dict[str, Encoding]
    """By column or engineered feature, in the order of the matrix."""
    kernels: list[Kernel]
    """From the matrix to what the member says."""

    @cached_property
    def layout(self) -> Layout:
        """How the encodings make up the matrix."""
        return Layout(self.encodings)

    @cached_property
    def _steps(self) -> list[Step]:
        return steps(self.kernels)

    def encode(self, columns: Mapping[str, Cells], count: int) -> Array:
        """Return the matrix of shape (n, width) for columns of n cells."""
        return self.layout.matrix(columns, count)

    def __call__(self, columns: Mapping[str, Cells], count: int) -> Array:
        """Return probabilities of shape (n, classes) or numbers of shape (n, 1)."""
        matrix = self.encode(columns, count)
        return reduce(lambda values, kernel: kernel(values), self.kernels, matrix)

    def row(self, columns: Mapping[str, Cells]) -> list[float]:
        """Return the same for columns of one cell, to the last bit."""
        return reduce(lambda values, step: step(values), self._steps, self.layout.row(columns))


@dataclass
class Scorer:
    """The whole model; see `Ensemble`, of which it is the plain form."""

    members: list[Member]
    combination: Combination
    region: Region
    costs: Array | None = None
    contract: str = ""
    """The SHA-256 of the contract.json that it was saved with."""

    def score_cells(self, columns: Mapping[str, Cells]) -> Array:
        """Return probabilities of shape (n, classes) or numbers of shape (n,).

        Args:
            columns: cells of each feature, engineered ones included.
        """
        count = len(next(iter(columns.values())))
        if count == 1:
            one = np.array([self.score_row({name: plain(columns[name]) for name in columns})])
            return one if one.shape[1] > 1 else one[:, 0]
        said = [member(columns, count) for member in self.members]
        values = self.combination(said)
        return values if values.shape[1] > 1 else values[:, 0]

    def score_row(self, columns: Mapping[str, Cells]) -> list[float]:
        """Return the same for columns of one plain cell: probabilities, or one number."""
        return self.combination.row([member.row(columns) for member in self.members])
