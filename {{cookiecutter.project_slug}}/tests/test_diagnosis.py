import dataclasses

import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import combination, diagnosis, folds, metrics
from {{cookiecutter.project_slug}}.predictions import Predictions, predict

CLASSES = (False, True)


def said(p):
    return Predictions(np.column_stack([1 - p, p]), CLASSES)


def region(margin, coverage=0.9):
    return combination.Region(coverage, np.zeros(0), np.array([margin]))


def test_what_is_outside_its_set_or_interval_is_counted(champion, typed, contract, params):
    rows = folds.Rows.of(typed, contract)
    found = predict(champion.model, rows.X, rows.classes)
    nothing = dataclasses.replace(
        champion.model.region, edges=np.zeros(0), margins=np.array([-1.0])
    )
    everything = dataclasses.replace(nothing, margins=np.array([1e9]))
    assert diagnosis.coverage(everything, rows.y, found, params)["value"] == 1
    share = diagnosis.coverage(nothing, rows.y, found, params)["value"]
    argmax = Predictions(found.values, found.classes).labels
    assert share == (0 if rows.classes is None else np.mean(argmax == rows.y))


def test_coverage_in_each_tenth_of_the_predictions_is_counted(params):
    values = np.arange(100.0)
    y = np.where(values < 20, values + 5, values)
    found = diagnosis.coverage_by_decile(region(1.0), y, Predictions(values), params)
    assert [one["value"] for one in found] == [0, 0, *[1] * 8]
    assert all(one["low"] <= one["value"] <= one["high"] for one in found)


@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_intervals_of_the_calibration_error_cover_the_truth(shift, params):
    """Nominal 95 %, 100 samples: fewer than 0.88 would be 3 standard errors short."""
    rng, inside = np.random.default_rng(0), []
    for _ in range(100):
        p = rng.uniform(0.2, 0.8, 300)
        found = diagnosis.calibration(region(0.5), rng.random(300) < p, said(p + shift), params)
        inside.append(found.low <= shift <= found.high)
    assert np.mean(inside) > 0.88


def test_of_several_classes_the_most_probable_one_must_be_as_frequent_as_it_is_said(params):
    rng = np.random.default_rng(0)
    values = rng.dirichlet([1, 1, 1], 2_000)
    codes = (values.cumsum(axis=1) > rng.random((2_000, 1))).argmax(axis=1)
    y = np.array(["a", "b", "c"])[codes]
    honest = Predictions(values, ("a", "b", "c"))
    bold = Predictions(values**3 / (values**3).sum(axis=1, keepdims=True), ("a", "b", "c"))
    errors = [diagnosis.calibration(region(0.5), y, each, params) for each in (honest, bold)]
    assert errors[0].high < 0.06 < 0.1 < errors[1].low


def test_for_numbers_the_error_is_how_far_the_coverage_is_from_the_promised_one(params):
    y = np.arange(100.0)
    predictions = Predictions(np.where(y < 60, y, y + 10))
    found = diagnosis.calibration(region(1.0), y, predictions, params)
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.9 - metrics.share(y < 60, params.evaluate.confidence).high)
    exact = Predictions(np.where(y < 90, y, y + 10))
    assert diagnosis.calibration(region(1.0), y, exact, params).low == 0


def test_precision_recall_and_cost_are_those_of_the_decisions_at_each_threshold():
    y, p = np.array([True, True, False, False]), np.array([0.9, 0.4, 0.6, 0.1])
    found = {one.threshold: one for one in diagnosis.thresholds(y, said(p))}
    assert (found[0.5].precision, found[0.5].recall, found[0.5].cost) == (0.5, 0.5, 0.5)
    assert (found[0.3].precision, found[0.3].recall, found[0.3].cost) == (2 / 3, 1, 0.25)
    assert (found[1.0].precision, found[1.0].recall) == (None, 0)
    assert [one.threshold for one in found.values() if one.chosen] == [0.5]


def test_the_chosen_threshold_is_where_the_costs_decide():
    rng = np.random.default_rng(0)
    p = rng.random(400)
    costs = np.array([[0.0, 1.0], [4.0, 0.0]])
    predictions = Predictions(np.column_stack([1 - p, p]), CLASSES, costs)
    assert diagnosis.threshold_of(costs) == pytest.approx(0.2)
    np.testing.assert_array_equal(predictions.labels, p > 0.2)
    found = diagnosis.thresholds(rng.random(400) < p, predictions)
    chosen = next(one for one in found if one.chosen)
    assert chosen.threshold == 0.2
    assert chosen.cost < next(one for one in found if one.threshold == 0.5).cost


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_the_worst_rows_come_first_without_ids_and_what_the_model_does_not_see(task):
    contract = made_up.contract_of(
        x={"type": "number"},
        name={"type": "category", "role": "id"},
        origin={"type": "category", "role": "ignore", "sensitive": True},
        outcome=made_up.TARGETS[task],
    )
    classes, size = contract.classes, 30
    frame = pd.DataFrame({"x": np.arange(size), "name": "n", "origin": "o"})
    if classes is None:
        y, predictions = np.zeros(size), Predictions(np.arange(size) / 2)
    else:
        y = np.full(size, classes[0])
        values = np.full((size, len(classes)), 0.0)
        values[:, 1] = np.arange(size) / size
        values[:, 0] = 1 - values[:, 1]
        predictions = Predictions(values, classes)
    found = diagnosis.worst(frame, y, predictions, contract)
    assert list(found.columns) == ["outcome", "prediction", "error", "x"]
    assert found["x"].tolist() == list(range(29, 9, -1))
