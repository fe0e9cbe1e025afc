import io

import made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from {{cookiecutter.project_slug}} import folds, metrics, models, plots, predictions


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
    said = predictions.predict(fitted, rows.X, rows.classes)
    with plots.style():
        for plot in plots.PLOTS[task]:
            figure = plot(rows.y, said)
            assert figure.axes[0].get_title(loc="left")
            assert ink(figure) > 0.01


def test_the_column_that_decides_is_the_most_important(judged):
    contract, task, fitted, rows = judged
    metric = next(iter(metrics.for_task(task).values()))
    axes = plots.importance(fitted, rows, contract, metric, seed=0, repeats=2).axes[0]
    assert axes.get_yticklabels()[-1].get_text() == "whole"
    assert metric.title in axes.get_xlabel()


def test_of_many_columns_the_telling_ones_are_tried(judged, monkeypatch):
    contract, task, fitted, rows = judged
    monkeypatch.setattr(plots, "IMPORTANT_COLUMNS", 2)
    metric = next(iter(metrics.for_task(task).values()))
    axes = plots.importance(fitted, rows, contract, metric, seed=0, repeats=2).axes[0]
    assert {label.get_text() for label in axes.get_yticklabels()} == {"whole", "note"}


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
