import json
import subprocess

import mlflow
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import tracking
from {{cookiecutter.project_slug}}.contract import row


@pytest.fixture
def registered(project):
    tracking.connect()
    return mlflow.MlflowClient()


def test_nested_params_become_names_with_dots(params):
    flat = tracking.flatten(params.model_dump())
    assert flat["tune.trials"] == params.tune.trials
    assert flat["seed"] == params.seed


def test_a_run_keeps_params_metrics_and_files(registered, params, tmp_path):
    (tmp_path / "note.txt").write_text("kept")
    with tracking.run("train", params.model_dump()) as run_id:
        tracking.log_metrics({"score": 0.5})
        tracking.log_files([tmp_path / "note.txt"])
    run = registered.get_run(run_id)
    assert run.data.metrics == {"score": 0.5}
    assert run.data.params["train.folds"] == str(params.train.folds)
    assert run.data.tags["stage"] == "train"
    assert [file.path for file in registered.list_artifacts(run_id)] == ["note.txt"]


def test_a_run_is_resumed_or_begun_anew_when_it_is_not_known(registered, champion):
    with tracking.resume(champion.manifest["run_id"]) as known:
        pass
    with tracking.resume("0" * 32) as unknown:
        pass
    assert known == champion.manifest["run_id"]
    assert registered.get_run(unknown).info.status == "FINISHED"


def test_the_run_of_the_model_holds_its_search_its_results_and_its_data(
    registered, champion, params, finished
):
    run = registered.get_run(champion.manifest["run_id"])
    assert {f"cv_{params.metric}", f"test_{params.metric}"} <= set(run.data.metrics)
    assert {used.dataset.name for used in run.inputs.dataset_inputs} == {"train", "test"}
    trials = registered.search_runs(
        [run.info.experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    )
    listed = pd.read_csv(finished / "reports/trials.csv")
    assert sorted(t.data.params["parameters"] for t in trials) == sorted(listed["parameters"])


def test_the_registered_champion_gives_the_same_answers_through_mlflow(
    registered, champion, contract
):
    version = registered.get_model_version_by_alias(tracking.NAME, "champion")
    assert version.run_id == champion.manifest["run_id"]
    loaded = mlflow.pyfunc.load_model(f"models:/{tracking.NAME}@champion")
    example = row.row_model(contract).model_validate_json(json.dumps(row.example_row(contract)))
    assert loaded.predict(loaded.input_example) == champion.answers([example])


def test_a_server_that_does_not_answer_is_refused_by_its_variable(monkeypatch, refused):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://host")
    with refused("MLFLOW_TRACKING_URI", "nonsense://host"):
        tracking.connect()


def test_the_commit_is_known_in_a_repository_only(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    assert tracking.commit() == {}
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "x", "--allow-empty"], check=True)
    clean = tracking.commit()
    (tmp_path / "new").touch()
    assert len(clean["git_commit"]) == 40
    assert (clean["git_dirty"], tracking.commit()["git_dirty"]) == ("false", "true")
