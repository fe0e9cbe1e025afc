"""How encodings make up the matrix of a model: a row gets the same bits alone and in a table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..contract.cells import Cells
from ..features.encoding import LARGEST, Encoding, Number, ScaledNumber
from ..predictions import Array
from .rows import Quick, quick

Block = Callable[[Sequence[Cells]], Array]
"""From columns of n cells to columns of the matrix, shape (n, width)."""

FEW = 16  # rows, whose cells are encoded one after the other unless they are numbers
MANY = 1_000  # rows, of which one column of numbers after the other stays in a cache


class Layout:
    """The matrix of some encodings, by column or engineered feature, in their order.

    Numbers are encoded together unless there are many rows, since each call of numpy costs as much
    as many of them.
    """

    def __init__(self, encodings: Mapping[str, Encoding]) -> None:
        self._encodings = dict(encodings)
        self._quick = {name: quick(encoding) for name, encoding in encodings.items()}
        self._numbers: list[tuple[list[str], Block]] = []
        made: list[str] = []  # for each column that the blocks make, what it is of
        kinds: tuple[tuple[type, Callable[[Sequence[Any]], Block]], ...]
        kinds = ((Number, _numbers), (ScaledNumber, _scaled))
        for kind, block in kinds:
            alike = {n: e for n, e in encodings.items() if isinstance(e, kind)}
            if alike:
                self._numbers.append(([*alike], block([*alike.values()])))
                made += [*alike, *(n for n, e in alike.items() if getattr(e, "indicator", False))]
        self._others = {
            n: e for n, e in encodings.items() if not isinstance(e, Number | ScaledNumber)
        }
        for name in self._others:
            made += [name] * len(self._quick[name](None))
        place = {name: position for position, name in enumerate(encodings)}
        self._order = np.argsort([place[name] for name in made], kind="stable")

    def matrix(self, columns: Mapping[str, Cells], count: int) -> Array:
        """Return the matrix of shape (n, width) for columns of n cells."""
        if count > MANY:
            return self._many(columns, count)
        blocks = [block([columns[n] for n in names]) for names, block in self._numbers]
        if count > FEW:
            blocks += [e.encode(columns[n]) for n, e in self._others.items()]  # type: ignore[arg-type]
        elif self._others:
            encode = [self._quick[name] for name in self._others]
            rows = zip(*(plain(columns[name]) for name in self._others), strict=True)
            blocks.append(np.array([_flat(encode, row) for row in rows], dtype=np.float64))
        return np.concatenate(blocks, axis=1).take(self._order, axis=1)

    def _many(self, columns: Mapping[str, Cells], count: int) -> Array:
        across = np.empty((len(self._order), count))  # so that each column is written in one go
        end = 0
        for name, encoding in self._encodings.items():
            block = encoding.encode(columns[name])  # type: ignore[arg-type]
            start, end = end, end + block.shape[1]
            across[start:end] = block.T
        return np.ascontiguousarray(across.T)

    def row(self, columns: Mapping[str, Cells]) -> list[float]:
        """Return the row for columns of one plain cell."""
        flat: list[float] = []
        for name, encode in self._quick.items():
            flat += encode(columns[name][0])
        return flat


def plain(cells: Cells) -> Sequence[Any]:
    """Return cells as numbers and texts of Python."""
    return cells.tolist() if isinstance(cells, np.ndarray) else cells


def _flat(encode: Iterable[Quick], cells: Iterable[Any]) -> list[float]:
    flat: list[float] = []
    for one, cell in zip(encode, cells, strict=True):
        flat += one(cell)
    return flat


def _numbers(encodings: Sequence[Number]) -> Block:
    return lambda cells: np.minimum(np.maximum(_floats(cells), -LARGEST), LARGEST).T


def _scaled(encodings: Sequence[ScaledNumber]) -> Block:
    """Encode as `ScaledNumber` does; the indicators follow the numbers."""
    flagged = [position for position, one in enumerate(encodings) if one.indicator]
    learned = np.array([(one.median, one.mean, one.scale) for one in encodings])
    median, mean, scale = learned.T[:, :, None]

    def block(cells: Sequence[Cells]) -> Array:
        values = _floats(cells)
        missing = np.isnan(values)
        with np.errstate(over="ignore"):  # what overflows is clipped just below
            values = (np.where(missing, median, values) - mean) / scale
        values = np.minimum(np.maximum(values, -10.0), 10.0)
        return np.concatenate([values, missing[flagged]]).T if flagged else values.T

    return block


def _floats(cells: Sequence[Cells]) -> Array:
    if len(cells[0]) > FEW:
        return np.array(cells, dtype=np.float64)
    # In one go, since every list inside a list costs as much as several numbers.
    flat = [*chain.from_iterable(cells)]
    return np.array(flat, dtype=np.float64).reshape(len(cells), -1)
