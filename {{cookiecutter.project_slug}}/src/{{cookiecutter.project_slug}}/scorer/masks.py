"""Small trees for few rows: a cell's answer strikes out the leaves that it rules out.

Each tree is a word with a bit for each leaf. A cell lies between two thresholds of its column, and
there is a mask for each such gap; all masks of a row together leave one bit in each word, the leaf
that the row is in. (QuickScorer, Lucchese 2015, with the answers of a column put together.)
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import accumulate
from operator import or_
from typing import NamedTuple

import numpy as np

from ..predictions import Array
from .answers import Answers

FEW = 12  # rows, whose masks are put together one row after the other
BLOCK = 256  # rows at once, whose words fit into a cache
WIDTHS = (8, 16, 32, 64)  # bits of a word
LARGEST = 16_000_000  # bytes of all masks
NO_LEVEL = -1.0
EXPONENT, BIAS = 52, 1023  # of a double: the position of the one bit that is set


class Gaps(NamedTuple):
    """The masks of one column of numbers."""

    column: int
    thresholds: list[float]
    masks: list[int]
    """For cells up to the first threshold, up to the second, …, and above the last."""
    missing: int


class Levels(NamedTuple):
    """The masks of one column of codes of levels."""

    column: int
    masks: dict[float, int]
    unknown: int
    missing: int


@dataclass
class Masks:
    """Trees, as what each cell leaves of their leaves."""

    gaps: list[Gaps]
    levels: list[Levels]
    everything: int
    """All leaves."""
    word: np.dtype[np.unsignedinteger]
    values: Array
    """What a leaf adds, shape (trees, places); the trees of a round for each output in turn."""
    outputs: int

    @cached_property
    def _first(self) -> Array:
        """Where the values of each tree begin, less what the exponent of a double adds."""
        trees, places = self.values.shape
        return np.arange(trees) * places - BIAS

    @cached_property
    def _flat(self) -> Array:
        return np.ascontiguousarray(self.values).ravel()

    @cached_property
    def _length(self) -> int:
        return len(self.values) * self.word.itemsize

    def row(self, values: Sequence[float]) -> list[float]:
        """Return the sums of the trees for one row."""
        cells = [*map(float, values)]  # a whole number beyond 2**53 is rounded, as in a matrix
        sums: list[float] = self._sums(self._words([self._left(cells)]))[0].tolist()
        return sums

    def __call__(self, X: Array) -> Array:
        """Return the sums of the trees, shape (n, outputs)."""
        if len(X) <= FEW:
            return self._sums(self._words([self._left(values) for values in X.tolist()]))
        starts = range(0, len(X), BLOCK)
        return np.concatenate([self._sums(self._many(X[s : s + BLOCK])) for s in starts])

    def _left(self, values: Sequence[float]) -> int:
        """Return the leaves that one row is in."""
        left = self.everything
        for column, thresholds, masks, missing in self.gaps:
            cell = values[column]
            left &= masks[bisect_left(thresholds, cell)] if cell == cell else missing
        for column, known, unknown, missing in self.levels:
            cell = values[column]
            left &= known.get(cell, unknown) if cell == cell else missing
        return left

    def _many(self, X: Array) -> Array:
        """Return the same as words, shape (n, trees)."""
        words = self._words([self.everything]).repeat(len(X), axis=0)
        by_column, missing = np.ascontiguousarray(X.T), np.isnan(X.T)
        any_missing = np.any(missing, axis=1)
        for column, known, exact, table in self._tables:
            cells = by_column[column]
            found = known.searchsorted(cells)
            if exact:  # what is no level that was asked for
                at = np.minimum(found, len(known) - 1)
                found = np.where(known.take(at) == cells, found, len(known))
            if any_missing[column]:
                found[missing[column]] = len(known) + 1
            words &= table.take(found, axis=0)
        return words

    def _sums(self, words: Array) -> Array:
        exponents = words.astype(np.float64).view(np.int64) >> EXPONENT
        added = self._flat.take(exponents + self._first).reshape(len(words), -1, self.outputs)
        by_round = added.swapaxes(0, 1)
        # One round after the other: the sum of floats has an order. A single column would be
        # added in pairs.
        if len(words) == 1:
            return np.asarray(np.add.accumulate(by_round)[-1])
        return np.asarray(np.add.reduce(np.ascontiguousarray(by_round)))

    @cached_property
    def _tables(self) -> list[tuple[int, Array, bool, Array]]:
        """Of each column the thresholds or levels, which of them it is, and the masks as words."""
        tables = []
        for gaps in self.gaps:
            words = self._words([*gaps.masks, gaps.missing])
            tables.append((gaps.column, np.array(gaps.thresholds), False, words))
        for levels in self.levels:
            known = sorted(levels.masks)
            masks = [levels.masks[level] for level in known]
            words = self._words([*masks, levels.unknown, levels.missing])
            tables.append((levels.column, np.array(known), True, words))
        return tables

    def _words(self, masks: Sequence[int]) -> Array:
        octets = b"".join(mask.to_bytes(self._length, "little") for mask in masks)
        return np.frombuffer(octets, self.word).reshape(len(masks), -1)


def mask(answers: Answers) -> Masks | None:
    """Return trees by the masks of their leaves; None if these would be too large."""
    trees, places = answers.values.shape
    width = next((bits for bits in WIDTHS if bits >= places), 0)
    length, columns = trees * width // 8, len(set(answers.columns.tolist()))
    in_turn = np.arange(trees) % answers.outputs
    too_large = not width or length * (len(answers.columns) + 2 * columns) > LARGEST
    if too_large or not np.array_equal(answers.targets, in_turn):
        return None
    bits = (answers.trees.astype(np.int64) * width + answers.places).tolist()
    everything = sum(1 << bit for bit in bits)
    yes, no = _struck(answers, bits, length)
    missing = [a if told else b for told, a, b in zip(answers.missing, no, yes, strict=True)]
    known = len(answers.thresholds)
    gaps, levels = [], []
    for column in np.unique(answers.columns[:known]).tolist():
        own = np.flatnonzero(answers.columns[:known] == column).tolist()
        before = [*accumulate((yes[q] for q in own), or_, initial=0)]
        after = [*accumulate((no[q] for q in reversed(own)), or_, initial=0)][::-1]
        struck = [one | other for one, other in zip(before, after, strict=True)]
        masks = [everything & ~one for one in struck]
        left = everything & ~_any(missing[q] for q in own)
        gaps.append(Gaps(column, answers.thresholds[own].tolist(), masks, left))
    for column in np.unique(answers.columns[known:]).tolist():
        own = (known + np.flatnonzero(answers.columns[known:] == column)).tolist()
        asked = {q: {*answers.levels[q - known].tolist()} for q in own}
        # With one that no cell has, since a question may be about a missing cell alone.
        codes = {NO_LEVEL, *(level for q in own for level in asked[q] if level == level)}
        masks_of = {
            level: everything & ~_any(no[q] if level in asked[q] else yes[q] for q in own)
            for level in codes
        }
        unknown = everything & ~_any(yes[q] for q in own)
        left = everything & ~_any(missing[q] for q in own)
        levels.append(Levels(column, masks_of, unknown, left))
    word = np.dtype(f"<u{width // 8}")
    return Masks(gaps, levels, everything, word, answers.values, answers.outputs)


def _any(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


def _struck(answers: Answers, bits: Sequence[int], length: int) -> tuple[list[int], list[int]]:
    """Return for each question the leaves that need a yes, and those that need a no."""
    need = {told: [bytearray(length) for _ in answers.columns] for told in (True, False)}
    for way in answers.ways:
        for question, bit in zip(way.tolist(), bits, strict=False):
            octets = need[question >= 0][question if question >= 0 else ~question]
            octets[bit >> 3] |= 1 << (bit & 7)
    yes, no = ([int.from_bytes(one, "little") for one in need[told]] for told in (True, False))
    return yes, no
