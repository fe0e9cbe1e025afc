import dataclasses
import json

import made_up
import numpy as np
import pandas as pd
import pytest
from released import another_candidate
from sklearn import pipeline

from {{cookiecutter.project_slug}} import bundle, folds, metrics, report
from {{cookiecutter.project_slug}}.predictions import Predictions, predict
from {{cookiecutter.project_slug}}.stages import evaluate


@pytest.fixture(scope="session")
def results(finished):
    return json.loads((finished / "reports/metrics.json").read_text())


def test_every_metric_is_that_of_the_test_rows_and_inside_its_interval(
    results, finished, champion, contract, params
):
    test = folds.Rows.of(pd.read_parquet(finished / "data/split/test.parquet"), contract)
    predictions = predict(champion.model, test.X, test.classes)
    assert set(results["metrics"]) == set(metrics.for_task(params.task))
    for name, found in results["metrics"].items():
        assert found["value"] == metrics.METRICS[name](test.y, predictions)
        assert found["low"] <= found["value"] <= found["high"]
    assert results["rows"] == len(test.y)


def test_the_gain_is_over_the_constant_prediction_of_the_training_rows(results, params):
    name = params.metric
    difference = results["metrics"][name]["value"] - results["baseline"][name]
    assert abs(difference) == pytest.approx(results["gain"]["value"])
    assert 0 < results["gain"]["low"] <= results["gain"]["value"] <= results["gain"]["high"]


def test_requests_and_tables_agree_on_every_test_row(results):
    assert results["disagreement"] <= bundle.PARITY


def test_a_disagreement_is_measured(champion, typed, contract):
    right = predict(champion.model, typed, contract.classes)
    wrong = Predictions(right.values.copy(), right.classes)
    wrong.values[3] += 0.25
    assert evaluate.disagreement(champion, typed, right) <= bundle.PARITY
    scale = max(1.0, float(np.abs(wrong.values[3]).min()))
    assert evaluate.disagreement(champion, typed, wrong) == pytest.approx(0.25 / scale)


def test_the_gain_over_the_constant_the_linear_model_and_the_champion_is_on_the_same_rows(
    results, project, command, params
):
    assert results["comparisons"]["champion"] is None  # there was none before the first release
    assert command("evaluate") == 0
    found = json.loads((project / "reports/metrics.json").read_text())
    compared = found["comparisons"]
    assert {one["metric"] for one in compared.values()} == {params.metric}
    assert found["gain"] == {end: compared["baseline"][end] for end in ("value", "low", "high")}
    assert compared["linear"]["low"] <= compared["linear"]["value"] <= compared["linear"]["high"]
    same = compared["champion"]
    assert (same["value"], same["low"], same["high"], same["version"]) == (0, 0, 0, "1")
    found["comparisons"]["champion"] = None
    assert found == results


def adapted(contract, **changes):
    """Return a contract with columns changed, or without those that are None."""
    columns = {**contract.model_dump()["columns"], **changes}
    return type(contract)(columns={name: one for name, one in columns.items() if one})


def test_a_champion_is_measured_on_rows_that_hold_its_columns_and_others(project, contract):
    wider = adapted(contract, another={"type": "number"})
    assert evaluate.rival(contract).manifest["version"] == "1"
    assert evaluate.rival(wider).manifest["version"] == "1"


def test_a_champion_whose_columns_or_classes_are_gone_is_not_measured_and_it_is_told_why(
    project, contract
):
    *_, last = contract.features
    lost = evaluate.rival(adapted(contract, **{last: None}))
    assert (lost.version, lost.moot) == ("1", False)
    assert f"gone or of another type: {last}" in lost.why
    other = adapted(contract, **{last: {"type": "text"}})
    assert f"gone or of another type: {last}" in evaluate.rival(other).why


def test_a_champion_that_answers_another_question_is_nothing_to_compare_with(project, contract):
    target = contract.columns[contract.target].model_dump()
    renamed = adapted(contract, **{contract.target: None, "another": target})
    number = {"type": "number", "role": "target"}
    classes = {"type": "category", "role": "target", "levels": ("a", "b", "c")}
    other = number if contract.task == "multiclass" else classes
    task = adapted(contract, **{contract.target: other})
    table = adapted(contract, **dict.fromkeys(contract.features), another={"type": "number"})
    for asked in (renamed, task, table):
        assert evaluate.rival(asked).moot


