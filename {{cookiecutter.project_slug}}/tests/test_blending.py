import dataclasses

import numpy as np
import pytest

from {{cookiecutter.project_slug}} import (
    blending,
    candidates,
    folds,
    metrics,
    predictions,
)

RMSE = metrics.METRICS["rmse"]
SIZE, FOLDS = 600, 3
MADE = [(np.flatnonzero(np.arange(SIZE) % FOLDS != k), np.arange(k, SIZE, FOLDS)) for k in range(3)]
Y = np.random.default_rng(0).normal(size=SIZE)


def candidate(values, milliseconds=1.0, megabytes=1.0):
    scores = [
        folds.Score(
            "x",
            k,
            RMSE(Y[held], predictions.Predictions(values[held])),
            values[held],
            1.0,
            1.0,
            milliseconds,
            1000,
            megabytes,
            1.0,
            1.0,
            None,
        )
        for k, (_, held) in enumerate(MADE)
    ]
    return candidates.Candidate("x", {}, tuple(scores))


def noisy(error, seed, **costs):
    return candidate(Y + np.random.default_rng(seed).normal(0, error, SIZE), **costs)


def held_out(found):
    values = {i: one.held_out(MADE, SIZE) for i, one in enumerate(found)}
    return blending.HeldOut(values, Y, None, MADE)


def test_held_out_predictions_come_back_in_the_order_of_the_rows():
    values = np.random.default_rng(1).normal(size=SIZE)
    np.testing.assert_array_equal(candidate(values).held_out(MADE, SIZE), values)


def test_a_blend_of_independent_errors_is_better_than_each():
    found = [noisy(0.5, seed) for seed in range(6)]
    blends = blending.blends(found, held_out(found), RMSE, 0)
    best = min(blends, key=lambda one: one.fold_scores.mean())
    assert 2 <= len(best.members) <= blending.MEMBERS
    assert best.weights.sum() == pytest.approx(1)
    assert best.fold_scores.mean() < 0.7 * min(one.mean for one in found)
    assert best.megabytes == len(best.members), "a blend costs what its members cost together"


def test_a_member_that_only_harms_is_not_taken():
    found = [noisy(0.1, 0), noisy(5.0, 1)]
    assert blending.blends(found, held_out(found), RMSE, 0) == []


def choice(scores, milliseconds, megabytes=1.0, calls=None):
    calls = calls or 5000 * milliseconds
    return blending.Choice((0,), np.ones(1), np.array(scores), milliseconds, calls, megabytes)


BEST = choice([1.00, 1.10, 1.20], 4.0)
CLOSE = choice([1.03, 1.08, 1.22], 1.0)  # not clearly behind: better on one fold
WORSE = choice([1.05, 1.17, 1.25], 0.2)  # on every fold behind, by less than the folds differ
BAD = choice([2.0, 2.1, 2.2], 0.1)


@pytest.mark.parametrize(
    ("preference", "expected"), [("accuracy", BEST), ("balanced", CLOSE), ("speed", CLOSE)]
)
def test_a_cheaper_model_is_taken_if_it_is_not_clearly_behind(preference, expected):
    assert blending.prefer([WORSE, CLOSE, BAD, BEST], RMSE, preference, 9, 9) is expected


def test_speed_bears_a_larger_difference_than_balance():
    behind = choice([1.02, 1.15, 1.21], 0.3)
    chosen = [blending.prefer([BEST, behind], RMSE, p, 9, 9) for p in ("balanced", "speed")]
    assert chosen == [BEST, behind]


def test_of_models_that_cost_about_the_same_the_best_is_taken():
    for factor in (1.0, 1.3, 0.8):
        other = choice([1.02, 1.09, 1.21], factor)
        assert blending.prefer([BEST, other, CLOSE], RMSE, "balanced", 9, 9) is other


def test_the_same_is_taken_however_the_clock_ran():
    for measured in (0.1, 1.0, 7.0):
        timed = choice([1.02, 1.09, 1.21], measured, calls=5000)
        assert blending.prefer([BEST, timed, CLOSE], RMSE, "balanced", 9, 9) is timed


def test_every_family_has_a_few_candidates_for_blends():
    many = [dataclasses.replace(noisy(0.1, seed), model="many") for seed in range(30)]
    few = [dataclasses.replace(noisy(0.5, seed), model="few") for seed in range(5)]
    pool = blending.pool([*many, *few], RMSE)
    assert len(pool) == blending.POOL
    assert len(set(pool)) == len(pool)
    assert sum(position >= len(many) for position in pool) == blending.KIN


def test_models_beyond_the_limits_are_left_out_while_others_are_there():
    assert blending.prefer([BEST, CLOSE], RMSE, "accuracy", 4.5, 9) is CLOSE, "4.8 in a table"
    assert blending.prefer([BEST, CLOSE], RMSE, "accuracy", 5.0, 9) is BEST
    assert blending.prefer([BEST, CLOSE], RMSE, "accuracy", 9, 0.5) is CLOSE, "the cheapest"
    large = choice(BEST.fold_scores, 1.0, megabytes=6.0)  # its bundle would have up to 12
    assert blending.prefer([large, CLOSE], RMSE, "accuracy", 9, 10) is CLOSE
    assert blending.prefer([large, CLOSE], RMSE, "accuracy", 9, 12) is large


def test_greater_is_better_is_heeded():
    auc = metrics.METRICS["roc_auc"]
    low, high = choice([0.7, 0.71, 0.72], 0.1), choice([0.9, 0.91, 0.92], 4.0)
    assert blending.prefer([low, high], auc, "balanced", 9, 9) is high


def test_candidates_are_kept_in_files_as_they_are(tmp_path):
    one = noisy(0.3, 0)
    candidates.save(tmp_path / "one.npz", one)
    again = candidates.load(tmp_path / "one.npz")
    assert (again.model, again.parameters, again.mean) == (one.model, one.parameters, one.mean)
    np.testing.assert_array_equal(again.held_out(MADE, SIZE), one.held_out(MADE, SIZE))


def test_what_waits_for_the_processor_costs_time_on_the_wall_alone():
    scores = [dataclasses.replace(score, cpu_share=0.5) for score in noisy(1.0, 0).scores]
    busy = candidates.Candidate("x", {}, tuple(scores))
    assert (busy.seconds("wall"), busy.seconds("cpu")) == (6, 3)
    assert (busy.fit_seconds("wall"), busy.fit_seconds("cpu")) == (1.0, 0.5)


def test_more_rows_bear_more_rounds():
    scores = [
        folds.Score("x", k, 1.0, np.zeros(1), 1, 1, 1, 1, 1, 1, 1, rounds)
        for k, rounds in enumerate([80, 120])
    ]
    one = candidates.Candidate("x", {"model__a": 1}, tuple(scores))
    assert one.final_parameters("max_iter") == {"model__a": 1, "model__max_iter": 110}
    assert one.final_parameters(None) == {"model__a": 1}
