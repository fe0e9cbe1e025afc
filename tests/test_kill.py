"""Whatever instant `run` is killed at, the champion is whole or absent, and a rerun is green.

KILLS=50 in the environment tries more instants than CI does; KILLS_SEED chooses others.
"""

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from shrunk import begin_anew, finish, python, shrink, state

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "4"))
SEED = int(os.environ.get("KILLS_SEED", "1"))


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
