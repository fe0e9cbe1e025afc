"""From fitted pipelines of scikit-learn to plain numbers. To add an estimator, write its case."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.feature_selection import SelectorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ..ensemble import Ensemble
from ..estimators.boosting import (
    QuickBoostingClassifier,
    QuickBoostingRegressor,
    are_shared,
    bits,
)
from ..estimators.forest import (
    QuickExtraTreesClassifier,
    QuickExtraTreesRegressor,
    QuickForestClassifier,
    QuickForestRegressor,
)
from ..estimators.residual_boosting import ResidualBoosting
from ..estimators.spline import Splines
from ..estimators.target import LogTarget
from ..predictions import Array, Classes
from . import graph
from .answers import ask
from .graph import Tree
from .kernels import (
    Arranged,
    Clipped,
    Columns,
    Complement,
    Constant,
    Exponential,
    Gaussians,
    Hinges,
    Kernel,
    Linear,
    Rectified,
    Rescaled,
    Sigmoid,
    Softmax,
    Sum,
    Trees,
)
from .scorer import Member, Scorer

MANY_NODES = 20_000  # of all trees of a model
Boosting = QuickBoostingClassifier | QuickBoostingRegressor
Forest = (
    QuickForestClassifier
    | QuickForestRegressor
    | QuickExtraTreesClassifier
    | QuickExtraTreesRegressor
)


class NotCompiled(Exception):
    """An estimator has no form in plain numbers here; scikit-learn itself must score it."""


def compile(model: Ensemble) -> Scorer:
    """Return a model as plain numbers.

    Raises:
        NotCompiled: an estimator of it has no such form.
    """
    members = [_member(pipeline, model.classes) for pipeline in model.members]
    return Scorer(members, model.combination, model.region, model.costs, model.contract)


def _member(pipeline: Pipeline, classes: Classes | None) -> Member:
    encoder, *steps = [step for _, step in pipeline.steps]
    kernels = [kernel for step in steps for kernel in _kernels(step)]
    if classes is not None:
        positions = np.array([classes.index(label) for label in pipeline.classes_.tolist()])
        if positions.tolist() != [*range(len(classes))]:
            kernels.append(Arranged(positions, len(classes)))
    return Member(dict(encoder.encodings_), kernels)


def _kernels(step: Any) -> list[Kernel]:
    """Return what a step computes; raises NotCompiled."""
    match step:
        case "passthrough":
            return []
        case Pipeline():
            return [kernel for _, one in step.steps for kernel in _kernels(one)]
        case SelectorMixin():
            return [Columns(np.flatnonzero(step.get_support()))]
        case Splines():
            return [Hinges(step.columns_, step.knots_)]
        case DummyClassifier(strategy="prior"):
            return [Constant(np.asarray(step.class_prior_))]
        case DummyRegressor(strategy="mean"):
            return [Constant(step.constant_.ravel())]
        case LogisticRegression():
            return [Linear(step.coef_.T, step.intercept_), _link(step)]
        case Ridge():
            return [Linear(step.coef_.reshape(-1, 1), np.atleast_1d(step.intercept_))]
        case GaussianNB():
            return [_gaussians(step), Softmax()]
        case MLPClassifier(activation="relu"):
            return [*_layers(step), _link(step)]
        case MLPRegressor(activation="relu"):
            return _layers(step)
        case TransformedTargetRegressor(transformer=StandardScaler()):
            scale = step.transformer_
            ends = Rescaled(float(scale.mean_[0]), float(scale.scale_[0]))
            return [*_kernels(step.regressor_), ends]
        case ResidualBoosting():
            trend = [*_kernels(step.linear_), Clipped(step.low_, step.high_)]
            return [Sum([trend, _kernels(step.boosting_)])]
        case LogTarget():
            return [*_kernels(step.regressor_), Exponential(step.low_, step.high_)]
        case _:
            return _trees(step)


def _trees(step: Any) -> list[Kernel]:
    match step:
        case QuickBoostingClassifier():
            return [_boosting(step), _link(step)]
        case QuickBoostingRegressor(loss="squared_error"):
            return [_boosting(step)]
        case DecisionTreeClassifier():
            return _votes([step], step)
        case DecisionTreeRegressor():
            return [_mean([step], step.n_features_in_, 0)]
        case QuickForestClassifier() | QuickExtraTreesClassifier():
            return _votes(step.estimators_, step)
        case QuickForestRegressor() | QuickExtraTreesRegressor():
            return [_mean(step.estimators_, step.n_features_in_, 0)]
        case _:
            raise NotCompiled(f"{type(step).__name__} is scored by scikit-learn")


def _link(step: Any) -> Sigmoid | Softmax:
    return Sigmoid() if len(step.classes_) == 2 else Softmax()


def _layers(step: Any) -> list[Kernel]:
    layers: list[Kernel] = []
    for weights, biases in zip(step.coefs_, step.intercepts_, strict=True):
        layers += [Linear(weights, biases), Rectified()]
    return layers[:-1]


def _gaussians(step: GaussianNB) -> Gaussians:
    constants = -0.5 * np.log(2.0 * np.pi * step.var_).sum(axis=1)
    return Gaussians(step.theta_, step.var_, np.log(step.class_prior_) + constants)


def _boosting(step: Any) -> Trees:
    start, outputs = step._baseline_prediction.ravel(), step.n_trees_per_iteration_
    nodes = sum(len(round_[0].nodes) for round_ in step._predictors)
    # Where they are many, a tree that is there once for each class is written once for all.
    if outputs > 1 and nodes * outputs > MANY_NODES and are_shared(step._predictors):
        firsts = [_boosted(round_[0], 0) for round_ in step._predictors]
        said = [np.column_stack([t.nodes["value"] for t in one]) for one in step._predictors]
        return _by_leaf(firsts, said, step.n_features_in_, start, single=False, count=1)
    trees = [
        graph.rooted(_boosted(tree, target))
        for round_ in step._predictors
        for target, tree in enumerate(round_)
    ]
    written = graph.write(trees, step.n_features_in_, outputs)
    return Trees(written, start, single=False, answers=ask(trees, outputs))


def _boosted(tree: Any, target: int) -> Tree:
    nodes, sets = tree.nodes, bits(tree.raw_left_cat_bitsets)
    leaf = nodes["is_leaf"].astype(bool)
    asked = np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf)
    return Tree(
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"],
        nodes["left"].astype(np.int64),
        nodes["right"].astype(np.int64),
        leaf,
        nodes["missing_go_to_left"].astype(bool),
        nodes["value"],
        target,
        {int(n): np.flatnonzero(sets[nodes["bitset_idx"][n]]).astype(float) for n in asked},
    )


def _votes(trees: Sequence[Any], step: Any) -> list[Kernel]:
    """Return the mean of the trees' probabilities."""
    if len(step.classes_) == 2:
        return [_mean(trees, step.n_features_in_, 1), Complement()]
    said = [one.tree_.value[:, 0] for one in trees]
    grown = [_grown(one, np.zeros(len(values))) for one, values in zip(trees, said, strict=True)]
    count = len(trees)
    return [_by_leaf(grown, said, step.n_features_in_, np.zeros(1), single=True, count=count)]


