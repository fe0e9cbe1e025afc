import dataclasses

import pytest
from released import results

from {{cookiecutter.project_slug}} import gate, probe

CHEAP = probe.Measured(megabytes=1.0, milliseconds=0.5)


@pytest.fixture
def judged(params):
    """Judge results of a binary task, with some limits changed; returns the rules by name."""
    limits = {
        "min_metric": None,
        "min_gain": 0.0,
        "max_loss_to_champion": 0.1,
        "max_calibration_error": 0.1,
        "max_slice_gap": 0.5,
        "max_group_gap": 0.3,
        "max_milliseconds": 50.0,
        "max_megabytes": 50.0,
    }

    def judge(found, measured=CHEAP, metric="roc_auc", task="binary", **changes):
        release = params.release.model_copy(update={**limits, **changes})
        chosen = {"release": release, "metric": metric, "task": task}
        rules = gate.judge(found, params.model_copy(update=chosen), measured)
        return {rule.name: rule for rule in rules}

    return judge


def failed(rules):
    return [name for name, rule in rules.items() if not rule.passed]


def test_a_sound_model_passes_every_rule_and_each_says_why(judged):
    rules = judged(results(), min_metric=0.9)
    assert failed(rules) == []
    assert len(rules) == 13
    assert all(len(rule.why) > 20 for rule in rules.values())


def slice_of(**ends):
    one = {"column": "city", "slice": "a", "rows": 30, "value": 0.5, "gap": 0.4, "kept": 0.3}
    return {**one, **ends}


BAD = {
    "shuffled labels": (
        {"gain": {"value": 0.01, "low": -0.02, "high": 0.04}},
        {"better than the baseline", "no slice far behind"},
    ),
    "worse than today's": (
        {"comparisons": {"champion": {"value": -0.02, "low": -0.05, "high": 0.0}}},
        {"no worse than the champion"},
    ),
    "miscalibrated": (
        {"calibration": {"value": 0.2, "low": 0.15, "high": 0.25}},
        {"calibrated"},
    ),
    "broken slice": (
        {"slices": [slice_of(low=0.85, high=0.95), slice_of(low=0.4, high=0.6)]},
        {"no slice far behind"},
    ),
    "unfair": (
        {"fairness": {"sex": {"equalized_odds_difference": {"low": 0.4}}}},
        {"groups treated alike"},
    ),
    "moody": (
        {"behaviour": [{"test": "row order", "column": None, "passed": False}]},
        {"behaves as expected"},
    ),
    "a copy": (
        {"telling": {"column": "copy", "value": 1.0}},
        {"no column gives the target away"},
    ),
    "of two minds": ({"disagreement": 1e-3}, {"requests and tables agree"}),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_model_is_refused_for_its_own_reason(judged, kind):
    changes, expected = BAD[kind]
    assert set(failed(judged(results(**changes)))) <= expected
    assert failed(judged(results(**changes)))[0] in expected


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ({"milliseconds": 60.0}, ["fast enough"]),
        ({"megabytes": 60.0}, ["small enough"]),
        ({"left": "2"}, ["not rolled back before"]),
        (
            {"milliseconds": None, "fault": "it hangs"},
            ["fast enough", "loads in a fresh process"],
        ),
    ],
)
def test_a_bundle_that_costs_too_much_or_does_not_load_is_refused(judged, measured, expected):
    rules = judged(results(), dataclasses.replace(CHEAP, **measured))
    assert failed(rules) == expected
    assert rules["loads in a fresh process"].why.startswith(measured.get("fault", "a server"))


def test_a_gain_must_exceed_the_limit(judged):
    def passes(low, limit):
        found = results(gain={"value": 0.4, "low": low, "high": 0.5})
        return judged(found, min_gain=limit)["better than the baseline"].passed

    assert passes(0.11, 0.1)
    assert not passes(0.1, 0.1)
    assert not passes(0.0, 0)


def test_a_champion_may_be_missed_by_a_share_of_the_gain_and_no_more(judged):
    def passes(low):
        found = results(comparisons={"champion": {"value": 0.0, "low": low, "high": 0.1}})
        return judged(found, max_loss_to_champion=0.1)["no worse than the champion"].passed

    assert passes(-0.039)
    assert not passes(-0.041)


@pytest.mark.parametrize("moot", [True, False])
def test_a_champion_that_was_not_measured_is_no_reason_to_pass_unless_it_answers_another_question(
    judged, moot
):
    other = {"version": "7", "why": "it is damaged", "moot": moot}
    rule = judged(results(unmeasured=other))["no worse than the champion"]
    assert rule.passed is moot
    assert "version 7 was not measured: it is damaged" in rule.why


def test_noise_in_a_small_slice_or_group_does_not_refuse_a_model(judged):
    noisy = {"sex": {"equalized_odds_difference": {"value": 0.5, "low": 0.1, "high": 0.9}}}
    found = results(slices=[slice_of(low=0.2, high=0.8)], fairness=noisy)
    assert failed(judged(found)) == []


def test_a_slice_where_any_model_would_do_worse_does_not_refuse_this_one(judged):
    found = results(slices=[slice_of(low=0.2, high=0.4, kept=0.9)])
    assert failed(judged(found)) == []


def test_errors_are_bad_when_they_are_large(judged):
    found = results(
        slices=[slice_of(low=1.2, high=1.5)],
        fairness={"sex": {"mean_absolute_error_difference": {"low": 0.8}}},
    )
    rules = judged(found, metric="rmse", task="regression", min_metric=0.8)
    assert failed(rules) == ["good enough", "no slice far behind", "groups treated alike"]
    assert rules["no slice far behind"].value == pytest.approx(0.7)
    assert rules["groups treated alike"].value == 0.4


def test_only_rules_of_safety_cannot_be_overruled(judged):
    safe = [rule.name for rule in judged(results()).values() if rule.safety]
    assert safe == ["requests and tables agree", "loads in a fresh process"]


NEEDED = (
    "gain",
    "comparisons",
    "unmeasured",
    "calibration",
    "slices",
    "fairness",
    "behaviour",
    "disagreement",
    "telling",
)


@pytest.mark.parametrize("name", NEEDED)
def test_a_figure_that_was_not_measured_asks_for_another_evaluation(judged, refused, name):
    found = results()
    del found[name]
    with refused("reports/metrics.json", name, "evaluate"):
        judged(found)
