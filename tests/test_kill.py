"""Whatever instant `run` is killed at, the champion is whole or absent, and a rerun is green.

KILLS=50 in the environment tries more instants than CI does; KILLS_SEED chooses others.
"""

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "4"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
ROWS = 600
SMALL = {
    "seconds: 30": "trials: 3",
    "  # models: .*": "  models: [dummy, linear]",
    "resamples: 1000": "resamples: 100",
    "max_shrink: 0.5": "max_shrink: 1",
    "max_loss_to_champion: 0.1": "max_loss_to_champion: 10",
    "max_slice_gap: 0.6": "max_slice_gap: 10",
    "min_metric: 0.8": "min_metric: 10",
    "max_calibration_error: 0.1": "max_calibration_error: 1",
}

# Prints the version of the champion and those that the history, the registry and MLflow have.
STATE = """
import json, sys
from {slug} import bundle, files, tracking, versions
champion = bundle.load(files.CHAMPION).manifest if files.CHAMPION.exists() else None
tracking.connect()
client = tracking.mlflow.MlflowClient()
models = client.search_registered_models()
runs = client.search_runs([tracking.connect()], "attributes.status = 'RUNNING'")
lines = versions.history()
print(json.dumps(dict(
    champion=champion and champion["version"], registered=champion and champion["registered"],
    history=lines[-1]["version"] if lines else None, unfinished=versions.unfinished(),
    alias=str(models[0].aliases.get("champion")) if models else None, running=len(runs),
)))
"""


@pytest.fixture(scope="module", params=["technology"])
def small(
    request: pytest.FixtureRequest,
    project: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project that has been run, copied and given little to do; its source comes first."""
    origin = project(request.param)
    folder = tmp_path_factory.mktemp("killed") / origin.name
    shutil.copytree(origin, folder, symlinks=True)
    shrink(folder)
    return folder


def shrink(project: Path) -> None:
    """Give a project few rows, one family of models and a wide gate."""
    params = project / "params.yaml"
    text = params.read_text()
    for pattern, value in SMALL.items():
        assert re.search(pattern, text), pattern
        text = re.sub(pattern, value, text)
    params.write_text(text)
    data = table(project)
    header, *rows = data.read_text().splitlines(keepends=True)
    data.write_text("".join([header, *rows[:: len(rows) // ROWS]]))


def table(project: Path) -> Path:
    return next((project / "data").glob("*.csv"))


def python(project: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start Python in a process group of its own."""
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    environment["PATH"] = f"{project / '.venv/bin'}{os.pathsep}{environment['PATH']}"
    return subprocess.Popen(
        [str(project / ".venv/bin/python"), *arguments],
        cwd=project, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def finish(project: Path) -> None:
    ran = python(project, "-m", project.name, "run")
    told, _ = ran.communicate()
    assert ran.returncode == 0, told


def state(project: Path) -> Any:
    told, _ = python(project, "-c", STATE.format(slug=project.name)).communicate()
    assert told.startswith("{"), told
    return json.loads(told.splitlines()[0])


def begin_anew(project: Path) -> None:
    """Leave every stage something to do, the search too."""
    params = project / "params.yaml"
    text = params.read_text()
    trials = re.search(r"^  trials: (\d+)", text, re.MULTILINE)
    assert trials
    changed = text.replace(trials[0], f"  trials: {3 + (int(trials[1]) - 2) % 4}", 1)
    params.write_text(changed)
    data = table(project)
    lines = data.read_text().splitlines(keepends=True)
    data.write_text("".join(lines[:-1]))


def kill_after(project: Path, seconds: float) -> None:
    process = python(project, "-m", project.name, "run")
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_run_killed_at_any_instant_leaves_a_whole_champion_and_a_rerun_is_green(
    small: Path,
) -> None:
    finish(small)
    began = time.monotonic()
    begin_anew(small)
    finish(small)
    lasts = time.monotonic() - began
    instants = random.Random(SEED)
    for number in range(KILLS):
        begin_anew(small)
        after = instants.uniform(0.5, lasts)
        kill_after(small, after)
        where = f"kill {number} after {after:.2f} of {lasts:.1f} s"
        with sqlite3.connect(small / "mlflow.db") as store:
            assert store.execute("pragma integrity_check").fetchone() == ("ok",), where
        assert state(small)["champion"], where
        finish(small)
        found = state(small)
        assert found["champion"] == found["history"], where
        assert found["registered"] == found["alias"], where
        assert (found["unfinished"], found["running"]) == (False, 0), where
        left = [*small.glob("models/**/.*.scratch"), *small.glob("[dr]*/.*.scratch")]
        assert left == [], where
