"""Models that are bad, each in one way: made by the stages, held to the limits of params.yaml."""

import contextlib
import json
import shutil

import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import (
    bundle,
    combination,
    config,
    ensemble,
    files,
    versions,
)

SIZE = 4_000
NUMBERS = ("north", "east", "south", "west")
CITIES = ("Aš", "Bonn", "Cork", "Dijon")


def rows():
    """Return rows whose outcome hangs on four numbers alike."""
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(SIZE, len(NUMBERS)))
    table = pd.DataFrame(cells, columns=NUMBERS).round(4)
    table["city"] = rng.choice(CITIES, SIZE, p=(0.4, 0.3, 0.1, 0.2))
    table["outcome"] = np.where(cells.sum(axis=1) + rng.normal(0, 1.5, SIZE) > 0, "a", "b")
    return table


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, make_project, command, edit, root):
    """A project of these rows with the limits of params.yaml, up to the split."""
    folder = tmp_path_factory.mktemp("prepared") / "project"
    columns = {name: {"type": "number"} for name in NUMBERS}
    columns["city"] = {"type": "category", "levels": CITIES}
    make_project(folder, rows(), made_up.contract_of(**columns, outcome=made_up.TARGETS["binary"]))
    changes = {"task": "binary", "metric": "roc_auc", "train.models": ["dummy", "boosting"]}
    changes["tune.trials"] = 1
    shipped = config.Params.load(root / "params.yaml").release.model_dump(exclude={"min_metric"})
    changes |= {f"release.{name}": limit for name, limit in shipped.items()}
    for key, value in changes.items():
        edit(folder / "params.yaml", key, value)
    with contextlib.chdir(folder):
        assert [command(stage) for stage in ("collect", "preprocess")] == [0, 0]
    return folder


@pytest.fixture(scope="module")
def good(prepared, tmp_path_factory, command):
    """The project with a candidate that nothing is wrong with."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("good") / "project")
    with contextlib.chdir(folder):
        assert [command(stage) for stage in ("train", "tune", "evaluate")] == [0, 0, 0]
    return folder


@pytest.fixture
def enter(tmp_path, monkeypatch):
    """Go to a copy of a project."""

    def go(project):
        monkeypatch.chdir(shutil.copytree(project, tmp_path / "project"))

    return go


def failed():
    """Return the rules that the candidate broke; no model has become the champion."""
    assert versions.current() is None
    told = json.loads(files.VERDICT.read_text())
    assert not told["passed"]
    return [rule["name"] for rule in told["rules"] if not rule["passed"]]


def test_a_model_that_nothing_is_wrong_with_passes(good, enter, command):
    enter(good)
    assert command("release") == 0


def test_a_model_that_is_of_no_use_in_one_city_is_refused(prepared, enter, command):
    enter(prepared)
    for path in (files.TRAIN, files.TEST):
        table = pd.read_parquet(path)
        there = table["city"] == "Cork"
        outcomes = np.random.default_rng(1).permutation(table.loc[there, "outcome"])
        table.loc[there, "outcome"] = outcomes
        table.to_parquet(path)
    stages = ("train", "tune", "evaluate", "release")
    assert [command(stage) for stage in stages] == [0, 0, 0, 3]
    assert failed() == ["no slice far behind"]
    found = json.loads(files.METRICS.read_text())["slices"][0]
    assert (found["column"], found["slice"]) == ("city", "Cork")


def test_a_model_that_is_much_too_sure_is_refused(good, enter, command):
    enter(good)
    candidate = bundle.load(files.CANDIDATE)
    honest = candidate.model
    sharp = combination.Combination(honest.combination.weights, np.eye(2) * 5, np.zeros(2))
    model = ensemble.Ensemble(honest.members, sharp, honest.region, honest.classes, honest.costs)
    golden = [tuple(row) for row in files.read_json(files.CANDIDATE / bundle.GOLDEN)["rows"]]
    bundle.save(files.CANDIDATE, model, candidate.contract, golden, **candidate.manifest)
    assert [command(stage) for stage in ("evaluate", "release")] == [0, 3]
    assert failed() == ["calibrated"]


def test_a_model_that_is_slower_than_allowed_is_refused(good, enter, command, edit):
    enter(good)
    edit(files.PARAMS, "release.max_milliseconds", 1e-6)
    assert command("release") == 3
    assert failed() == ["fast enough"]
