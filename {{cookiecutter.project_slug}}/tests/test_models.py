import itertools

import made_up
import numpy as np
import pytest

from {{cookiecutter.project_slug}} import bundle, folds, metrics, models
from {{cookiecutter.project_slug}}.contract import cells

COMBINATIONS = list(itertools.product(made_up.TARGETS, models.MODELS))


@pytest.mark.parametrize(("task", "name"), COMBINATIONS)
def test_a_model_gives_requests_what_it_gives_the_table_after_save_and_load(task, name, tmp_path):
    contract, frame = made_up.every_type(task)
    rows = folds.Rows.of(frame, contract)
    pipeline = models.build(models.MODELS[name], contract, task, seed=1).fit(rows.X, rows.y)
    requests = cells.rows_of_table(frame, contract)
    saved = bundle.save(tmp_path / "model", pipeline, contract, requests[:3])
    expected = metrics.predict(pipeline, rows.X, rows.classes).values
    np.testing.assert_array_equal(saved.score(requests).values, expected)
    assert expected.shape == (len(frame), 2 + (task == "multiclass"))[: expected.ndim]


@pytest.mark.parametrize("name", [name for name in models.MODELS if name != models.BASELINE])
def test_a_model_learns_what_is_easy_and_the_same_with_the_same_seed(name, params, contract, typed):
    rows = folds.Rows.of(typed, contract)
    pipeline = models.build(models.MODELS[name], contract, params.task, params.seed)
    first, second = (pipeline.fit(rows.X, rows.y).predict(rows.X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    if rows.classes is None:
        assert np.corrcoef(first, rows.y)[0, 1] > 0.7
    else:
        assert (first == rows.y).mean() > 1.3 / len(rows.classes)


@pytest.mark.parametrize("name", models.MODELS)
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
    space = models.MODELS[name].space(task)
    for end in (0, -1):
        chosen = {
            key: getattr(found, "choices", None) or (found.low, found.high)
            for key, found in space.items()
        }
        parameters = {key: values[end] for key, values in chosen.items()}
        built = models.build(models.MODELS[name], contract, task, 0, parameters).get_params()
        parameters.pop("select", None)
        assert {key: built[key] for key in parameters} == parameters


def test_every_random_step_is_seeded(contract, params):
    for model in models.MODELS.values():
        built = models.build(model, contract, params.task, 7).get_params()
        assert {v for k, v in built.items() if k.endswith(("random_state", "__seed"))} == {7}


def test_building_leaves_the_catalogue_as_it_is(contract, params):
    before = str(models.MODELS)
    models.build(models.MODELS["linear"], contract, params.task, 7, {"select": "importance"})
    assert str(models.MODELS) == before


def test_an_unknown_model_is_refused_with_the_known_ones(refused):
    assert list(models.find(["tree", "dummy"], "train.models")) == ["tree", "dummy"]
    with refused("params.yaml: train.models: 'forrest'", "did you mean forest?", "boosting"):
        models.find(["tree", "forrest"], "train.models")
