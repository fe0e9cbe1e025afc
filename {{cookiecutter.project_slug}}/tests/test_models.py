import copy
import itertools

import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import bundle, folds, models, predictions
from {{cookiecutter.project_slug}}.contract import cells

COMBINATIONS = [
    (task, name)
    for task, name in itertools.product(made_up.TARGETS, models.MODELS)
    if models.MODELS[name].suits(task, 0)
]


@pytest.mark.parametrize(("task", "name"), COMBINATIONS)
def test_a_model_gives_requests_what_it_gives_the_table_after_save_and_load(task, name, tmp_path):
    contract, frame = made_up.every_type(task)
    rows = folds.Rows.of(frame, contract)
    pipeline = models.build(models.MODELS[name], contract, task, seed=1).fit(rows.X, rows.y)
    requests = cells.rows_of_table(frame, contract)
    model = made_up.ensemble_of(rows, pipeline)
    saved = bundle.save(tmp_path / "model", model, contract, requests[:3])
    expected = predictions.predict(pipeline, rows.X, rows.classes).values
    assert predictions.apart(saved.score(requests).values, expected) <= bundle.PARITY
    assert expected.shape == (len(frame), 2 + (task == "multiclass"))[: expected.ndim]


@pytest.mark.parametrize(
    ("task", "name"), [(task, name) for task, name in COMBINATIONS if name != models.BASELINE]
)
def test_a_model_learns_what_is_easy_and_the_same_with_the_same_seed(task, name):
    contract, frame = made_up.every_type(task, 400)
    rows = folds.Rows.of(frame, contract)
    pipeline = models.build(models.MODELS[name], contract, task, 3)
    first, second = (pipeline.fit(rows.X, rows.y).predict(rows.X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    if rows.classes is None:
        assert np.corrcoef(first, rows.y)[0, 1] > 0.7
    else:
        assert (first == rows.y).mean() > 1.3 / len(rows.classes)


@pytest.mark.parametrize("name", [name for task, name in COMBINATIONS if task == "regression"])
def test_a_column_without_any_value_harms_no_model(name):
    contract, frame = made_up.every_type("regression")
    for column in ("count", "share", "flag", "colour", "city", "note", "moment"):
        frame[column] = frame[column].mask(frame["whole"] < 1000)
    rows = folds.Rows.of(frame, contract)
    fitted = models.build(models.MODELS[name], contract, "regression", 0).fit(rows.X, rows.y)
    assert np.isfinite(fitted.predict(made_up.every_type("regression")[1])).all()


@pytest.mark.parametrize(("task", "name"), COMBINATIONS)
def test_both_ends_of_every_search_space_can_be_built(task, name):
    contract, _ = made_up.every_type(task)
    space = models.MODELS[name].space(task, skewed=task == "regression")
    for end in (0, -1):
        chosen = {
            key: getattr(found, "choices", None) or (found.low, found.high)
            for key, found in space.items()
        }
        parameters = {key: values[end] for key, values in chosen.items()}
        built = models.build(models.MODELS[name], contract, task, 0, parameters).get_params()
        parameters.pop("select", None)
        inside = "model__regressor__" if parameters.pop("target", "") == "logarithm" else "model__"
        renamed = {key.replace("model__", inside, 1): v for key, v in parameters.items()}
        assert {key: built[key] for key in renamed} == renamed


@pytest.mark.parametrize(("task", "name"), COMBINATIONS)
def test_portfolios_can_be_built_and_lie_in_the_space_that_is_searched_after_them(task, name):
    contract, _ = made_up.every_type(task)
    model = models.MODELS[name]
    for skewed in (False, task == "regression"):
        space, portfolio = model.space(task, skewed), model.portfolio(task, skewed)
        assert {} not in portfolio, "the defaults are tried by train"
        for parameters in portfolio:
            models.build(model, contract, task, 0, parameters)
            for key in parameters.keys() & space.keys():
                if choices := getattr(space[key], "choices", None):
                    assert parameters[key] in choices
                else:
                    assert space[key].low <= parameters[key] <= space[key].high


def test_the_logarithm_is_tried_for_outcomes_with_a_long_tail_alone():
    rng = np.random.default_rng(0)
    long, straight = np.exp(rng.normal(size=500)), rng.normal(size=500)
    assert models.is_skewed(long)
    assert not models.is_skewed(straight)
    assert not models.is_skewed(long - 1.0), "below zero"
    assert not models.is_skewed(np.array(["a", "b"]))


def test_a_model_of_the_logarithm_stays_within_the_outcomes_it_has_seen():
    contract, frame = made_up.every_type("regression")
    rows = folds.Rows.of(frame.assign(outcome=np.exp(frame["whole"] / 10)), contract)
    parameters = {"target": "logarithm"}
    built = models.build(models.MODELS["linear"], contract, "regression", 0, parameters)
    said = built.fit(rows.X, rows.y).predict(rows.X)
    straight = models.build(models.MODELS["linear"], contract, "regression", 0)
    assert rows.y.min() <= said.min() and said.max() <= rows.y.max()
    plain = straight.fit(rows.X, rows.y).predict(rows.X)
    assert np.corrcoef(said, rows.y)[0, 1] > np.corrcoef(plain, rows.y)[0, 1] + 0.05


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", ["forest", "extra_trees", "boosting"])
def test_our_quick_ensembles_give_the_numbers_of_scikit_learn(task, name):
    contract, frame = made_up.every_type(task)
    rows = folds.Rows.of(frame, contract)
    fitted = models.build(models.MODELS[name], contract, task, 0).fit(rows.X, rows.y)
    new = rows.X.assign(colour=np.resize(["pink", "green", None], len(frame)))  # an unseen level
    for table in (rows.X, new):
        quick, matrix = fitted[-1], fitted[:-1].transform(table)
        theirs = copy.copy(quick)
        theirs.__class__ = next(
            base for base in type(quick).__mro__ if base.__module__.startswith("sklearn.ensemble")
        )
        method = "predict" if task == "regression" else "predict_proba"
        expected = getattr(theirs, method)(matrix)
        np.testing.assert_array_equal(getattr(quick, method)(matrix), expected)
        one_by_one = [getattr(quick, method)(row[None])[0] for row in matrix]
        np.testing.assert_array_equal(np.array(one_by_one), expected)


def test_a_spline_follows_a_curve_that_a_line_cannot():
    contract = made_up.contract_of(x={"type": "number"})
    frame = pd.DataFrame({"x": np.linspace(-3, 3, 300)}).assign(y=lambda f: np.sin(f["x"]))
    rows = folds.Rows.of(frame, contract)
    error = {}
    for name in ("linear", "spline"):
        built = models.build(models.MODELS[name], contract, "regression", 0, {})
        said = built.fit(rows.X, rows.y).predict(rows.X)
        error[name] = float(np.abs(said - rows.y).mean())
    assert error["spline"] < 0.5 * error["linear"]


def test_families_that_would_take_too_long_are_left_out_unless_they_are_named():
    assert "svm" in models.find(None, "binary", 500)
    assert "svm" not in models.find(None, "binary", 50_000)
    assert "svm" in models.find(["svm"], "binary", 50_000)


@pytest.mark.parametrize("selection", ["variance", "mutual_information", "importance"])
def test_a_selection_of_features_is_the_same_with_the_same_seed(selection):
    contract, frame = made_up.every_type("binary")
    rows = folds.Rows.of(frame, contract)
    built = models.build(models.MODELS["linear"], contract, "binary", 3, {"select": selection})
    kept = [built.fit(rows.X, rows.y)["select"].get_support().tolist() for _ in range(3)]
    assert kept[0] == kept[1] == kept[2]


def test_every_random_step_is_seeded(contract, params):
    for model in models.find(None, params.task).values():
        built = models.build(model, contract, params.task, 7).get_params()
        assert {v for k, v in built.items() if k.endswith(("random_state", "__seed"))} == {7}


def test_building_leaves_the_catalogue_as_it_is(contract, params):
    before = str(models.MODELS)
    models.build(models.MODELS["linear"], contract, params.task, 7, {"select": "importance"})
    assert str(models.MODELS) == before


def test_an_unknown_model_is_refused_with_the_known_ones(refused):
    assert list(models.find(["tree", "dummy"], "binary")) == ["tree", "dummy"]
    with refused("params.yaml: train.models: 'forrest'", "did you mean forest?", "boosting"):
        models.find(["tree", "forrest"], "binary")
    with refused("params.yaml: train.models: 'naive_bayes' is not a model for task regression"):
        models.find(["naive_bayes"], "regression")
