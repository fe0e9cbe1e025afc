"""Encodings for one cell and kernels for one row: the same bits as in a table, in less time."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import reduce
from itertools import groupby
from math import floor, nan
from typing import Any

import numpy as np

from ..contract.cells import Cell
from ..features.encoding import DAY, LARGEST, Encoding, Level, Moment, Number, ScaledNumber
from .kernels import Kernel

Quick = Callable[[Any], Sequence[float]]
Step = Callable[[list[float]], list[float]]


def steps(kernels: Iterable[Kernel]) -> list[Step]:
    """Return functions that do one after the other what the kernels do, for one row."""
    found: list[Step] = []
    for plain, group in groupby(kernels, lambda kernel: hasattr(kernel, "row")):
        if plain:
            found += [kernel.row for kernel in group]  # type: ignore[union-attr]
        else:
            found.append(_arrays([*group]))
    return found


def _arrays(kernels: Sequence[Kernel]) -> Step:
    def step(values: list[float]) -> list[float]:
        matrix = np.array([values], dtype=np.float64)
        said: list[float] = reduce(lambda X, kernel: kernel(X), kernels, matrix).tolist()[0]
        return said

    return step


def quick(encoding: Encoding) -> Quick:
    """Return a function from a cell to its columns of the matrix, bit for bit as `encode`."""
    match encoding:
        case Number():
            return _number
        case ScaledNumber():
            return _scaled(encoding)
        case Level(index=index, table=table):
            return _level(index, table.tolist())
        case Moment():
            return _moment(encoding)
        case _:
            return lambda cell: encoding.encode([cell])[0].tolist()


def _number(cell: Any) -> Sequence[float]:
    if cell is None:
        return (nan,)
    if -LARGEST <= cell <= LARGEST or cell != cell:
        return (cell,)
    return (LARGEST if cell > 0 else -LARGEST,)


def _scaled(encoding: ScaledNumber) -> Quick:
    median, mean, scale = encoding.median, encoding.mean, encoding.scale

    def scaled(cell: Any) -> Sequence[float]:
        missing = cell is None or cell != cell
        value = ((median if missing else cell) - mean) / scale
        value = -10.0 if value < -10.0 else 10.0 if value > 10.0 else value
        return (value, float(missing)) if encoding.indicator else (value,)

    return scaled


def _level(index: dict[str, int], table: list[list[float]]) -> Quick:
    known = {level: table[row] for level, row in index.items()}
    unknown, missing = table[len(index)], table[len(index) + 1]

    def level(cell: Cell) -> Sequence[float]:
        return missing if cell is None else known.get(cell, unknown)  # type: ignore[arg-type]

    return level


_EPOCH = date(1970, 1, 1).toordinal()
_CALENDAR: dict[str, Callable[[date, float], int]] = {
    "month": lambda day, rest: day.month - 1,
    "day": lambda day, rest: day.day - 1,
    "weekday": lambda day, rest: day.weekday(),
    "hour": lambda day, rest: int(rest // 3600),
    "minute": lambda day, rest: int(rest % 3600 // 60),
}


def _moment(encoding: Moment) -> Quick:
    trend = quick(encoding.trend)
    tables = [(_CALENDAR[part], encoding.tables[part].tolist()) for part in encoding.parts]

    def moment(cell: Any) -> Sequence[float]:
        if cell is None or cell != cell:
            found = [*trend(nan)]
            for _, table in tables:
                found += table[-1]
            return found
        days = floor(cell / DAY)
        found, day, rest = [*trend(cell / DAY)], date.fromordinal(days + _EPOCH), cell - days * DAY
        for part, table in tables:
            found += table[part(day, rest)]
        return found

    return moment
