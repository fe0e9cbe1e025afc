"""The whole pipeline, as `make run` runs it: through DVC, every stage a process of its own."""

import ast
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import made_up
import mlflow
import pandas as pd
import pytest
from conftest import STAGES
from fastapi.testclient import TestClient
from ruamel.yaml import YAML

from {{cookiecutter.project_slug}} import (
    bundle,
    config,
    files,
    lineage,
    metrics,
    run,
    tracking,
)
from {{cookiecutter.project_slug}}.serving import app, settings

RUNNING = r"Running stage '(\w+)'"
# They read parameters, write files and record runs: what they are given is what comes out.
CARRIERS = {"__init__.py", "config.py", "errors.py", "files.py", "processes.py", "tracking.py"}


@pytest.fixture(scope="module", autouse=True)
def _own_store():
    """Let the pipeline track where it does without a setting."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI")
        patch.setenv("DVC_NO_ANALYTICS", "1")
        yield


def git(folder, *arguments):
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


HALF = """schema: '2.0'
stages:
  collect:
    cmd: python -m
    deps:
    - pa"""


@pytest.fixture(scope="module")
def reproduced(bare, tmp_path_factory):
    """A project after its first whole run, which DVC was killed in once, as it wrote its files."""
    folder = tmp_path_factory.mktemp("reproduced") / "project"
    shutil.copytree(bare, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    git(folder, *identity, "commit", "--quiet", "--message", "x")
    with contextlib.chdir(folder):
        files.DVC_CLAIMS.parent.mkdir()
        files.DVC_CLAIMS.write_text("")
        files.PIPELINE_LOCK.write_text(HALF)
        assert run.run() == 0
    return folder


@pytest.fixture
def copy(reproduced, tmp_path, monkeypatch):
    shutil.copytree(reproduced, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def imported(module):
    """Yield the files of the package that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for place in (base, *(base / one.name for one in node.names)):
                yield from filter(Path.is_file, (place.with_suffix(".py"), place / "__init__.py"))


def reached(module, seen):
    """Return the files of the package that run when a module does, itself included."""
    seen.add(module)
    for one in imported(module):
        if one not in seen:
            reached(one, seen)
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_repeated_when_any_code_that_it_runs_has_changed(root, stage):
    package = Path("src", config.__package__)
    stages = YAML(typ="safe").load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    watched = {Path(one) for one in stages[stage]["deps"]}
    run = {one.relative_to(root) for one in reached(root / package / f"stages/{stage}.py", set())}
    assert len(run) > 5
    run -= {package / name for name in CARRIERS}
    assert {str(one) for one in run if not {one, *one.parents} & watched} == set()


def ran(capfd):
    return re.findall(RUNNING, capfd.readouterr().out)


def version(project):
    return bundle.load(project / "models/champion").manifest["version"]


def test_one_command_goes_from_the_table_to_a_champion_and_a_report(reproduced):
    assert version(reproduced) == "1"
    assert (reproduced / files.PIPELINE_LOCK).read_text().count("cmd:") == len(STAGES)
    assert (reproduced / "mlflow.db").is_file()
    assert (reproduced / "reports/report.html").is_file()
    assert json.loads((reproduced / "reports/release.json").read_text())["passed"]


def test_the_champion_over_http_is_the_pipeline_that_was_evaluated(reproduced, contract, params):
    chosen = settings.Settings(champion=reproduced / "models/champion")
    test = pd.read_parquet(reproduced / "data/split/test.parquet")
    champion = bundle.load(chosen.champion)
    said = champion.score_table(test)
    with TestClient(app.create_app(chosen)) as client:
        answer = client.post("/predict", json={"rows": made_up.requests(test, contract)}).json()
    for found, expected in zip(answer["predictions"], said.values.tolist(), strict=True):
        values = [*found["probabilities"].values()] if contract.classes else found["value"]
        assert values == expected
    results = json.loads((reproduced / "reports/metrics.json").read_text())
    y = test[contract.target].to_numpy(float if contract.classes is None else None)
    evaluated = results["metrics"][params.metric]["value"]
    assert metrics.find(params.metric, params.task)(y, said) == pytest.approx(evaluated)


def test_a_response_leads_back_to_the_commit_the_data_and_the_parameters(copy, contract, tmp_path):
    row = made_up.requests(pd.read_parquet(files.TEST).head(1), contract)
    with TestClient(app.create_app(settings.Settings(champion=files.CHAMPION))) as client:
        model = client.post("/predict", json={"rows": row}).json()["model"]
    found = lineage.trace(model["version"])
    assert found["model"] == {**model, "champion": True}
    digests = found["bundle"]["files"]
    assert digests == {name: files.sha256(files.CHAMPION / name) for name in digests}
    registry = found["registry"]
    alias = tracking.Alias.of(f"models:/{model['name']}@champion")
    assert alias.version() == registry["version"]
    kept = bundle.load(alias.download(registry["version"], tmp_path / "registered"))
    assert kept.manifest["files"]["model.skops"] == digests["model.skops"]
    assert registry["run"] == found["run"] == kept.manifest["run_id"]
    assert registry["status"] == "FINISHED"
    tags = mlflow.get_run(found["run"]).data.tags
    head = git(copy, "rev-parse", "HEAD")
    assert (tags["git_commit"], tags["git_dirty"]) == (head, "false")
    assert found["git"] == {"commit": head, "dirty": False}
    assert found["pipeline"] == {"sha256": lineage.pipeline_digest(), "is_here": True}
    locked = YAML(typ="safe").load(files.PIPELINE_LOCK)["stages"]["collect"]["outs"]
    assert [one["path"] for one in locked] == [files.RAW.as_posix()]
    assert found["data"] == {"sha256": files.sha256(files.RAW_TABLE), "is_here": True}
    assert found["params"] == config.Params.load().model_dump(mode="json")


