import numpy as np
import pytest
from sklearn.metrics import f1_score

from {{cookiecutter.project_slug}} import calibration, combination, metrics, predictions


def probabilities(logits):
    logits = logits - logits.max(axis=1, keepdims=True)
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def drawn(size, classes, seed=0):
    """Return true probabilities and classes drawn from them."""
    rng = np.random.default_rng(seed)
    true = probabilities(rng.normal(0, 2, (size, classes)))
    return true, np.array([rng.choice(classes, p=row) for row in true])


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_that_are_too_sure_are_put_right(classes):
    true, codes = drawn(3_000, classes)
    boastful = true**3 / (true**3).sum(axis=1, keepdims=True)
    calibrated = calibration.calibrate(np.ones(1), [boastful], codes, seed=0)
    found = calibrated([boastful])
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert calibration.log_loss(found, codes) < calibration.log_loss(boastful, codes) - 0.05
    assert np.abs(found - true).mean() < 0.3 * np.abs(boastful - true).mean()


def test_few_rows_are_not_calibrated():
    true, codes = drawn(30, 2)
    assert calibration.calibrate(np.ones(1), [true], codes, 0).coefficients is None


def test_members_that_know_different_classes_are_stacked():
    true, codes = drawn(3_000, 3)
    first, second = true.copy(), true.copy()
    first[:, 1:] = first[:, 1:].mean(axis=1, keepdims=True)  # cannot tell 1 from 2
    second[:, :2] = second[:, :2].mean(axis=1, keepdims=True)  # nor 0 from 1
    weights = np.array([0.5, 0.5])
    stacked = calibration.calibrate(weights, [first, second], codes, seed=0)
    assert stacked.coefficients.shape == (6, 3)
    mean = combination.Combination(weights)([first, second])
    found = stacked([first, second])
    assert calibration.log_loss(found, codes) < calibration.log_loss(mean, codes) - 0.02


def test_many_classes_are_pooled_with_a_weight_for_each_member():
    true, codes = drawn(3_000, 20)
    rng = np.random.default_rng(1)
    noisy = [probabilities(np.log(true) + rng.normal(0, s, true.shape)) for s in (0.3, 0.6, 3.0)]
    weights = np.full(3, 1 / 3)
    pooled = calibration.calibrate(weights, noisy, codes, seed=0)
    assert pooled.coefficients.shape == (60, 20)
    said = np.diag(pooled.coefficients[:20]), np.diag(pooled.coefficients[40:])
    assert said[0].min() > said[1].max(), "the better member has the larger weight"
    mean = combination.Combination(weights)(noisy)
    assert calibration.log_loss(pooled(noisy), codes) < calibration.log_loss(mean, codes) - 0.05


def test_a_threshold_for_another_metric_is_the_best_for_that():
    rng = np.random.default_rng(3)
    positive = rng.random(2_000) < 0.2
    scores = np.clip(0.2 + 0.2 * positive + rng.normal(0, 0.1, 2_000), 0, 1)
    both, classes = np.column_stack([1 - scores, scores]), ("no", "yes")
    metric = metrics.find("balanced_accuracy", "binary")
    costs = calibration.best_threshold(both, positive.astype(int), classes, metric)
    y = np.where(positive, "yes", "no")
    found = metric(y, predictions.Predictions(both, classes, costs))
    best = max(
        metric(y, predictions.Predictions(both, classes, calibration.deciding(limit)))
        for limit in np.linspace(0, 1, 500)
    )
    assert found == pytest.approx(best, abs=0.005)
    assert found > metric(y, predictions.Predictions(both, classes)) + 0.1


def test_the_threshold_is_the_one_with_the_best_macro_f1():
    rng = np.random.default_rng(3)
    positive = rng.random(2_000) < 0.08
    scores = np.clip(0.1 + 0.15 * positive + rng.normal(0, 0.07, 2_000), 0, 1).round(2)
    limit = calibration.threshold(scores, positive)
    best = max(f1_score(positive, scores > t, average="macro") for t in np.unique(scores)[:-1])
    assert f1_score(positive, scores > limit, average="macro") == pytest.approx(best)
    assert best > f1_score(positive, scores > 0.5, average="macro") + 0.1


def test_costs_that_are_not_listed_are_one_for_a_mistake_and_nothing_else():
    found = calibration.cost_matrix({"yes": {"no": 5.0}}, ("no", "yes"))
    assert found.tolist() == [[0, 1], [5, 0]]
    assert calibration.cost_matrix({"true": {"true": -2}}, (False, True)).tolist() == [
        [0, 1],
        [1, -2],
    ]


def test_costs_of_unknown_classes_are_refused(refused):
    with refused("params.yaml: tune.costs: 'maybe' is not a class", "no, yes"):
        calibration.cost_matrix({"yes": {"maybe": 5.0}}, ("no", "yes"))


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_intervals_hold_their_share_of_new_outcomes_small_and_large(coverage):
    rng = np.random.default_rng(1)

    def outcomes(values):
        return values + rng.normal(0, 0.1 + values)  # errors grow with the prediction

    known, new = rng.random(4_000), rng.random(20_000)
    region = calibration.conformal(known, outcomes(known), coverage)
    ends, y = region.interval(new), outcomes(new)
    inside = (ends[:, 0] <= y) & (y <= ends[:, 1])
    assert inside.mean() == pytest.approx(coverage, abs=0.02)
    for part in (new < 0.2, new > 0.8):
        assert inside[part].mean() == pytest.approx(coverage, abs=0.05)
    width = ends[:, 1] - ends[:, 0]
    assert width[new > 0.8].mean() > 2 * width[new < 0.2].mean()


def test_sets_hold_their_share_of_new_outcomes_and_are_never_empty():
    known, codes = drawn(2_000, 4, seed=1)
    new, outcomes = drawn(8_000, 4, seed=2)
    region = calibration.conformal(known, codes, 0.9)
    members = region.members(new)
    assert members[np.arange(len(new)), outcomes].mean() == pytest.approx(0.9, abs=0.02)
    assert members.any(axis=1).all()
    assert members.sum(axis=1).mean() < 4


def test_few_outcomes_give_the_widest_error_seen():
    region = calibration.conformal(np.zeros(4), np.array([1.0, -3.0, 0.0, 2.0]), 0.95)
    assert region.interval(np.array([10.0])).tolist() == [[7.0, 13.0]]
