"""Gradient boosting that answers a single request quickly."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.utils.validation import check_is_fitted

FEW = 8  # rows; of more, scikit-learn walks one tree after the other
PARTS = ("nodes", "binned_left_cat_bitsets", "raw_left_cat_bitsets")  # of a tree of scikit-learn


@dataclass
class Trees:
    """All trees of a model side by side, so that one row goes down all of them at once."""

    roots: NDArray[np.intp]
    """The root of each tree, shape (rounds, trees of a round)."""
    feature: NDArray[np.intp]
    """Of each node, as all that follow."""
    threshold: NDArray[np.float64]
    left: NDArray[np.intp]
    """The node that follows; a leaf follows itself."""
    right: NDArray[np.intp]
    missing_left: NDArray[np.bool_]
    categorical: NDArray[np.intp]
    """Which nodes ask for the level of a category."""
    left_levels: NDArray[np.bool_]
    """Which levels go left, shape (categorical splits, 256)."""
    levels: NDArray[np.intp]
    """The row of `left_levels` of each node."""
    known: NDArray[np.bool_]
    """Which levels each feature was fitted on, shape (features, 256)."""
    value: NDArray[np.float64]
    """For each output of a tree, shape (outputs, nodes)."""

    @classmethod
    def of(cls, model: Any) -> "Trees":
        """Take the trees out of a fitted model of scikit-learn."""
        rounds = model._predictors
        shared = are_shared(rounds)
        trees = [tree for round_ in rounds for tree in (round_[:1] if shared else round_)]
        outputs = [*zip(*rounds, strict=True)] if shared else [trees]
        sizes = [len(tree.nodes) for tree in trees]
        starts = np.cumsum([0, *sizes[:-1]])
        nodes = np.concatenate([tree.nodes for tree in trees])
        shift = np.repeat(starts, sizes)
        leaf, own = nodes["is_leaf"].astype(bool), np.arange(len(nodes))
        left, right = (np.where(leaf, own, nodes[side] + shift) for side in ("left", "right"))
        sets = [bits(tree.raw_left_cat_bitsets) for tree in trees]
        before = np.cumsum([0, *(len(one) for one in sets[:-1])])
        bitsets, positions = model._bin_mapper.make_known_categories_bitsets()
        known = np.zeros((model.n_features_in_, 256), dtype=bool)
        if model.is_categorical_ is not None:
            for feature in np.flatnonzero(model.is_categorical_):
                known[feature] = bits(bitsets)[positions[feature]]
        values = [np.concatenate([tree.nodes["value"] for tree in one]) for one in outputs]
        return cls(
            starts.reshape(len(rounds), -1),
            np.where(leaf, 0, nodes["feature_idx"]),
            nodes["num_threshold"],
            left,
            right,
            nodes["missing_go_to_left"].astype(bool),
            np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf),
            np.concatenate([*sets, np.zeros((1, 256), dtype=bool)]),
            nodes["bitset_idx"] + np.repeat(before, sizes),
            known,
            np.where(leaf, np.array(values), 0.0),
        )

    def values(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the trees say of a row of shape (features,); shape (rounds, outputs)."""
        # Every node is asked, one after the other in memory: that is sooner done than to look for
        # those that the row comes by.
        cell = row.take(self.feature)
        goes_left = cell <= self.threshold
        if np.isnan(row).any():
            goes_left |= np.isnan(cell) & self.missing_left
        if self.categorical.size:
            cell = cell.take(self.categorical)
            at, level = self.categorical[cell >= 0], cell[cell >= 0].astype(np.uint8)
            inside = self.left_levels[self.levels[at], level]
            known = self.known[self.feature[at], level]
            goes_left[at] = np.where(inside | known, inside, self.missing_left[at])
        follows = np.where(goes_left, self.left, self.right)
        node, last = follows.take(self.roots), self.roots
        while not np.array_equal(node, last):
            node, last = follows.take(node), node
        return self.value.take(node, axis=1).transpose(1, 2, 0).reshape(len(node), -1)


