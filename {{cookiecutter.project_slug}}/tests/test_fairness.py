import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import fairness
from {{cookiecutter.project_slug}}.predictions import Predictions

SIZE = 600
TARGETS = made_up.TARGETS


def world(task, seed=0, unfair=0.0, sizes=(300, 280, 20)):
    """Return a contract, a table with groups, outcomes and predictions unfair to group b."""
    rng = np.random.default_rng(seed)
    contract = made_up.contract_of(
        x={"type": "number"},
        group={"type": "category", "role": "ignore", "sensitive": True},
        outcome=TARGETS[task],
    )
    group = np.repeat(["a", "b", "c"][: len(sizes)], sizes)
    hurt = (group == "b") & (rng.random(len(group)) < unfair)
    if task == "regression":
        y = rng.normal(10, 1, len(group))
        said = Predictions(y + rng.normal(0, 0.5, len(group)) - 4.0 * hurt)
    else:
        assert contract.classes
        codes = rng.integers(0, len(contract.classes), len(group))
        y = np.array(contract.classes)[codes]
        decided = np.where(rng.random(len(group)) < 0.8, codes, len(contract.classes) - 1 - codes)
        decided = np.where(hurt, 0, decided)
        said = Predictions(np.eye(len(contract.classes))[decided], contract.classes)
    return contract, pd.DataFrame({"x": 0.0, "group": group, "outcome": y}), y, said


def gaps(task, params, **how):
    contract, frame, y, said = world(task, **how)
    chosen = params.model_copy(update={"task": task})
    return fairness.measure(frame, y, said, contract, chosen)["group"]


def brute(task, **how):
    """Return the definitions of fairlearn, written out for the groups a and b."""
    _, frame, y, said = world(task, **how)
    found = {"demographic_parity_difference": [], "demographic_parity_ratio": []}
    found["equalized_odds_difference"] = []
    for label in said.classes[1:] if task == "binary" else said.classes:
        decided, true = said.labels == label, y == label
        rows = [(frame["group"] == g).to_numpy() for g in ("a", "b")]
        selected = [decided[r].mean() for r in rows]
        hits, alarms = ([decided[r & t].mean() for r in rows] for t in (true, ~true))
        found["demographic_parity_difference"].append(np.ptp(selected))
        found["demographic_parity_ratio"].append(min(selected) / max(selected))
        found["equalized_odds_difference"].append(max(np.ptp(hits), np.ptp(alarms)))
    return {n: min(v) if n.endswith("ratio") else max(v) for n, v in found.items()}


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_gaps_are_those_of_fairlearns_definitions(task, params):
    how = {"unfair": 0.3, "sizes": (300, 300)}
    found = gaps(task, params, **how).measures
    assert {name: one.value for name, one in found.items()} == pytest.approx(brute(task, **how))


@pytest.mark.parametrize("task", TARGETS)
def test_an_unfair_group_is_measured(task, params):
    fair = gaps(task, params, sizes=(300, 300)).measures
    unfair = gaps(task, params, sizes=(300, 300), unfair=0.6).measures
    for name, one in unfair.items():
        if name.endswith("ratio"):
            assert one.high < fair[name].low
        else:
            assert one.low > 0.1
            assert one.low > fair[name].high


@pytest.mark.parametrize("task", TARGETS)
def test_groups_with_few_rows_are_left_out_and_said(task, params):
    found = gaps(task, params, sizes=(300, 281, 19))
    assert (found.sizes, found.left_out) == ({"a": 300, "b": 281}, {"c": 19})
    assert not gaps(task, params, sizes=(300, 19)).measures


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_intervals_of_gaps_cover_the_truth_about_as_often_as_they_say(task, params):
    """Nominal 95 %, 150 samples: fewer than 0.88 would be 4 standard errors short."""
    names = ["demographic_parity_difference", "mean_prediction_difference"]
    how = {"sizes": (150, 150), "unfair": 0.4}
    inside = []
    for seed in range(150):
        measures = gaps(task, params, seed=seed, **how).measures
        one = next(measures[name] for name in names if name in measures)
        inside.append(one.low <= (0.2 if task == "binary" else 1.6) <= one.high)
    assert np.mean(inside) > 0.88


def test_without_a_sensitive_column_there_is_nothing_to_measure(params):
    contract, frame = made_up.every_type("regression")
    y = frame["outcome"].to_numpy(float)
    assert fairness.measure(frame, y, Predictions(y), contract, params) == {}


def test_a_rate_without_rows_does_not_count():
    counts = np.array([[[[30, 10], [0, 0]], [[30, 10], [5, 5]]]])  # no positives in one group
    found = fairness.rates(counts)
    assert found["equalized_odds_difference"][0] == 0
    assert found["demographic_parity_difference"][0] == pytest.approx(0.3 - 0.25)
