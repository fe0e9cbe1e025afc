import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from {{cookiecutter.project_slug}} import files, tracking

# One of each kind: exact, of one tree, of many, iterated from a random start.
FAMILIES = ["dummy", "linear", "tree", "boosting", "forest", "mlp"]
PROGRAM = f"""
import numpy as np, pandas as pd
from {tracking.NAME} import bundle, files
from {tracking.NAME}.config import Params
from {tracking.NAME}.folds import Rows
from {tracking.NAME}.stages import collect, evaluate, preprocess, train, tune
for stage in (collect, preprocess, train, tune):
    stage.main()
params, candidate = Params.load(), bundle.load(files.CANDIDATE)
learned, test = pd.read_parquet(files.TRAIN), pd.read_parquet(files.TEST)
rows = Rows.of(test, candidate.contract)
said = dict(
    (family, evaluate.simple(family, learned, rows, candidate.contract, params).values)
    for family in params.train.models
)
np.savez("said.npz", candidate=candidate.score_table(test).values, **said)
"""
MACHINES = (
    {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"},
    {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "America/New_York"},
)


@pytest.fixture(scope="module")
def made(bare, edit, tmp_path_factory):
    """What two runs from the same data and seed made, on machines that differ."""
    found = []
    for workers, machine in enumerate(MACHINES, start=1):
        project = shutil.copytree(bare, tmp_path_factory.mktemp("machine") / "project")
        edit(project / "params.yaml", "compute.workers", workers)
        edit(project / "params.yaml", "train.models", FAMILIES)
        edit(project / "params.yaml", "tune.prefer", "balanced")  # which looks at costs, too
        environment = {**os.environ, **machine, "PYTHONPATH": str(project / "src")}
        subprocess.run([sys.executable, "-c", PROGRAM], cwd=project, env=environment, check=True)
        found.append(project)
    return found


def test_the_split_is_the_same_on_every_machine(made):
    for path in (files.TRAIN, files.TEST):
        assert files.sha256(made[0] / path) == files.sha256(made[1] / path)


def test_the_model_is_the_same_on_every_machine(made):
    golden = [(project / files.CANDIDATE / "golden.json").read_bytes() for project in made]
    assert golden[0] == golden[1]
    told = [json.loads((p / files.CANDIDATE / "manifest.json").read_text()) for p in made]
    for key in ("model", "members", "cross_validated", "data", "scorer"):
        assert told[0][key] == told[1][key]


@pytest.mark.parametrize("model", ["candidate", *FAMILIES])
def test_the_predictions_of_all_test_rows_are_the_same_on_every_machine(made, model):
    said = [np.load(project / "said.npz")[model] for project in made]
    assert len(said[0]) > 50
    np.testing.assert_array_equal(said[0], said[1])
