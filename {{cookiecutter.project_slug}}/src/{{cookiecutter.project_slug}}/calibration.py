"""What held-out predictions teach: calibration, decisions, conformal sets and intervals."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from .arithmetic import softmax
from .combination import TINY, Combination, Region, logarithms
from .errors import InputError
from .metrics import Metric
from .predictions import Array, Classes, Predictions

STRENGTHS = (0.1, 1.0, 10.0)  # the inverse of the penalty
ROWS = 12_000  # for two classes, fewer for more: to learn from more would take long
LEAST = 3_000
FOLDS = 4
LIMITS = 100  # thresholds that are tried
WIDEST = 48  # inputs; to stack more would take longer than it is worth
Values = Sequence[Array]
"""What each member said, shape (n, classes)."""
Way = Callable[[Combination, Values, Array, float], Combination]
"""Learns coefficients from weights, values, codes (n,) and the inverse of the penalty."""
BIN = 100  # rows of a bin of intervals, at least
BINS = 5


def calibrate(weights: Array, values: Sequence[Array], codes: Array, seed: int) -> Combination:
    """Return how to combine members' held-out probabilities with the least log loss.

    Either the weighted mean; or that mean, calibrated by a logistic regression on its logarithms
    (Platt 1999; with several classes Guo et al. 2017); or, for several classes and members, one on
    the logarithms of all (stacking, Wolpert 1992), or with one weight for each member (a
    logarithmic pool, Genest and Zidek 1986). Cross-validation chooses.

    Args:
        weights: of the members, shape (members,).
        values: what each member said, shape (n, classes), of rows it had not seen.
        codes: the positions of the true classes, shape (n,).
        seed: seeds the choice of rows and folds.
    """
    chosen = np.random.default_rng(seed).permutation(len(codes))
    chosen = chosen[: max(2 * ROWS // values[0].shape[1], LEAST)]
    codes, values = codes[chosen], [value[chosen] for value in values]
    plain = Combination(weights)
    mean = plain(values)
    if len(codes) < 10 * FOLDS or len(np.unique(codes)) < mean.shape[1]:
        return plain
    ways: list[Way] = [_platt]
    if len(values) > 1 and mean.shape[1] > 2:
        ways.append(_pool)
        if mean.shape[1] * len(values) <= WIDEST:
            ways.append(_stack)
    folds = list(KFold(FOLDS, shuffle=True, random_state=seed).split(codes))
    losses: dict[tuple[Way, float] | None, float] = {None: log_loss(mean, codes)}
    for way, strength in product(ways, STRENGTHS):
        said = np.full_like(mean, np.nan)
        for learned, held_out in folds:
            if len(np.unique(codes[learned])) == mean.shape[1]:
                fitted = way(plain, [v[learned] for v in values], codes[learned], strength)
                said[held_out] = fitted([v[held_out] for v in values])
        losses[way, strength] = log_loss(said, codes)
    best = min(losses, key=lambda key: losses[key] if np.isfinite(losses[key]) else np.inf)
    return plain if best is None else best[0](plain, values, codes, best[1])


def _platt(plain: Combination, values: Values, codes: Array, strength: float) -> Combination:
    return _fit(plain, logarithms([plain(values)]), codes, strength)


def _stack(plain: Combination, values: Values, codes: Array, strength: float) -> Combination:
    return _fit(plain, logarithms(values), codes, strength)


def _pool(plain: Combination, values: Values, codes: Array, strength: float) -> Combination:
    logs = np.stack([logarithms([one]) for one in values])
    members, _, classes = logs.shape
    truth = np.eye(classes)[codes]
    start = np.append(plain.weights, np.zeros(classes))

    def loss(free: Array) -> tuple[float, Array]:
        said = softmax(np.tensordot(free[:members], logs, 1) + free[members:])
        away, wrong = free - start, said - truth
        slope = np.append(np.tensordot(logs, wrong, 2), wrong.sum(axis=0)) + away / strength
        likelihood = np.log(np.maximum(said[truth.astype(bool)], TINY)).sum()
        return float(away @ away / (2 * strength) - likelihood), slope

    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    coefficients = np.vstack([weight * np.eye(classes) for weight in found[:members]])
    return replace(plain, coefficients=coefficients, intercept=found[members:])


def _fit(plain: Combination, inputs: Array, codes: Array, strength: float) -> Combination:
    # Newton's method takes few steps; with very many coefficients each of them takes long.
    few = inputs.shape[1] * len(np.unique(codes)) <= 400
    solver = "newton-cholesky" if few else "lbfgs"
    model = LogisticRegression(C=strength, solver=solver, max_iter=1000, tol=1e-3)
    with warnings.catch_warnings():  # cross-validation says whether it is good enough
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(inputs, codes)
    coefficients, intercept = model.coef_.T, model.intercept_
    if coefficients.shape[1] == 1:  # of two classes: the first one is the reference
        coefficients = np.hstack([np.zeros_like(coefficients), coefficients])
        intercept = np.append(0.0, intercept)
    return replace(plain, coefficients=coefficients, intercept=intercept)


def log_loss(probabilities: Array, codes: Array) -> float:
    """Return the mean of minus the logarithm of the true class's probability."""
    chosen = probabilities[np.arange(len(codes)), codes]
    return float(-np.log(np.clip(chosen, TINY, 1.0)).mean())


