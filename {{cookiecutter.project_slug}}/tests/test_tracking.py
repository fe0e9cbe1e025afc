import json
import subprocess

import mlflow
import pandas as pd
import pytest
from released import start

from {{cookiecutter.project_slug}} import processes, tracking
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
    kept = {file.path for file in registered.list_artifacts(run.info.run_id)}
    assert {"metrics.json", "report_without_rows.html", "model_card.md", "figures"} <= kept
    assert "trials.csv" in kept
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
    assert loaded.predict(loaded.input_example) == champion.answers([row.values(example)])


RUN = f"""
import os, signal
from {tracking.__package__} import tracking
with tracking.run("train", dict(seed=1)) as run_id:
    print(run_id, flush=True)
    THEN
"""


def begin(folder, then="pass"):
    return start(folder, "-c", RUN.replace("THEN", then))


def test_the_run_of_a_killed_process_is_closed_by_the_next_one_and_no_other(
    registered, project, params
):
    killed, _ = begin(project, "os.kill(os.getpid(), signal.SIGKILL)").communicate()
    assert registered.get_run(killed.strip()).info.status == "RUNNING"
    with begin(project, "input()") as alive:
        going = alive.stdout.readline()
        tags = {**processes.tags(), "host": "another", "pid": "1"}
        elsewhere = registered.create_run(tracking.connect(), tags=tags).info.run_id
        with tracking.run("train", params.model_dump()) as mine:
            assert registered.get_run(killed.strip()).info.status == "KILLED"
            for other in (going.strip(), elsewhere, mine):
                assert registered.get_run(other).info.status == "RUNNING"
        alive.communicate("\n")
    assert registered.get_run(going.strip()).info.status == "FINISHED"


def test_processes_that_are_the_first_on_a_fresh_store_do_not_break_it(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project / 'fresh.db'}")
    several = [begin(project) for _ in range(3)]
    told = [process.communicate() for process in several]
    assert [process.returncode for process in several] == [0, 0, 0], told
    tracking.connect()
    for run_id, _ in told:
        assert mlflow.MlflowClient().get_run(run_id.strip()).info.status == "FINISHED"


def test_what_the_pipeline_writes_does_not_make_the_commit_a_dirty_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "x", "--allow-empty"], check=True)
    (tmp_path / "dvc.lock").touch()
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/metrics.json").touch()
    assert tracking.commit()["git_dirty"] == "false"


def test_the_registered_model_has_a_signature_an_example_and_its_verdict(registered, champion):
    number = champion.manifest["registered"]  # the alias is what other tests move
    version = registered.get_model_version(tracking.NAME, number)
    assert version.tags["verdict"] == "passed the gate"
    model = mlflow.models.get_model_info(f"models:/{tracking.NAME}/{number}")
    assert set(model.signature.inputs.input_names()) == set(champion.contract.features)
    assert model.saved_input_example_info


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
