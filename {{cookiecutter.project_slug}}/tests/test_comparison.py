from statistics import NormalDist

import numpy as np
import pytest

from {{cookiecutter.project_slug}} import comparison, metrics
from {{cookiecutter.project_slug}}.predictions import Predictions

CLASSES = (False, True)


def scored(rng, size, distance, noise=1.0):
    """Return which rows are events (a third), and scores that are normal around 0 or a distance."""
    positive = np.arange(size) % 3 == 0
    common = rng.normal(size=size)
    return positive, common + distance * positive, common + noise * rng.normal(size=size) + positive


def said(rng, size):
    """Return outcomes and calibrated probabilities."""
    p = rng.beta(0.8, 1.2, size)
    return rng.random(size) < p, Predictions(np.column_stack([1 - p, p]), CLASSES)


def with_resamples(params, resamples):
    return params.model_copy(
        update={"evaluate": params.evaluate.model_copy(update={"resamples": resamples})}
    )


def share_inside(truth, estimates):
    return np.mean([one.low <= truth <= one.high for one in estimates])


def test_the_placements_are_what_comparing_every_pair_gives():
    rng = np.random.default_rng(0)
    positive, scores = rng.random(60) < 0.4, rng.integers(0, 8, 60).astype(float)
    events, others = scores[positive][:, None], scores[~positive][None, :]
    pairs = (events > others) + 0.5 * (events == others)
    above, below = comparison.placements(positive, scores)
    np.testing.assert_allclose(above, pairs.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(below, pairs.mean(axis=0), atol=1e-12)


def test_the_variance_of_delong_is_that_of_the_formula_over_all_pairs_and_of_the_bootstrap():
    rng = np.random.default_rng(1)
    positive, ours, theirs = scored(rng, 240, 1.5)
    kernels = []
    for scores in (ours, theirs):
        kernels.append(scores[positive][:, None] > scores[~positive][None, :])
    difference = kernels[0].astype(float) - kernels[1]
    events, others = difference.mean(axis=1), difference.mean(axis=0)
    error = np.sqrt(events.var(ddof=1) / len(events) + others.var(ddof=1) / len(others))
    found = comparison.delong_difference(positive, ours, theirs, 0.95)
    assert found.value == pytest.approx(difference.mean())
    assert found.high - found.value == pytest.approx(NormalDist().inv_cdf(0.975) * error)
    area = metrics.METRICS["roc_auc"].function
    drawn = metrics.interval(
        lambda rows: area(positive[rows], ours[rows]) - area(positive[rows], theirs[rows]),
        len(positive),
        resamples=600,
        confidence=0.95,
        seed=0,
        strata=positive,
    )
    assert found.high - found.low == pytest.approx(drawn.high - drawn.low, rel=0.15)


# Of 400 intervals of a nominal 95 %, the share that covers has a standard error of 0.011: below
# 0.90 it would be 4 of them short. A percentile bootstrap of 150 rows is known to be a little short
# (0.91 to 0.95 in longer runs); of 120 such intervals 0.86 would be 2 standard errors below that.
@pytest.mark.parametrize(("size", "distance"), [(60, 1.5), (150, 1.0), (150, 2.5)])
def test_intervals_of_an_area_cover_the_truth_as_often_as_they_say(size, distance):
    rng, truth = np.random.default_rng(2), NormalDist().cdf(distance / 2**0.5)
    found = []
    for _ in range(400):
        positive, scores, _ = scored(rng, size, distance)
        found.append(comparison.delong(positive, scores, 0.95))
    assert share_inside(truth, found) > 0.90


def test_intervals_of_a_difference_of_areas_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(3)
    truth = NormalDist().cdf(1.5 / 2**0.5) - NormalDist().cdf(1 / 4**0.5)
    found = [
        comparison.delong_difference(*scored(rng, 120, 1.5, noise=1.0), 0.95) for _ in range(400)
    ]
    assert 0.90 < share_inside(truth, found) < 0.995


@pytest.mark.parametrize("name", ["brier", "log_loss", "f1_macro"])
def test_bootstrapped_intervals_cover_the_truth_nearly_as_often_as_they_say(name, params):
    rng, metric = np.random.default_rng(4), metrics.METRICS[name]
    truth = metric(*said(rng, 400_000))
    few = with_resamples(params, 150)
    found = [comparison.estimate(metric, *said(rng, 150), few) for _ in range(120)]
    assert {one.method for one in found} == {"bootstrap"}
    assert share_inside(truth, found) > 0.86


def test_intervals_of_the_accuracy_are_exact_and_cover_at_least_as_often_as_they_say(params):
    rng, metric = np.random.default_rng(5), metrics.METRICS["accuracy"]
    truth = metric(*said(rng, 400_000))
    found = [comparison.estimate(metric, *said(rng, 80), params) for _ in range(400)]
    assert {one.method for one in found} == {"Clopper-Pearson"}
    assert share_inside(truth, found) > 0.93


def test_paired_intervals_cover_the_truth_nearly_as_often_as_they_say(params):
    rng, metric = np.random.default_rng(6), metrics.METRICS["brier"]

    def pair(size):
        y, good = said(rng, size)
        q = np.clip(good.values[:, 1] + rng.normal(0, 0.15, size), 0, 1)
        return y, good, Predictions(np.column_stack([1 - q, q]), CLASSES)

    truth = metric.gain(*pair(400_000))
    few = with_resamples(params, 150)
    found = [comparison.compare(metric, *pair(150), few) for _ in range(120)]
    assert {one.method for one in found} == {"paired bootstrap"}
    assert share_inside(truth, found) > 0.86


def test_a_perfect_order_of_few_rows_is_not_taken_for_certain():
    found = comparison.delong(np.arange(12) > 6, np.arange(12.0), 0.95)
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 5))  # five pairs without a row in common
    alone = comparison.delong(np.arange(12) == 4, np.arange(12.0), 0.95)
    assert alone.low < 0.05 and alone.high > 0.95


def test_a_model_is_no_better_than_itself_and_surely_better_than_a_constant(params):
    rng = np.random.default_rng(7)
    y, good = said(rng, 300)
    constant = Predictions(np.full((300, 2), 0.5), CLASSES)
    for name in ("roc_auc", "brier"):
        metric = metrics.METRICS[name]
        same = comparison.compare(metric, y, good, good, params)
        assert (same.value, same.low, same.high) == (0, 0, 0)
        better = comparison.compare(metric, y, good, constant, params)
        assert 0 < better.low < better.value < better.high
        assert better.method in comparison.METHODS


def test_a_gap_that_chance_alone_gives_may_be_none():
    draws, chance = np.linspace(0.1, 0.3, 101), np.linspace(0, 0.05, 101)
    found = comparison.gap(0.15, draws, chance, 0.9)
    assert (found.low, found.high) == pytest.approx((0.01, 0.29))
    assert comparison.gap(0.15, draws, chance + 0.12, 0.9).low == 0
    assert comparison.gap(0.9, draws + 0.65, chance, 0.9).high <= 1
