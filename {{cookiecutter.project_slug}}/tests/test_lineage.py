import json

import pytest
from rich.console import Console

from {{cookiecutter.project_slug}} import files, lineage


def shown(version=None):
    console = Console(width=200, markup=False, quiet=False)
    with console.capture() as captured:
        console.print(lineage.tree(lineage.trace(version)))
    return captured.get()


def test_the_tree_names_every_step(project):
    text = shown()
    steps = ("response", "bundle", "registry", "run", "git", "dvc.lock", "data", "params")
    places = [text.index(f" {step}  " if step != "response" else step) for step in steps[:-1]]
    assert places == sorted(places)
    assert "params" in text
    assert "(the champion)" in text


def test_an_earlier_version_has_its_own_lineage(second, two):
    assert lineage.trace("1")["model"]["champion"] is False
    assert lineage.trace()["model"]["version"] == two[1]
    assert lineage.trace("1")["bundle"]["files"] != lineage.trace()["bundle"]["files"]


def test_other_data_than_that_of_the_model_is_told_apart(project):
    files.write_json(files.RAW_RECORD, {"sha256": "0" * 64})
    assert lineage.trace()["data"]["is_here"] is False
    assert "not what is here" in shown()


def test_a_registry_that_does_not_answer_hides_nothing_else(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://host")
    assert "nonsense://host does not work" in shown()
    assert lineage.trace()["params"]


def test_the_digest_of_the_pipeline_is_the_same_before_and_after_release(tmp_path):
    lock = tmp_path / "dvc.lock"
    assert lineage.pipeline_digest(lock) is None
    lock.write_text("schema: '2.0'\nstages:\n  tune: {cmd: a}\n")
    before = lineage.pipeline_digest(lock)
    lock.write_text("schema: '2.0'\nstages:\n  release: {cmd: b}\n  tune: {cmd: a}\n")
    assert lineage.pipeline_digest(lock) == before
    lock.write_text("schema: '2.0'\nstages:\n  tune: {cmd: c}\n")
    assert lineage.pipeline_digest(lock) != before


@pytest.mark.parametrize("arguments", [[], ["1"]])
def test_the_command_gives_it_as_json_or_as_a_tree(project, command, capsys, arguments):
    assert command("lineage", *arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out) == lineage.trace()
    assert command("lineage", *arguments) == 0
    assert "response" in capsys.readouterr().out


def test_a_version_that_is_not_there_is_refused(project, command, capsys):
    assert command("lineage", "99") == 2
    assert "no version '99'" in capsys.readouterr().err
