import json
import os
import shutil
import subprocess
import sys

import pytest

from {{cookiecutter.project_slug}} import files, tracking

STAGES = ("collect", "preprocess", "train", "tune")
PROGRAM = "; ".join(
    ["import importlib"]
    + [f"importlib.import_module('{tracking.NAME}.stages.{stage}').main()" for stage in STAGES]
)
MACHINES = (
    {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"},
    {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "America/New_York"},
)


@pytest.fixture(scope="module")
def made(bare, edit, tmp_path_factory):
    """The candidates of two runs from the same data and seed, on machines that differ."""
    found = []
    for workers, machine in enumerate(MACHINES, start=1):
        project = shutil.copytree(bare, tmp_path_factory.mktemp("machine") / "project")
        edit(project / "params.yaml", "compute.workers", workers)
        store = {"MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db"}
        environment = {**os.environ, **machine, **store, "PYTHONPATH": str(project / "src")}
        subprocess.run([sys.executable, "-c", PROGRAM], cwd=project, env=environment, check=True)
        found.append(project)
    return found


def test_the_split_is_the_same_on_every_machine(made):
    for path in (files.TRAIN, files.TEST):
        assert files.sha256(made[0] / path) == files.sha256(made[1] / path)


def test_the_model_and_its_predictions_are_the_same_on_every_machine(made):
    golden = [(project / files.CANDIDATE / "golden.json").read_bytes() for project in made]
    assert golden[0] == golden[1]
    told = [json.loads((p / files.CANDIDATE / "manifest.json").read_text()) for p in made]
    for key in ("model", "members", "cross_validated", "data", "scorer"):
        assert told[0][key] == told[1][key]