def _by_leaf(
    trees: Sequence[Tree],
    said: Sequence[Array],
    columns: int,
    start: Array,
    *,
    single: bool,
    count: int,
) -> Trees:
    """Return trees whose leaves say several numbers each, shape (nodes, outputs) of each tree.

    A leaf of the format says one number: here its own, by which what it says is found.
    """
    firsts = np.cumsum([0, *(len(values) for values in said)])
    numbered = [
        replace(tree, value=first + np.arange(len(values), dtype=np.float64), target=target)
        for target, (tree, values, first) in enumerate(zip(trees, said, firsts, strict=False))
    ]
    written = graph.write(numbered, columns, len(trees))
    return Trees(written, start, single, count, np.vstack(said))


def _mean(trees: Sequence[Any], columns: int, output: int) -> Trees:
    grown = [_grown(one, one.tree_.value[:, 0, output]) for one in trees]
    return Trees(graph.write(grown, columns, 1), np.zeros(1), single=True, count=len(trees))


def _grown(estimator: Any, value: Array, target: int = 0) -> Tree:
    tree = estimator.tree_
    leaf = tree.children_left == -1
    return Tree(
        np.where(leaf, 0, tree.feature),
        tree.threshold,
        tree.children_left,
        tree.children_right,
        leaf,
        tree.missing_go_to_left.astype(bool),
        value,
        target,
    )
