import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import metrics, slices
from {{cookiecutter.project_slug}}.contract import definition
from {{cookiecutter.project_slug}}.predictions import Predictions

SIZE = 600


def tasked(params, task):
    return params.model_copy(update={"task": task, "metric": next(iter(metrics.for_task(task)))})


def measured(frame, y, predictions, contract, metric, params):
    task = contract.task
    if predictions.classes:
        shares = [(y == label).mean() for label in predictions.classes]
        constant = Predictions(np.tile(shares, (len(y), 1)), predictions.classes)
    else:
        constant = Predictions(np.full(len(y), y.mean()))
    return slices.measure(frame, y, predictions, constant, contract, metric, tasked(params, task))


@pytest.fixture
def broken():
    """Return a table, outcomes and predictions that know nothing in the city of Cork."""
    rng = np.random.default_rng(0)
    contract, frame = made_up.every_type("binary", SIZE)
    positive = (frame["outcome"] == "a").to_numpy()
    p = np.where(positive, 0.8, 0.2) + rng.normal(0, 0.1, SIZE)
    p = np.where((frame["city"] == "Cork").to_numpy(), rng.random(SIZE), p).clip(0, 1)
    predictions = Predictions(np.column_stack([1 - p, p]), contract.classes)
    return contract, frame, frame["outcome"].to_numpy(str), predictions


@pytest.mark.parametrize("name", ["roc_auc", "brier", "accuracy"])
def test_a_broken_slice_comes_first(broken, params, name):
    contract, frame, y, predictions = broken
    metric = metrics.METRICS[name]
    found = measured(frame, y, predictions, contract, metric, params)
    worst = found.slices[0]
    rows = (frame["city"] == "Cork").to_numpy()
    assert (worst.column, worst.slice, worst.rows) == ("city", "Cork", rows.sum())
    assert worst.value == metric(y[rows], predictions[rows])
    assert worst.low <= worst.value <= worst.high
    assert worst.gap == pytest.approx(abs(metric(y[~rows], predictions[~rows]) - worst.value))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "log_loss", "accuracy"])
def test_a_broken_slice_keeps_little_of_the_skill_and_the_others_keep_it(broken, params, name):
    contract, frame, y, predictions = broken
    found = measured(frame, y, predictions, contract, metrics.METRICS[name], params)
    worst, *others = found.slices
    assert worst.kept < 0.5
    assert min(one.kept for one in others) > 0.7


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "log_loss"])
def test_the_bins_of_a_number_that_tells_all_keep_what_the_probabilities_promise(params, name):
    rng = np.random.default_rng(0)
    contract = made_up.contract_of(x={"type": "number"}, outcome=made_up.TARGETS["binary"])
    x = rng.normal(size=8_000)
    p = 1 / (1 + np.exp(-2 * x))
    y = np.array(contract.classes)[(rng.random(len(x)) < p).astype(int)]
    frame = pd.DataFrame({"x": x, "outcome": y})

    def kept(p):
        predictions = Predictions(np.column_stack([1 - p, p]), contract.classes)
        metric = metrics.METRICS[name]
        found = measured(frame, y, predictions, contract, metric, params)
        return min(one.kept for one in found.slices)

    assert kept(p) > 0.8
    third = (x > np.quantile(x, 0.5)) & (x < np.quantile(x, 0.75))
    assert kept(np.where(third, rng.permutation(p), p)) < 0.4, "it says more than it knows"


def test_a_level_that_is_hard_to_tell_keeps_what_the_probabilities_promise(params):
    rng = np.random.default_rng(0)
    columns = {"breed": {"type": "category", "levels": ["mix", "tabby", "collie"]}}
    contract = made_up.contract_of(**columns, outcome=made_up.TARGETS["binary"])
    breed = rng.choice(["mix", "tabby", "collie"], 4_000, p=[0.1, 0.45, 0.45])
    sure = np.select([breed == "tabby", breed == "collie"], [0.01, 0.99], 0.0)
    p = np.where(breed == "mix", rng.choice([0.3, 0.7], len(breed)), sure)
    y = np.array(contract.classes)[(rng.random(len(p)) < p).astype(int)]
    predictions = Predictions(np.column_stack([1 - p, p]), contract.classes)
    frame = pd.DataFrame({"breed": breed, "outcome": y})
    metric = metrics.METRICS["log_loss"]
    found = measured(frame, y, predictions, contract, metric, params)
    assert min(one.kept for one in found.slices) > 0.7


def test_where_numbers_are_larger_the_error_may_be_larger_and_the_skill_is_kept(params):
    rng = np.random.default_rng(0)
    contract = made_up.contract_of(x={"type": "number"})
    x = np.exp(rng.normal(0, 1.5, SIZE))
    y = x * np.exp(rng.normal(0, 0.3, SIZE))
    frame = pd.DataFrame({"x": x, "y": y})
    found = measured(frame, y, Predictions(x), contract, metrics.METRICS["rmse"], params)
    largest = max(found.slices, key=lambda one: one.value)
    assert largest.gap > 0
    assert largest.kept > 0.9


