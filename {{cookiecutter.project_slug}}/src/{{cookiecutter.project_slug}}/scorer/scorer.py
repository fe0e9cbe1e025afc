"""Scoring with plain numbers: encodings, kernels and how the members are combined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from ..combination import Combination, Region
from ..contract.cells import Cell, Cells
from ..features.encoding import Encoding
from ..predictions import Array
from .kernels import Kernel
from .rows import Quick, Step, quick, steps

FEW = 16  # rows, which are encoded one after the other


@dataclass
class Member:
    """One fitted pipeline."""

    encodings: dict[str, Encoding]
    """By column or engineered feature, in the order of the matrix."""
    kernels: list[Kernel]
    """From the matrix to what the member says."""
    _quick: list[Quick] = field(default_factory=list, init=False, repr=False, compare=False)
    _steps: list[Step] = field(default_factory=list, init=False, repr=False, compare=False)

    def encode(self, columns: Mapping[str, Cells], count: int) -> Array:
        """Return the matrix of shape (n, width) for columns of n cells."""
        if count > FEW:
            blocks = [e.encode(columns[n]) for n, e in self.encodings.items()]  # type: ignore[arg-type]
            return np.hstack(blocks)
        plain = (columns[name] for name in self.encodings)
        rows = zip(*(c.tolist() if isinstance(c, np.ndarray) else c for c in plain), strict=True)
        return np.array([self._flat(row) for row in rows], dtype=np.float64)

    def _flat(self, row: Sequence[Cell]) -> list[float]:
        if not self._quick:
            self._quick = [quick(encoding) for encoding in self.encodings.values()]
        flat: list[float] = []
        for encode, cell in zip(self._quick, row, strict=True):
            flat += encode(cell)
        return flat

    def __call__(self, columns: Mapping[str, Cells], count: int) -> Array:
        """Return probabilities of shape (n, classes) or numbers of shape (n, 1)."""
        matrix = self.encode(columns, count)
        return reduce(lambda values, kernel: kernel(values), self.kernels, matrix)

    def row(self, columns: Mapping[str, Cells]) -> list[float]:
        """Return the same for columns of one cell, to the last bit."""
        if not self._steps:
            self._steps = steps(self.kernels)
        found = (columns[name] for name in self.encodings)
        values = self._flat([c.item() if isinstance(c, np.ndarray) else c[0] for c in found])
        for step in self._steps:
            values = step(values)
        return values


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
            one = np.array([self.score_row(columns)])
            return one if one.shape[1] > 1 else one[:, 0]
        said = [member(columns, count) for member in self.members]
        values = self.combination(said)
        return values if values.shape[1] > 1 else values[:, 0]

    def score_row(self, columns: Mapping[str, Cells]) -> list[float]:
        """Return the same for columns of one cell: probabilities, or one number."""
        return self.combination.row([member.row(columns) for member in self.members])
