import functools

import made_up
import numpy as np
import pytest

from {{cookiecutter.project_slug}} import folds, importance, metrics, models
from {{cookiecutter.project_slug}}.predictions import predict


@pytest.fixture(params=made_up.TARGETS)
def learned(request, params):
    task = request.param
    contract, frame = made_up.every_type(task, 300)
    rows = folds.Rows.of(frame, contract)
    fitted = models.build(models.MODELS["tree"], contract, task, 0).fit(rows.X, rows.y)
    metric = next(iter(metrics.for_task(task).values()))
    chosen = params.model_copy(update={"task": task})
    score = functools.partial(predict, fitted, classes=rows.classes)
    return score, rows, contract, metric, chosen


def test_the_column_that_decides_is_the_most_important(learned):
    _, _, contract, _, _ = learned
    found = importance.permutation(*learned)
    assert found[0].column == "whole"
    assert 0 < found[0].low <= found[0].value <= found[0].high
    assert {one.column for one in found} == set(contract.features)
    assert all(one.value <= found[0].low for one in found[1:])


def test_of_many_columns_the_telling_ones_are_tried(learned, monkeypatch):
    monkeypatch.setattr(importance, "COLUMNS", 2)
    assert {one.column for one in importance.permutation(*learned)} == {"whole", "note"}


def test_dependence_is_the_mean_prediction_with_the_column_at_each_value(learned):
    score, rows, contract, metric, params = learned
    important = importance.permutation(*learned)
    found = importance.dependence(score, rows, contract, important, 0)
    assert len(found) == importance.SHOWN
    assert "note" not in {one.column for one in found}
    one = found[0]
    assert one.column == "whole"
    chosen = np.random.default_rng(0).permutation(len(rows.y))[: importance.DEPENDENCE_ROWS]
    sample = rows.X.iloc[chosen]
    for place in (0, -1):
        fixed = sample.assign(whole=one.grid[place]).astype(rows.X.dtypes)
        said = score(fixed).values.reshape(len(sample), -1)
        said = said[:, -1:] if params.task == "binary" else said
        np.testing.assert_allclose(one.means[place], said.mean(axis=0))
        np.testing.assert_allclose(one.bands[place, 1], np.quantile(said, 0.9, axis=0))
    assert metric and np.abs(one.means[0] - one.means[-1]).max() > 0.5


def test_levels_and_moments_have_a_grid_too(learned):
    score, rows, contract, _, _ = learned
    needed = [importance.Importance(n, 1, 1, 1) for n in ("colour", "flag", "moment", "city")]
    found = importance.dependence(score, rows, contract, needed, 0)
    assert [one.column for one in found] == ["colour", "flag", "moment", "city"]
    assert found[0].grid == ["blue", "green", "red"]
    assert found[1].grid == [False, True]
    assert sorted(found[2].grid) == found[2].grid and len(found[2].grid) == importance.GRID
