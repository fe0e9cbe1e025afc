"""Small trees for many rows: every question is asked of all of them, and answers are bits.

A processor that walks down a tree waits at each node, since it cannot guess the answer. Here the
answers of 64 rows are one word, and a row is in the leaf on whose way all answers are its own: no
waiting, and the same sum to the last bit. (QuickScorer, Lucchese 2015, with rows for nodes.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..predictions import Array

if TYPE_CHECKING:  # the server has no onnx
    from .graph import Tree

MANY = 4_000  # rows; fewer take longer than to walk
BLOCK = 16_000  # rows at once, whose answers fit into a cache
BITS = 64_000_000  # answers of leaves at once, so that thousands of trees take no more memory
LEAVES = 64  # of a tree at most on average; with more there is too much to ask
LARGEST = 256  # leaves of a tree, whose places are bytes

Question = tuple[bool, int, float, bool, tuple[float, ...]]
"""Whether it is for levels, the column, the threshold, whether a missing cell is a yes, levels."""

Way = list[tuple[Question, bool]]


@dataclass
class Answers:
    """Trees by their questions: is a cell at most a threshold, or one of some levels?"""

    columns: Array
    """What each question is about, shape (questions,); column by column, those for levels last."""
    thresholds: Array
    """Of the first questions."""
    levels: Array
    """Of the others the levels that are a yes, one row for each question, filled up with NaN."""
    missing: Array
    """Whether a missing cell is a yes, shape (questions,)."""
    ways: list[Array]
    """At each depth the answers on the way to the leaves that are so deep, deepest leaves first:
    the position of the question for yes, its position from the end (-1 is the first) for no."""
    trees: Array
    """Of which tree each leaf is, shape (leaves,)."""
    places: Array
    """The position of each leaf in its tree."""
    values: Array
    """What a leaf adds, shape (trees, places)."""
    targets: Array
    """The output that each tree is added to."""
    outputs: int

    def __call__(self, X: Array) -> Array:
        """Return the sums of the trees, shape (n, outputs)."""
        rows = max(64, min(BLOCK, BITS // len(self.trees)))
        blocks = [self._sums(X[start : start + rows]) for start in range(0, len(X), rows)]
        return np.concatenate(blocks)

    def _sums(self, X: Array) -> Array:
        reached, places = self._reached(X), np.zeros((len(self.values), len(X)), np.uint8)
        by_tree = np.argsort(self.trees, kind="stable")
        for digit in range(int(self.places.max()).bit_length()):
            rows = by_tree[self.places[by_tree] >> digit & 1 == 1]
            trees, starts = np.unique(self.trees[rows], return_index=True)
            words = np.bitwise_or.reduceat(reached[rows], starts, axis=0)
            found = _unpacked(words, len(X))
            found <<= digit
            # All trees at once without a copy; small ones may not have this digit.
            places[trees if len(trees) < len(places) else slice(None)] |= found
        sums = np.zeros((self.outputs, len(X)))
        for target, values, place in zip(self.targets, self.values, places, strict=True):
            sums[target] += values.take(place)
        return sums.T

    def _reached(self, X: Array) -> Array:
        """Return the rows that are in each leaf, a bit for each: shape (leaves, words)."""
        yes = self._yes(X)
        answers = np.concatenate([yes, ~yes[::-1]])
        first, *others = self.ways
        reached = answers[first]
        for way in others:
            reached[: len(way)] &= answers[way]
        return reached

    def _yes(self, X: Array) -> Array:
        """Return the rows for which the answer is yes, a bit for each: (questions, words)."""
        yes = np.zeros((len(self.columns), -(-len(X) // 64) * 8), np.uint8)
        answers, known = yes[:, : -(-len(X) // 8)], len(self.thresholds)
        ends = {known, *np.flatnonzero(np.diff(self.columns)) + 1, len(self.columns)} - {0}
        for first, end in pairwise([0, *sorted(ends)]):  # of one kind, about one column
            cells = np.ascontiguousarray(X[:, self.columns[first]])
            if first < known:
                found = cells <= self.thresholds[first:end, None]
            else:
                levels = self.levels[first - known : end - known]
                found = np.array([np.isin(cells, one) for one in levels])
            found[self.missing[first:end]] |= np.isnan(cells)
            answers[first:end] = np.packbits(found, axis=1, bitorder="little")
        return yes.view(np.uint64)


def _unpacked(words: Array, count: int) -> Array:
    return np.unpackbits(words.view(np.uint8), axis=1, count=count, bitorder="little")


def ask(trees: "Sequence[Tree]", outputs: int) -> Answers | None:
    """Return trees, none a single leaf, by their questions; None if they are too large."""
    counts = [1 + int((~tree.leaf).sum()) for tree in trees]  # ways, of which two may join
    if sum(counts) > LEAVES * len(trees) or max(counts) > LARGEST:
        return None
    values = np.zeros((len(trees), max(counts)))
    found: list[tuple[Way, int, int]] = []
    for position, tree in enumerate(trees):
        for place, (node, way) in enumerate(_leaves(tree)):
            values[position, place] = tree.value[node]
            found.append((way, position, place))
    found.sort(key=lambda leaf: -len(leaf[0]))
    questions = sorted({question for way, _, _ in found for question, _ in way})
    known = {question: position for position, question in enumerate(questions)}
    ways = [[known[q] if yes else ~known[q] for q, yes in way] for way, _, _ in found]
    sets = [levels for is_set, _, _, _, levels in questions if is_set]
    padded = np.full((len(sets), max(map(len, sets), default=0)), np.nan)
    for row, levels in zip(padded, sets, strict=True):
        row[: len(levels)] = levels
    return Answers(
        np.array([column for _, column, _, _, _ in questions]),
        np.array([threshold for is_set, _, threshold, _, _ in questions if not is_set]),
        padded,
        np.array([missing for _, _, _, missing, _ in questions]),
        [np.array([w[d] for w in ways if len(w) > d]) for d in range(len(ways[0]))],
        np.array([position for _, position, _ in found]),
        np.array([place for _, _, place in found]),
        values,
        np.array([tree.target for tree in trees]),
        outputs,
    )


def _leaves(tree: "Tree") -> Iterator[tuple[int, Way]]:
    """Yield the leaves, each with the answers on its way."""
    open_: list[tuple[int, Way]] = [(0, [])]
    sets = tree.levels or {}
    while open_:
        node, way = open_.pop()
        if tree.leaf[node]:
            yield node, way
            continue
        levels = tuple(sets[node].tolist()) if node in sets else ()
        threshold = 0.0 if node in sets else float(tree.threshold[node])
        missing = bool(tree.missing_left[node])
        question = (node in sets, int(tree.feature[node]), threshold, missing, levels)
        open_ += [(int(tree.left[node]), [*way, (question, True)])]
        open_ += [(int(tree.right[node]), [*way, (question, False)])]
