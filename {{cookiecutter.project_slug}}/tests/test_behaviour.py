import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import behaviour, folds, models
from {{cookiecutter.project_slug}}.contract import definition
from {{cookiecutter.project_slug}}.predictions import Predictions

INVARIANT = ["row order", "batch size", "extra columns"]


def learned(task="binary", sensitive="colour", family="tree"):
    contract, frame = made_up.every_type(task, 300)
    columns = contract.model_dump()["columns"]
    columns[sensitive]["sensitive"] = True
    contract = definition.Contract.model_validate({"columns": columns})
    rows = folds.Rows.of(frame, contract)
    fitted = models.build(models.MODELS[family], contract, task, 0).fit(rows.X, rows.y)
    return made_up.ensemble_of(rows, fitted), rows, contract


@pytest.mark.parametrize("family", models.MODELS)
def test_a_sound_model_passes_every_test_for_every_task(family):
    for task in made_up.TARGETS:
        if models.MODELS[family].suits(task, 0):
            model, rows, contract = learned(task, family=family)
            found = behaviour.check(model, rows, contract, {}, 1.0, 0)
            assert [one.test for one in found] == [*INVARIANT, "sensitive"]
            assert all(one.passed and one.value <= one.limit for one in found)


def test_rows_that_were_learned_are_at_no_distance_alone_as_in_a_table():
    contract = made_up.contract_of(**{f"x{i}": {"type": "number"} for i in range(30)})
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(1e3 + rng.normal(size=(600, 30)), columns=[*contract.features])
    rows = folds.Rows.of(frame.assign(y=rng.normal(size=600)), contract)
    built = models.build(models.MODELS["neighbors"], contract, "regression", 0)
    model = made_up.ensemble_of(rows, built.fit(rows.X, rows.y))
    found = behaviour.check(model, rows, contract, {}, 0.5, 0)
    assert [one.passed for one in found] == [True] * 3


def test_a_model_that_looks_at_the_other_rows_of_its_batch_is_found_out(monkeypatch):
    model, rows, contract = learned("regression")
    score = type(model).predict

    def compared(self, X):
        found = score(self, X)
        return found - found[0] + np.arange(len(found))

    monkeypatch.setattr(type(model), "predict", compared)
    found = behaviour.check(model, rows, contract, {}, 1.0, 0)
    assert [one.passed for one in found[:3]] == [False, False, True]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_how_much_hangs_on_a_sensitive_column_alone_is_measured(task):
    model, rows, contract = learned(task, sensitive="whole")  # which tells the outcome
    [one] = behaviour.check(model, rows, contract, {}, 0.2, 0)[3:]
    assert (one.test, one.column, one.passed) == ("sensitive", "whole", False)
    assert one.value > 0.3 and one.change > 0.3
    assert behaviour.check(model, rows, contract, {}, 1.0, 0)[3].passed


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_prediction_that_moves_the_other_way_is_found(task):
    model, rows, contract = learned(task, family="linear")
    up, down = (
        behaviour.check(model, rows, contract, {"whole": way}, 1.0, 0)[-1] for way in ("up", "down")
    )
    rises = rows.classes is None or rows.classes[-1] == rows.y[rows.X["whole"].argmax()]
    right, wrong = (up, down) if rises else (down, up)
    assert (right.passed, wrong.passed) == (True, False)
    assert right.value == 0 and wrong.value > 0.5
    assert {up.test, down.test} == {"direction up", "direction down"}


def test_raised_numbers_are_a_quarter_of_the_rows_higher():
    numbers = pd.Series([4, 1, 3, 2, None], dtype="Int64")
    assert behaviour.raised(numbers).tolist()[:4] == [4, 2, 4, 3]
    assert behaviour.raised(numbers).isna().tolist() == [False] * 4 + [True]
    assert behaviour.raised(pd.Series([0] * 8 + [1, 9])).tolist() == [1] * 8 + [9, 9]
    constant = pd.Series([2.0] * 5)
    pd.testing.assert_series_equal(behaviour.raised(constant), constant)


def test_a_direction_of_what_is_not_a_number_is_refused(refused):
    contract, _ = made_up.every_type("binary")
    behaviour.require({"share": "up", "whole": "down"}, contract, "binary")
    behaviour.require({}, contract, "multiclass")
    with refused("evaluate.directions: 'colour' is not a feature", "known: whole, count, share"):
        behaviour.require({"colour": "up"}, contract, "binary")
    with refused("evaluate.directions: several classes have no up and down"):
        behaviour.require({"whole": "up"}, contract, "multiclass")


def test_flips_are_decisions_that_differ_or_numbers_that_leave_the_interval(champion):
    before = Predictions(np.array([[0.2, 0.8], [0.6, 0.4]]), (False, True))
    after = Predictions(np.array([[0.3, 0.7], [0.4, 0.6]]), (False, True))
    assert behaviour.flips(champion.model, before, after) == 0.5
