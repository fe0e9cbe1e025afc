import io

import made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from {{cookiecutter.project_slug}} import (
    diagnosis,
    folds,
    importance,
    learning,
    metrics,
    models,
    plots,
    slices,
)
from {{cookiecutter.project_slug}}.predictions import Predictions, predict


def ink(figure):
    """Return the share of pixels that are not white."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return (image.imread(io.BytesIO(buffer.getvalue()))[..., :3] < 1).any(axis=-1).mean()


@pytest.fixture(params=made_up.TARGETS)
def judged(request):
    contract, frame = made_up.every_type(request.param)
    rows = folds.Rows.of(frame, contract)
    fitted = models.build(models.MODELS["tree"], contract, request.param, 0).fit(rows.X, rows.y)
    return contract, request.param, fitted, rows


def test_every_figure_of_a_task_is_drawn_with_a_title(judged):
    _, task, fitted, rows = judged
    predictions = predict(fitted, rows.X, rows.classes)
    with plots.style():
        for plot in plots.PLOTS[task]:
            figure = plot(rows.y, predictions)
            assert figure.axes[0].get_title(loc="left")
            assert ink(figure) > 0.01


def test_a_confusion_matrix_has_room_for_many_classes_of_long_names():
    classes = tuple(f"a class of a long name, number {number}" for number in range(32))
    predictions = Predictions(np.eye(32), classes)
    with plots.style():
        assert ink(plots.PLOTS["multiclass"][3](np.array(classes), predictions)) > 0.01


def test_calibration_is_drawn_with_what_was_said_and_how_often_it_came_true():
    p = np.repeat([0.2, 0.8], 100)
    y = np.tile(np.arange(10), 20) < np.repeat([1, 9], 100)
    predictions = Predictions(np.column_stack([1 - p, p]), (False, True))
    axes = plots.PLOTS["binary"][2](y, predictions).axes[0]
    drawn = axes.containers[0].lines[0].get_xydata()
    assert {tuple(point) for point in np.round(drawn, 2).tolist()} == {(0.2, 0.1), (0.8, 0.9)}


def test_each_of_several_classes_has_a_curve_against_the_rest():
    codes = np.repeat([0, 1, 2], [10, 20, 30])
    predictions = Predictions(np.eye(3)[codes], ("a", "b", "c"))
    for plot in plots.PLOTS["multiclass"][:2]:
        axes = plot(np.array(["a", "b", "c"])[codes], predictions).axes[0]
        told = [text.get_text() for text in axes.get_legend().get_texts()]
        assert [text.partition(" ")[0] for text in told[:3]] == ["a", "b", "c"]
        assert all("1.00" in text for text in told[:3])


def test_a_class_that_does_not_occur_has_no_curve_and_of_many_the_frequent_have():
    codes = np.repeat(np.arange(1, 13), np.arange(1, 13))
    classes = tuple(f"c{code}" for code in range(13))
    predictions = Predictions(np.full((len(codes), 13), 1 / 13), classes)
    axes = plots.PLOTS["multiclass"][0](np.array(classes)[codes], predictions).axes[0]
    told = [text.get_text().partition(" ")[0] for text in axes.get_legend().get_texts()]
    assert told == [*classes[5:], "chance"]


def test_coverage_is_drawn_by_decile_beside_what_was_asked_for():
    deciles = [{"value": 0.9, "low": 0.7, "high": 0.99 - i / 100} for i in range(10)]
    axes = plots.coverage(deciles, 0.8).axes[0]
    assert axes.containers[0].lines[0].get_xydata().tolist() == [[i, 0.9] for i in range(1, 11)]
    assert axes.get_lines()[-1].get_ydata()[0] == 0.8


def test_the_most_important_columns_are_at_the_top_with_their_intervals():
    found = [importance.Importance(f"c{i}", 1 - i / 20, 0.9 - i / 20, 1.1) for i in range(18)]
    axes = plots.importance(found, metrics.METRICS["r2"]).axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == [f"c{i}" for i in reversed(range(15))]
    assert "R²" in axes.get_xlabel()


@pytest.mark.parametrize(
    "grid",
    [
        ["blue", "gr$een"],
        [False, True],
        [1.0, 2.0],
        [pd.Timestamp(f"2024-0{m}-01") for m in (1, 2)],
    ],
)
@pytest.mark.parametrize("classes", [None, (False, True), ("a", "b", "c")])
def test_dependence_is_drawn_for_every_type_and_task(grid, classes):
    count = len(classes) if classes and len(classes) > 2 else 1
    means = np.linspace(0, 1, 2 * count).reshape(2, count)
    bands = np.stack([means - 0.1, means + 0.1], axis=1)
    figure = plots.dependence(importance.Dependence("co$t", grid, means, bands), classes)
    assert len(figure.axes[0].get_lines()) >= count
    assert ink(figure) > 0.01


def test_the_learning_curve_goes_to_twice_the_rows_if_it_is_believed():
    points = [learning.Point(n, 1 - n**-0.5) for n in (20, 40, 60, 80, 100)]
    metric = metrics.METRICS["r2"]
    axes = plots.learning(learning.extrapolate(points, 120, metric), metric).axes[0]
    assert max(line.get_xdata()[-1] for line in axes.get_lines()) == pytest.approx(240)
    flat = learning.extrapolate([learning.Point(p.rows, 0.5) for p in points], 120, metric)
    assert len(plots.learning(flat, metric).axes[0].get_lines()) == 1


def test_the_chosen_threshold_is_marked():
    y, p = np.arange(50) % 2 == 0, np.linspace(0, 1, 50)
    predictions = Predictions(np.column_stack([1 - p, p]), (False, True))
    figure = plots.thresholds(diagnosis.thresholds(y, predictions))
    marked = next(line for line in figure.axes[0].get_lines() if line.get_label() == "chosen")
    assert list(marked.get_xdata()) == [0.5, 0.5]


def test_the_worst_slice_is_at_the_top():
    ends = (0.5, 0.4, 0.6, 0.1, 1.0)
    found = [slices.Slice("city", name, 30, *ends) for name in "abcdefghijklmnopqr"]
    axes = plots.slices(found, 0.7, metrics.METRICS["accuracy"]).axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown[-1] == "city: a" and len(shown) == 15


def test_the_leaderboard_lists_the_best_model_at_the_top():
    table = pd.DataFrame({"model": ["b", "a"], "mean": [2.0, 1.0], "standard_error": [0.1, np.nan]})
    axes = plots.leaderboard(table, metrics.METRICS["r2"]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize(("name", "sign"), [("r2", 1), ("rmse", -1)])
def test_the_pareto_front_holds_what_nothing_beats_in_score_and_latency(name, sign):
    table = pd.DataFrame(
        {
            "mean": [1.0, 3.0, 2.0, 4.0, np.nan],
            "row_milliseconds": [1.0, 2.0, 3.0, 4.0, np.nan],
            "chosen": [False, True, False, False, False],
        }
    )
    table["mean"] *= sign
    axes = plots.pareto(table, metrics.METRICS[name]).axes[0]
    front, chosen = axes.get_lines()
    assert front.get_xydata().tolist() == [[1, sign], [2, 3 * sign], [4, 4 * sign]]
    assert chosen.get_xydata().tolist() == [[2, 3 * sign]]


def test_names_in_signs_that_the_font_lacks_are_drawn_without_a_warning():
    found = [importance.Importance("年齢", 0.9, 0.8, 1.0)]
    with plots.style():
        plots.importance(found, metrics.METRICS["r2"]).savefig(io.BytesIO())


def test_of_many_classes_those_that_a_column_moves_most_are_drawn():
    grid, means = [0.0, 1.0], np.vstack([np.zeros(26), np.arange(26) / 26])
    found = importance.Dependence("x", grid, means, np.zeros((2, 2, 26)))
    axes = plots.dependence(found, tuple("abcdefghijklmnopqrstuvwxyz")).axes[0]
    assert [line.get_label() for line in axes.get_lines()] == list("stuvwxyz")
