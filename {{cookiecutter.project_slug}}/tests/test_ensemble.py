import made_up
import numpy as np
import pytest

from {{cookiecutter.project_slug}} import (
    bundle,
    combination,
    folds,
    models,
    predictions,
)
from {{cookiecutter.project_slug}}.contract import cells


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_a_blend_gives_requests_what_it_gives_the_table_after_save_and_load(task, tmp_path):
    contract, frame = made_up.every_type(task)
    rows = folds.Rows.of(frame, contract)
    members = [
        models.build(models.MODELS[name], contract, task, 0).fit(rows.X, rows.y)
        for name in ("linear", "tree", "boosting")
    ]
    whole = made_up.ensemble_of(rows, *members)
    requests = cells.rows_of_table(frame, contract)
    saved = bundle.save(tmp_path / "model", whole, contract, requests[:3])
    said = [predictions.predict(one, rows.X, rows.classes).values for one in members]
    expected = predictions.predict(whole, rows.X, rows.classes)
    np.testing.assert_allclose(expected.values, np.mean(said, axis=0))
    assert predictions.apart(saved.score(requests).values, expected.values) <= bundle.PARITY
    np.testing.assert_array_equal(whole.predict(rows.X), expected.labels)


def test_a_class_is_decided_on_by_its_expected_cost():
    costs = np.array([[0.0, 1.0], [9.0, 0.0]])  # to miss the second class is nine times as bad
    said = predictions.Predictions(np.array([[0.92, 0.08], [0.85, 0.15]]), ("no", "yes"), costs)
    assert said.labels.tolist() == ["no", "yes"]
    assert said[1:].labels.tolist() == ["yes"]


def test_a_model_with_costs_decides_the_same_for_tables_and_requests(tmp_path):
    contract, frame = made_up.every_type("binary")
    rows = folds.Rows.of(frame, contract)
    fitted = models.build(models.MODELS["linear"], contract, "binary", 0).fit(rows.X, rows.y)
    for costs, share in ((np.array([[0, 1], [99, 0]]), 1.0), (np.array([[0, 99], [1, 0]]), 0.0)):
        whole = made_up.ensemble_of(rows, fitted, costs=costs)
        requests = cells.rows_of_table(frame, contract)
        saved = bundle.save(tmp_path / "model", whole, contract, requests[:3])
        labels = saved.score(requests).labels
        assert labels.tolist() == whole.predict(rows.X).tolist()
        assert abs((labels == contract.classes[-1]).mean() - share) < 0.45
        answers = bundle.describe(saved.score(requests), whole.region)
        assert [answer["label"] for answer in answers] == labels.tolist()


def test_answers_hold_a_set_or_an_interval():
    region = combination.Region(0.9, np.zeros(0), np.array([0.7]))
    said = predictions.Predictions(np.array([[0.05, 0.95], [0.5, 0.5]]), (False, True))
    assert [answer["set"] for answer in bundle.describe(said, region)] == [
        ["true"],
        ["false", "true"],
    ]
    bins = combination.Region(0.9, np.array([10.0]), np.array([1.0, 5.0]))
    values = predictions.Predictions(np.array([4.0, 20.0]))
    assert bundle.describe(values, bins) == [
        {"value": 4.0, "interval": [3.0, 5.0]},
        {"value": 20.0, "interval": [15.0, 25.0]},
    ]
