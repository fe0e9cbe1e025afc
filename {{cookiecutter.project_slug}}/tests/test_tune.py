import dataclasses
import json
import shutil
import sys

import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import bundle, candidates, metrics
from {{cookiecutter.project_slug}}.stages import tune


def test_golden_rows_are_like_the_data_but_drawn_column_by_column(typed, contract):
    rows = tune.golden_rows(typed, contract, 0)
    assert rows == tune.golden_rows(typed, contract, 0)
    assert {len(row) for row in rows} == {len(contract.features)}


def test_the_texts_of_golden_rows_are_words_of_several_rows_mixed():
    contract, frame = made_up.every_type("binary")
    place = list(contract.features).index("note")
    frame["note"] = [f"{a} number {i}" for i, a in enumerate(frame["note"])]
    found = [row[place] for row in tune.golden_rows(frame, contract, 0)]
    assert not set(found) & set(frame["note"])
    known = {word for text in frame["note"] for word in text.lower().split()}
    assert all(text and set(text.split()) <= known for text in found)


def test_texts_without_a_word_stay_texts_in_golden_rows():
    contract, frame = made_up.every_type("binary")
    frame["note"] = pd.Series(["?", None] * (len(frame) // 2), dtype="str")
    place = list(contract.features).index("note")
    found = {row[place] for row in tune.golden_rows(frame, contract, 0)}
    assert found == {"text", None}


def test_the_stage_writes_the_chosen_trial_as_the_candidate_and_again_the_same(
    project, command, champion
):
    assert command("tune") == 0
    trials = pd.read_csv("reports/trials.csv")
    chosen = trials[trials["chosen"]].iloc[0]
    manifest = json.loads((project / "models/candidate/manifest.json").read_text())
    assert manifest["model"] == chosen["model"] == champion.manifest["model"]
    assert manifest["members"] == champion.manifest["members"]
    assert json.loads(chosen["parameters"]) == [m["parameters"] for m in manifest["members"]]
    assert manifest["cross_validated"] == champion.manifest["cross_validated"]
    assert manifest["files"]["golden.json"] == champion.manifest["files"]["golden.json"]


def test_trials_are_listed_the_best_first_with_what_they_cost(finished, params):
    trials = pd.read_csv(finished / "reports/trials.csv").dropna(subset=["row_milliseconds"])
    greater = metrics.find(params.metric, params.task).greater_is_better
    assert trials["mean"].tolist() == sorted(trials["mean"], reverse=greater)
    assert len(trials) >= len(params.train.models), "the defaults are among them"
    assert trials["behind"].iloc[0] == 0
    assert (trials[["row_milliseconds", "megabytes"]] > 0).all(axis=None)


def test_the_search_leaves_nothing_behind_when_it_has_ended(finished):
    assert not list((finished / "models/search").glob("*"))


def test_the_search_goes_on_with_the_folds_that_there_was_time_for(project, command, edit, params):
    edit(project / "params.yaml", "train.folds", params.train.folds + 1)
    edit(project / "params.yaml", "tune.trials", 1)
    assert command("train") == 0
    for path in (project / "models/defaults").glob("*.npz"):
        one = candidates.load(path)
        candidates.save(path, dataclasses.replace(one, scores=one.scores[:-1]))
    assert command("tune") == 0
    assert pd.read_csv("reports/trials.csv")["chosen"].sum() == 1


def test_a_search_on_other_folds_than_those_of_the_comparison_is_refused(
    project, command, edit, params, capsys
):
    edit(project / "params.yaml", "train.folds", params.train.folds + 1)
    assert command("tune") == 2
    assert "models/defaults: " in capsys.readouterr().err


def test_costs_decide_which_class_is_said(project, command, edit, contract, params):
    if contract.classes is None:
        edit(project / "params.yaml", "tune.costs", {"a": {"b": 2.0}})
        assert command("run") == 2
        return
    names = [str(c).lower() if isinstance(c, bool) else c for c in contract.classes]
    always = names[0]
    dear = {true: {other: 1e6 for other in names if other != always} for true in names}
    edit(project / "params.yaml", "tune.costs", dear)
    edit(project / "params.yaml", "tune.trials", 1)
    assert command("tune") == 0
    candidate = bundle.load(project / "models/candidate")
    golden = json.loads((project / "models/candidate/golden.json").read_text())
    said = candidate.score([tuple(row) for row in golden["rows"]])
    assert set(said.labels.tolist()) == {contract.classes[0]}
    assert np.ptp(said.values) > 0


def test_costs_of_a_class_that_is_not_there_are_refused_before_anything_runs(
    project, command, edit, capsys
):
    edit(project / "params.yaml", "tune.costs", {"nobody": {"nothing": 2.0}})
    assert command("run") == 2
    assert "params.yaml: tune.costs: 'nobody' is not a class" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("backend", "package"), [("dask", "distributed"), ("ray", "ray"), ("spark", "joblibspark")]
)
def test_a_backend_whose_packages_are_not_installed_is_refused_with_the_command_that_helps(
    project, command, edit, capsys, monkeypatch, backend, package
):
    monkeypatch.setitem(sys.modules, package, None)
    edit(project / "params.yaml", "compute.backend", backend)
    assert command("train") == 2
    assert f'make lock EXTRAS="{backend}"' in capsys.readouterr().err


def test_a_search_before_any_comparison_is_refused(project, command, capsys):
    shutil.rmtree("models/defaults")
    assert command("tune") == 2
    assert "models/defaults: no model has been compared yet" in capsys.readouterr().err