def test_the_run_of_the_model_keeps_what_an_engineer_looks_for(copy, tmp_path):
    run_id = lineage.trace()["run"]
    tracking.connect()
    kept = {one.path for one in mlflow.MlflowClient().list_artifacts(run_id)}
    documents = {files.METRICS, files.SHARED_REPORT, files.CARD, files.FIGURES, files.TRIALS}
    assert kept == {path.name for path in documents} | {"dvc.lock"}
    there = mlflow.artifacts.download_artifacts(
        run_id=run_id, artifact_path="figures", dst_path=str(tmp_path)
    )
    pictures = {path.name for path in Path(there).iterdir()}
    assert pictures == {path.name for path in files.FIGURES.iterdir()}


@pytest.mark.parametrize("end", ["", "- pa", "cmd:", "hash: ", "hash: md5\n      m", "params:\n"])
def test_what_dvc_left_half_written_when_it_was_killed_is_removed(copy, end):
    files.DVC_CLAIMS.write_text("")
    text = files.PIPELINE_LOCK.read_text()
    files.PIPELINE_LOCK.write_text(text[: text.index(end) + len(end)])
    run.mend()
    assert not files.DVC_CLAIMS.exists() and not files.PIPELINE_LOCK.exists()


def test_a_conflict_in_the_lock_of_the_pipeline_is_left_to_a_person(copy, command):
    text = files.PIPELINE_LOCK.read_text()
    files.PIPELINE_LOCK.write_text(text.replace("stages:", "<<<<<<< HEAD\nstages:"))
    assert command("run") != 0
    assert "<<<<<<<" in files.PIPELINE_LOCK.read_text()


def test_a_second_run_repeats_nothing(copy, command, capfd):
    assert command("run") == 0
    assert ran(capfd) == []
    assert version(copy) == "1"


def test_a_new_search_repeats_what_follows_and_is_refused_if_it_gains_too_little(
    copy, edit, command, capfd
):
    edit(copy / "params.yaml", "tune.trials", 1)
    edit(copy / "params.yaml", "release.min_gain", 1e9)
    assert command("run") == 3
    shown = capfd.readouterr()
    assert re.findall(RUNNING, shown.out) == ["tune", "evaluate", "release"]
    assert "refused (better than the baseline" in shown.err and "the champion stays" in shown.err
    trials = pd.read_csv("reports/trials.csv")["parameters"].map(json.loads)
    assert (trials.map(len) == 1).sum() == len(config.Params.load().train.models) + 1
    assert version(copy) == "1"


def test_ctrl_c_ends_a_run_and_the_next_one_takes_up_the_search(copy, edit, capfd):
    edit(copy / "params.yaml", "tune.trials", 500)
    process = subprocess.Popen(
        [sys.executable, "-m", tracking.NAME, "run"],
        env={**os.environ, "SHELL": "/bin/sh"},  # dash passes Ctrl-C on as its own death
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while process.poll() is None and not trials(copy):
        time.sleep(0.1)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Interrupted: the best so far is the candidate" in said
    assert "Traceback" not in said
    done = int(re.search(r"^(\d+) trials", said, re.MULTILINE)[1])
    edit(copy / "params.yaml", "tune.trials", done + 3)
    assert run.repro("tune") == 0
    shown = capfd.readouterr().out
    assert f"{done + 3} trials" in shown
    assert "Stage 'train' didn't change" in shown
    assert trials(copy) == 0, "a finished search leaves nothing behind"


def trials(project):
    """Return how many trials of a search are on the disk, without those that were given up."""
    return len(list(project.glob("models/search/*/*.npz")))


def test_results_without_a_champion_are_released_again(copy, capfd):
    (copy / "models/champion").unlink()
    assert run.run() == 0
    assert ran(capfd) == ["release"]
    assert version(copy) == "2"


def test_a_table_of_an_address_is_collected_once(copy, edit, capfd, raw):
    with contextlib.closing(sqlite3.connect("shop.db")) as database:
        raw.to_sql("orders", database, index=False)
    edit(copy / "params.yaml", "collect.source", "sqlite:///shop.db#orders")
    run.watch("sqlite:///shop.db#orders")
    for expected in (["collect"], []):
        assert run.repro("collect") == 0
        assert ran(capfd) == expected


def test_a_stage_that_fails_leaves_the_earlier_results(copy, raw, command, capfd):
    before = (copy / "data/split/train.parquet").read_bytes(), version(copy)
    raw.drop(columns=raw.columns[0]).to_parquet(copy / "data/rows.parquet", index=False)
    assert command("run") == 2
    shown = capfd.readouterr()
    assert f"columns that were there are gone: {raw.columns[0]}" in shown.err
    assert "Traceback" not in shown.err
    assert ((copy / "data/split/train.parquet").read_bytes(), version(copy)) == before
