import made_up
import numpy as np
import pytest

from {{cookiecutter.project_slug}} import learning, metrics, models

MEMBERS = [
    {"model": "tree", "weight": 0.5, "parameters": {"model__max_depth": 3}},
    {"model": "linear", "weight": 0.5, "parameters": {}},
]
ROWS = np.array([100, 200, 300, 400, 500])


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_the_curve_is_of_growing_shares_of_the_rows_of_one_fold(task, params):
    contract, frame = made_up.every_type(task, 300)
    metric = next(iter(metrics.for_task(task).values()))
    chosen = params.model_copy(
        update={"task": task, "train": params.train.model_copy(update={"folds": 3})}
    )
    found = learning.measure(MEMBERS, frame, contract, chosen, metric)
    assert [point.rows for point in found.points] == pytest.approx([40, 80, 120, 160, 200], abs=1)
    assert found.rows == 300 and found.why
    again = learning.measure(MEMBERS, frame, contract, chosen, metric)
    assert again == found


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_every_family_has_a_curve_on_a_small_table(task, params):
    contract, frame = made_up.every_type(task, 60)
    metric = next(iter(metrics.for_task(task).values()))
    changes = {"task": task, "train": params.train.model_copy(update={"folds": 3})}
    for name, model in models.MODELS.items():
        if model.suits(task, 0):
            parameters = {"model__n_neighbors": 100} if name == "neighbors" else {}
            member = {"model": name, "weight": 1.0, "parameters": parameters}
            chosen = params.model_copy(update=changes)
            found = learning.measure([member], frame, contract, chosen, metric)
            assert found.points[-1].rows == 40


def test_a_share_that_a_family_cannot_be_fitted_to_is_skipped_and_named(params):
    contract, frame = made_up.every_type("binary", 90)
    frame = frame.groupby("outcome", observed=True).head(12)
    rare = frame[frame["outcome"] == "a"].index[6:]  # 6 are left: 4 to learn from, 1 in a share
    member = {"model": "svm", "weight": 1.0, "parameters": {}}
    changes = {"task": "binary", "train": params.train.model_copy(update={"folds": 3})}
    chosen = params.model_copy(update=changes)
    metric = metrics.METRICS["log_loss"]
    found = learning.measure([member], frame.drop(index=rare), contract, chosen, metric)
    assert 0 < len(found.points) < 5
    assert "No point at" in found.why and "svm: " in found.why


def points(values):
    return [learning.Point(int(n), float(v)) for n, v in zip(ROWS, values, strict=True)]


@pytest.mark.parametrize(("name", "sign"), [("roc_auc", -1), ("log_loss", 1)])
def test_a_power_law_is_found_and_tells_what_doubling_brings(name, sign):
    law = 0.5 + sign * 2 * ROWS**-0.5
    found = learning.extrapolate(points(law), 600, metrics.METRICS[name])
    assert (found.a, found.b, found.c) == pytest.approx((0.5, sign * 2, 0.5), rel=1e-6)
    assert found.doubling == pytest.approx(2 * (600**-0.5 - 1200**-0.5))
    np.testing.assert_allclose(found(ROWS), law)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([0.7, 0.72, 0.71, 0.7, 0.7], "did not help"),
        ([0.7] * 5, "did not help"),
        ([0.7, 0.76, 0.69, 0.8, 0.74], "scatter too much"),
        ([0.70, 0.76, 0.785, 0.80, 0.795], "within the scatter"),
    ],
)
def test_a_curve_that_is_not_to_be_trusted_says_so(values, why):
    found = learning.extrapolate(points(values), 600, metrics.METRICS["roc_auc"])
    assert found.doubling is None
    assert why in found.why


def test_too_few_points_are_no_curve():
    found = learning.extrapolate(points([0.7] * 5)[:3], 600, metrics.METRICS["roc_auc"])
    assert found.doubling is None and "Too few rows" in found.why