def test_a_small_slice_that_is_bad_by_chance_does_not_come_first(broken, params):
    contract, frame, y, predictions = broken
    wrong = frame.index[frame["city"] != "Cork"][:60]
    frame.loc[wrong, "colour"] = "few"
    p = predictions.values[:, 1].copy()
    p[wrong[:36]] = 0.5 + np.linspace(-0.1, 0.1, 36)
    predictions = Predictions(np.column_stack([1 - p, p]), predictions.classes)
    metric = metrics.METRICS["roc_auc"]
    found = measured(frame, y, predictions, contract, metric, params)
    assert found.slices[0].slice == "Cork"
    assert "few" in {one.slice for one in found.slices}


def test_slices_of_few_rows_or_of_one_class_are_left_out_and_counted(params):
    contract, frame = made_up.every_type("binary", SIZE)
    frame.loc[:4, "city"] = "Ems"
    y = frame["outcome"].to_numpy(str)
    p = np.random.default_rng(0).random(SIZE)
    predictions = Predictions(np.column_stack([1 - p, p]), contract.classes)
    metric = metrics.METRICS["roc_auc"]
    found = measured(frame, y, predictions, contract, metric, params)
    assert found.left_out["fewer than 20 rows"] >= 1
    assert found.left_out["one class only"] >= 2  # "whole" tells the class
    assert "Ems" not in {one.slice for one in found.slices}


def test_a_slice_with_few_rows_of_a_class_is_left_out_and_counted(broken, params):
    contract, frame, y, predictions = broken
    first = np.flatnonzero(y == "a")[:30], np.flatnonzero(y == "b")[:4]
    frame.loc[np.concatenate(first), "city"] = "Ems"
    metric = metrics.METRICS["roc_auc"]
    found = measured(frame, y, predictions, contract, metric, params)
    assert found.left_out[f"fewer than {slices.FEWEST} rows of a class"] >= 1
    assert "Ems" not in {one.slice for one in found.slices}


def test_columns_that_are_not_sliced_are_counted(params):
    rng = np.random.default_rng(0)
    names = [f"c{position}" for position in range(70)]
    contract = made_up.contract_of(**{name: {"type": "number"} for name in names})
    frame = pd.DataFrame(rng.normal(size=(200, 70)), columns=names)
    y = frame["y"] = frame["c7"] + rng.normal(size=200)
    y, said, metric = y.to_numpy(), Predictions(frame["c7"].to_numpy()), metrics.METRICS["rmse"]
    found = measured(frame, y, said, contract, metric, params)
    assert found.left_out == {"columns beyond the 60 that go most with the target": 10}
    assert len({one.column for one in found.slices}) == 60


def test_every_level_bin_and_missing_cell_of_every_feature_is_a_slice():
    contract, frame = made_up.every_type("regression", SIZE)
    found = {(column, label) for column, label, _ in slices.parts(frame, contract)}
    assert {("flag", "true"), ("flag", "false"), ("colour", "red"), ("city", "Bonn")} < found
    assert {("colour", "(missing)"), ("share", "(missing)")} < found
    for column in ("whole", "share", "moment"):
        assert sum(name == column and label != "(missing)" for name, label in found) == 4
    assert "note" not in {name for name, _ in found}


def test_the_slices_of_a_column_are_its_rows_each_once():
    contract, frame = made_up.every_type("regression", SIZE)
    for name, column in contract.features.items():
        parts = slices.groups(frame[name], column)
        if parts:
            np.testing.assert_array_equal(np.sum(list(parts.values()), axis=0), 1)


def test_sensitive_columns_that_the_model_does_not_see_are_sliced_too():
    contract = made_up.contract_of(
        x={"type": "number"},
        origin={"type": "category", "role": "ignore", "sensitive": True},
        name={"type": "category", "role": "id"},
    )
    frame = pd.DataFrame(
        {"x": np.arange(60.0), "origin": ["a", "b"] * 30, "name": ["n"] * 60, "y": np.arange(60.0)}
    )
    found = {column for column, _, _ in slices.parts(frame, contract)}
    assert found == {"x", "origin"}


def test_a_number_with_few_values_is_sliced_by_value():
    column = definition.Column.model_validate({"type": "integer"})
    parts = slices.groups(pd.Series([3, 1, 2, 1, None], dtype="Int64"), column)
    assert {label: rows.sum() for label, rows in parts.items()} == {
        "1": 2,
        "2": 1,
        "3": 1,
        "(missing)": 1,
    }