def test_a_damaged_champion_is_not_measured_and_only_force_replaces_it(project, command, capsys):
    (project / "models/champion/golden.json").write_text("{}")
    assert command("evaluate") == 0
    found = json.loads((project / "reports/metrics.json").read_text())
    assert found["comparisons"]["champion"] is None
    assert found["unmeasured"]["version"] == "1"
    assert "golden.json" in found["unmeasured"]["why"]
    assert command("release") == 3
    shown = capsys.readouterr()
    assert "refused (no worse than the champion)" in shown.err
    assert "version 1 was not measured: it cannot be used" in " ".join(shown.out.split())
    assert command("release", "--force", "it was damaged") == 0
    assert bundle.load(project / "models/champion").manifest["version"] != "1"


def test_metrics_json_has_every_key_that_the_gate_reads(results, params, contract):
    for found in (*results["metrics"].values(), results["calibration"]):
        assert set(found) == {"value", "low", "high", "method"}
        assert found["low"] <= found["value"] <= found["high"]
    slice_keys = {"column", "slice", "rows", "value", "low", "high", "gap", "kept"}
    assert all(set(one) == slice_keys for one in results["slices"])
    sensitive = {n for n, c in contract.kept.items() if c.sensitive and c.type != "text"}
    assert set(results["fairness"]) == sensitive
    assert all(
        {"value", "low", "high"} <= set(one)
        for measures in results["fairness"].values()
        for one in measures.values()
    )
    tests = [one["test"] for one in results["behaviour"]]
    assert tests[:3] == ["row order", "batch size", "extra columns"]
    assert all(one["passed"] for one in results["behaviour"][:3])
    assert [set(point) for point in results["learning_curve"]] == [{"rows", "value"}] * 5
    assert results["doubling"] is None or results["doubling"] > 0
    assert bool(results["thresholds"]) == (params.task == "binary")


def test_no_test_row_is_learned_from(project, command, contract, monkeypatch):
    test = pd.read_parquet("data/split/test.parquet")[list(contract.features)]
    hidden, seen = set(pd.util.hash_pandas_object(test, index=False)), []
    fit = pipeline.Pipeline.fit

    def spied(self, X, y=None, **options):
        seen.extend(pd.util.hash_pandas_object(X, index=False))
        return fit(self, X, y, **options)

    monkeypatch.setattr(pipeline.Pipeline, "fit", spied)
    assert command("evaluate") == 0
    assert len(seen) > len(test)
    assert not hidden & set(seen)


def test_a_direction_of_an_unknown_column_is_refused_before_anything_is_written(
    project, edit, command, capsys
):
    edit(project / "params.yaml", "evaluate.directions", {"nonsense": "up"})
    before = (project / "reports/metrics.json").read_bytes()
    assert command("evaluate") == 2
    assert "params.yaml: evaluate.directions: " in capsys.readouterr().err
    assert (project / "reports/metrics.json").read_bytes() == before


@pytest.mark.parametrize("last", ["page", "card"])
def test_an_evaluation_that_was_cut_short_lets_nothing_be_released_with_an_earlier_report(
    project, command, capsys, monkeypatch, last
):
    def cut(*_):
        raise KeyboardInterrupt

    measured = json.loads((project / "reports/metrics.json").read_text())
    another_candidate(project)
    (project / "reports/metrics.json").write_text(json.dumps(measured))
    monkeypatch.setattr(report, last, cut)
    with pytest.raises(KeyboardInterrupt):
        evaluate.main()
    assert command("release") == 2
    assert "is about another model" in capsys.readouterr().err


def test_the_figures_of_the_report_are_files_too(project):
    figures = {path.stem for path in (project / "reports/figures").glob("*.png")}
    assert {"importance", "leaderboard", "pareto", "slices", "learning", "dependence_1"} < figures


@pytest.mark.parametrize("outcomes", ["one alone is not zero", "all zero"])
def test_outcomes_that_are_nearly_all_the_same_are_measured(outcomes, params, tmp_path):
    made, frame = made_up.bundled("regression", tmp_path / "model")
    members = [{"model": "tree", "weight": 1.0, "parameters": {}}]
    candidate = dataclasses.replace(
        made, manifest={**made.manifest, "model": "tree", "members": members}
    )
    test = frame.head(60).assign(outcome=0.0)
    if outcomes != "all zero":
        test.loc[test.index[0], "outcome"] = 9.0
    chosen = params.model_copy(update={"task": "regression", "metric": "rmse"})
    found = evaluate.evaluate(candidate, frame, test, chosen).results
    assert json.loads(json.dumps(found, allow_nan=False))["metrics"] == found["metrics"]
    assert ("r2" in found["metrics"]) == (outcomes != "all zero")
