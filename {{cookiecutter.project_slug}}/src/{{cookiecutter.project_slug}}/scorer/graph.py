"""Decision trees of scikit-learn as an ONNX graph: TreeEnsemble of ai.onnx.ml 5, in doubles.

The thresholds and leaves keep every bit; the operator's older forms and skl2onnx round them to
single precision, which moves probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..predictions import Array

LESS_OR_EQUAL, MEMBER = 0, 6  # modes of a node
NO_LEVEL = -1.0


@dataclass
class Tree:
    """The nodes of one tree, as arrays of shape (nodes,); the first one is the root."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf: NDArray[np.bool_]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    """What the leaf adds."""
    target: int = 0
    """The output that it is added to."""
    levels: dict[int, Array] | None = None
    """For nodes that ask for a level: those that go left."""


def write(trees: Sequence[Tree], columns: int, outputs: int) -> Array:
    """Return the bytes of the graph from `X` (n, columns) to `Y` (n, outputs), shape (bytes,)."""
    attributes = _attributes([rooted(tree) for tree in trees])
    node = helper.make_node(
        "TreeEnsemble",
        ["X"],
        ["Y"],
        domain="ai.onnx.ml",
        n_targets=outputs,
        aggregate_function=1,  # the sum
        post_transform=0,
        **attributes,
    )
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, [None, columns])],
        [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, [None, outputs])],
    )
    versions = [helper.make_opsetid("ai.onnx.ml", 5), helper.make_opsetid("", 21)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=10)
    return np.frombuffer(model.SerializeToString(), dtype=np.uint8)


def rooted(tree: Tree) -> Tree:
    """Give a tree that is a single leaf a node to ask, since the format has no other root."""
    if not tree.leaf[0]:
        return tree
    return Tree(
        np.array([0, 0]),
        np.array([0.0, 0.0]),
        np.array([1, 1]),
        np.array([1, 1]),
        np.array([False, True]),
        np.array([False, False]),
        np.array([0.0, tree.value[0]]),
        tree.target,
    )


def _attributes(trees: Sequence[Tree]) -> dict[str, Any]:
    inner = [np.flatnonzero(~tree.leaf) for tree in trees]
    leaves = [np.flatnonzero(tree.leaf) for tree in trees]
    first_inner = np.cumsum([0, *(len(one) for one in inner)])
    first_leaf = np.cumsum([0, *(len(one) for one in leaves)])
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("feature", "split", "mode", "missing", "yes", "no", "yes_leaf", "no_leaf")
    }
    members: list[float] = []
    for tree, nodes, ends, start, leaf_start in zip(
        trees, inner, leaves, first_inner, first_leaf, strict=False
    ):
        position = np.empty(len(tree.leaf), dtype=np.int64)
        position[nodes] = start + np.arange(len(nodes))
        position[ends] = leaf_start + np.arange(len(ends))
        levels = tree.levels or {}
        for node in nodes.tolist():
            if node in levels:  # an empty list is not allowed: a level that no row has
                members += [*levels[node].tolist(), NO_LEVEL, np.nan]
        columns["mode"] += [MEMBER if node in levels else LESS_OR_EQUAL for node in nodes.tolist()]
        columns["feature"] += tree.feature[nodes].tolist()
        columns["split"] += tree.threshold[nodes].tolist()
        columns["missing"] += tree.missing_left[nodes].tolist()
        columns["yes"] += position[tree.left[nodes]].tolist()
        columns["no"] += position[tree.right[nodes]].tolist()
        columns["yes_leaf"] += tree.leaf[tree.left[nodes]].tolist()
        columns["no_leaf"] += tree.leaf[tree.right[nodes]].tolist()
    weights = np.concatenate([t.value[ends] for t, ends in zip(trees, leaves, strict=True)])
    targets = [t.target for t, ends in zip(trees, leaves, strict=True) for _ in ends]
    return {
        "tree_roots": first_inner[:-1].tolist(),
        "nodes_featureids": columns["feature"],
        "nodes_splits": _tensor("splits", columns["split"], np.float64),
        "nodes_modes": _tensor("modes", columns["mode"], np.uint8),
        "nodes_truenodeids": columns["yes"],
        "nodes_falsenodeids": columns["no"],
        "nodes_trueleafs": [int(is_leaf) for is_leaf in columns["yes_leaf"]],
        "nodes_falseleafs": [int(is_leaf) for is_leaf in columns["no_leaf"]],
        "nodes_missing_value_tracks_true": [int(left) for left in columns["missing"]],
        "leaf_targetids": targets,
        "leaf_weights": _tensor("weights", weights, np.float64),
        **({"membership_values": _tensor("members", members, np.float64)} if members else {}),
    }


def _tensor(name: str, values: Any, kind: Any) -> Any:
    return numpy_helper.from_array(np.array(values, dtype=kind), name)
