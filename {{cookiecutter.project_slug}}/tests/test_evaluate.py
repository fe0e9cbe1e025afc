import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import bundle, folds, metrics, predictions
from {{cookiecutter.project_slug}}.stages import evaluate


@pytest.fixture(scope="session")
def results(finished):
    return json.loads((finished / "reports/metrics.json").read_text())


def test_every_metric_is_that_of_the_test_rows_and_inside_its_interval(
    results, finished, champion, contract, params
):
    test = folds.Rows.of(pd.read_parquet(finished / "data/split/test.parquet"), contract)
    said = predictions.predict(champion.model, test.X, test.classes)
    assert set(results["metrics"]) == set(metrics.for_task(params.task))
    for name, found in results["metrics"].items():
        assert found["value"] == metrics.METRICS[name](test.y, said)
        assert found["low"] <= found["value"] <= found["high"]
    assert results["rows"] == len(test.y)


def test_the_gain_is_over_the_constant_prediction_of_the_training_rows(results, params):
    name = params.metric
    difference = results["metrics"][name]["value"] - results["baseline"][name]
    assert abs(difference) == pytest.approx(results["gain"]["value"])
    assert 0 < results["gain"]["low"] <= results["gain"]["value"] <= results["gain"]["high"]


def test_the_share_of_outcomes_inside_sets_or_intervals_is_measured(results, params):
    found = results["coverage"]
    assert found["nominal"] == params.tune.coverage
    assert found["low"] <= found["value"] <= found["high"]
    assert found["mean_size"] > 0


def test_what_is_outside_its_set_or_interval_is_counted(champion, typed, contract, params):
    rows = folds.Rows.of(typed, contract)
    said = predictions.predict(champion.model, rows.X, rows.classes)
    nothing = dataclasses.replace(
        champion.model.region, edges=np.zeros(0), margins=np.array([-1.0])
    )
    everything = dataclasses.replace(nothing, margins=np.array([1e9]))
    assert evaluate.coverage(everything, rows.y, said, params)["value"] == 1
    found = evaluate.coverage(nothing, rows.y, said, params)["value"]
    argmax = predictions.Predictions(said.values, said.classes).labels
    assert found == (0 if rows.classes is None else np.mean(argmax == rows.y))


def test_requests_and_tables_agree_on_every_test_row(results):
    assert results["disagreement"] <= bundle.PARITY


def test_a_disagreement_is_measured(champion, typed, contract):
    right = predictions.predict(champion.model, typed, contract.classes)
    wrong = predictions.Predictions(right.values.copy(), right.classes)
    wrong.values[3] += 0.25
    assert evaluate.disagreement(champion, typed, right) <= bundle.PARITY
    assert evaluate.disagreement(champion, typed, wrong) == pytest.approx(0.25)


def test_the_report_is_one_page_with_every_result(project, command, params, results):
    assert command("evaluate") == 0
    page = (project / "reports/report.html").read_text()
    for metric in metrics.for_task(params.task).values():
        assert metric.title in page
    assert all(model in page for model in params.train.models)
    figures = sorted(path.stem for path in (project / "reports/figures").glob("*.png"))
    assert {"importance", "leaderboard", "pareto"} < set(figures)
    assert page.count("data:image/png;base64,") == len(figures)
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    again = json.loads((project / "reports/metrics.json").read_text())
    assert again == results


def test_text_from_the_data_cannot_become_markup(project, params, edit):
    record = json.loads((project / "data/raw/record.json").read_text())
    record["source"] = "<script>alert(1)</script>"
    (project / "data/raw/record.json").write_text(json.dumps(record))
    results = json.loads((project / "reports/metrics.json").read_text())
    tables = (pd.read_csv(f"reports/{name}.csv") for name in ("leaderboard", "trials"))
    page = evaluate.render(results, params, *tables)
    assert "<script>alert" not in page