def threshold(scores: Array, positive: NDArray[np.bool_]) -> float:
    """Return the probability above which deciding for the positive class gives the best macro F1.

    Args:
        scores: the positive class's probability for rows not learned from, shape (n,).
        positive: whether it was true.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(positive[order])
    said = np.arange(1, len(ranked) + 1)
    n, events = len(ranked), hits[-1]
    rest = (n - said) - (events - hits)  # true negatives
    f1 = 2 * hits / (said + events) + 2 * rest / np.maximum((n - said) + (n - events), 1)
    f1[:-1][ranked[:-1] == ranked[1:]] = -1.0  # equal scores cannot be told apart
    best = int(f1.argmax())
    return float(ranked[best : best + 2].mean())


def best_threshold(probabilities: Array, codes: Array, classes: Classes, metric: Metric) -> Array:
    """Return the costs by which decisions of two classes give the best value of a metric.

    Args:
        probabilities: of rows not learned from, shape (n, 2).
        codes: the positions of the true classes, shape (n,).
        classes: the two.
        metric: of decisions.
    """
    sign, y = 1 if metric.greater_is_better else -1, np.array(classes)[codes]
    limits = np.unique(np.quantile(probabilities[:, 1], np.linspace(0.01, 0.99, LIMITS)))
    tried = [deciding(float(limit)) for limit in (0.5, *limits)]
    return max(
        tried, key=lambda costs: sign * metric(y, Predictions(probabilities, classes, costs))
    )


def deciding(limit: float) -> Array:
    """Return the costs that decide for the second class where its probability is above a limit."""
    return np.array([[0.0, limit], [1.0 - limit, 0.0]])


def cost_matrix(
    costs: Mapping[str, Mapping[str, float]], classes: Classes, key: str = "tune.costs"
) -> Array:
    """Return costs by name as a matrix: true classes down, decisions across.

    What is not listed costs 0 when it is right, else 1.

    Raises:
        InputError: a name is not a class.
    """
    names = [str(c).lower() if isinstance(c, bool) else c for c in classes]
    matrix = 1.0 - np.eye(len(names))
    for true, decisions in costs.items():
        for decision, cost in decisions.items():
            for name in (true, decision):
                if name not in names:
                    raise InputError(
                        f"params.yaml: {key}: {name!r} is not a class; known: {', '.join(names)}"
                    )
            matrix[names.index(true), names.index(decision)] = cost
    return matrix


def conformal(values: Array, outcomes: Array, coverage: float) -> Region:
    """Return the region around predictions that holds a share of the outcomes.

    Cross-conformal prediction (Vovk 2015): the errors on held-out rows are the calibration set. For
    numbers the margin is that of the predictions of similar size (Mondrian bins).

    Args:
        values: held-out predictions, (n,), or probabilities (n, classes).
        outcomes: numbers (n,), or codes of classes (n,).
        coverage: the share of outcomes that shall be inside.
    """
    if values.ndim == 2:
        errors = 1.0 - values[np.arange(len(outcomes)), outcomes]
        return Region(coverage, np.zeros(0), np.array([_quantile(errors, coverage)]))
    bins = int(np.clip(len(values) // BIN, 1, BINS))
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    place = np.searchsorted(edges, values, side="right")
    errors = np.abs(outcomes - values)
    margins = [
        _quantile(errors[place == b] if (place == b).any() else errors, coverage)
        for b in range(len(edges) + 1)
    ]
    return Region(coverage, edges, np.array(margins))


def _quantile(errors: Array, coverage: float) -> float:
    """Return the conformal quantile: the k-th smallest error, k = ⌈(n + 1) coverage⌉."""
    k = int(np.ceil((len(errors) + 1) * coverage))
    return float(np.sort(errors)[min(k, len(errors)) - 1])