def are_shared(rounds: Sequence[Sequence[TreePredictor]]) -> bool:
    """Return whether all trees of a round are one, apart from what its leaves say."""
    return all(_alike(one.nodes, round_[0].nodes) for round_ in rounds for one in round_[1:])


def _alike(nodes: Any, others: Any) -> bool:
    parts = ("is_leaf", "feature_idx", "num_threshold", "left", "right", "is_categorical")
    return all(np.array_equal(nodes[part], others[part]) for part in parts)


def bits(bitsets: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Turn bitsets of shape (n, 8) into booleans of shape (n, 256)."""
    octets = np.ascontiguousarray(bitsets, dtype="<u4").view(np.uint8)
    return np.unpackbits(octets.reshape(len(bitsets), 32), axis=1, bitorder="little").astype(bool)


class _Quick:
    """Takes codes of categories as the `Encoder` makes them: 0, 1, …, the first columns, or NaN.

    These are what scikit-learn's own preparation, which takes milliseconds, makes of them. Few rows
    go down all trees at once; the numbers are the same, bit for bit.
    """

    _trees: Trees | None = None
    _end = math.inf
    """The moment after which a fit adds no more rounds."""

    def fit(self, *arguments: Any, seconds: float | None = None, **options: Any) -> Self:
        """Fit, as scikit-learn does.

        Args:
            arguments: rows and outcomes.
            seconds: after which it stops early, where held-out rows would let it go on.
            options: what else scikit-learn's `fit` takes.
        """
        self._trees = None
        if seconds is not None:
            self._end = time.monotonic() + seconds
        try:
            super().fit(*arguments, **options)  # type: ignore[misc]
        finally:
            vars(self).pop("_end", None)
        return self

    def _should_stop(self, scores: Any) -> bool:
        return bool(super()._should_stop(scores)) or time.monotonic() > self._end  # type: ignore[misc]

    def _preprocess_X(self, X: Any, *, reset: bool) -> Any:
        if reset:
            return super()._preprocess_X(X, reset=True)  # type: ignore[misc]
        return np.ascontiguousarray(X, dtype=np.float64)

    def _raw_predict(self: Any, X: Any, n_threads: int | None = None) -> NDArray[np.float64]:
        if getattr(self, "_in_fit", False) or len(X) > FEW:
            return super()._raw_predict(X, n_threads)  # type: ignore[misc]
        check_is_fitted(self)
        if self._trees is None:
            self._trees = Trees.of(self)
        rows = self._preprocess_X(X, reset=False)
        start = self._baseline_prediction.reshape(1, -1)
        # One after the other, as scikit-learn adds them up: the sum of floats has an order.
        sums = [np.add.accumulate(np.vstack([start, self._trees.values(r)]))[-1] for r in rows]
        return np.array(sums).reshape(len(rows), self.n_trees_per_iteration_)

    def __getstate__(self) -> dict[str, Any]:
        """Put the trees into few arrays: to write thousands of objects takes minutes."""
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        state.pop("_trees", None)
        if rounds := state.pop("_predictors", None):
            trees = [tree for round_ in rounds for tree in round_]
            for name in PARTS:
                parts = [getattr(tree, name) for tree in trees]
                state[f"_all_{name}"] = np.concatenate(parts)
                state[f"_ends_{name}"] = np.cumsum([len(part) for part in parts])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the trees again."""
        rest = dict(state)
        parts = [
            np.split(rest.pop(f"_all_{name}"), rest.pop(f"_ends_{name}")[:-1])
            for name in PARTS
            if f"_all_{name}" in rest
        ]
        super().__setstate__(rest)  # type: ignore[misc]
        if parts:
            trees = [TreePredictor(*tree) for tree in zip(*parts, strict=True)]
            width = self.n_trees_per_iteration_  # type: ignore[attr-defined]
            self._predictors = [trees[i : i + width] for i in range(0, len(trees), width)]


class QuickBoostingClassifier(_Quick, HistGradientBoostingClassifier):
    """scikit-learn's HistGradientBoostingClassifier."""


class QuickBoostingRegressor(_Quick, HistGradientBoostingRegressor):
    """scikit-learn's HistGradientBoostingRegressor."""
