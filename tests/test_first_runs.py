"""Several people, or an impatient one, start the first run of a project at once."""

from pathlib import Path

import pytest
from helpers import Bake
from shrunk import finish, python, shrink, state

pytestmark = pytest.mark.slow


def test_of_three_first_runs_at_once_one_releases_and_the_others_are_told(
    bake: Bake, environment: Path
) -> None:
    fresh = bake(project_slug="technology_project", example="technology")
    (fresh / ".venv").symlink_to(environment)
    shrink(fresh)
    three = [python(fresh, "-m", fresh.name, "run") for _ in range(3)]
    told = [process.communicate()[0] for process in three]
    codes = [process.returncode for process in three]
    assert 0 in codes, told
    # The others either met the first, or came late and found the work done.
    for code, said in zip(codes, told, strict=True):
        assert code == 0 or (code == 2 and "another run is at work" in said), said
        assert "Traceback" not in said
    found = state(fresh)
    assert found["champion"] == found["registered"] == found["history"] == found["alias"] == "1"
    assert (found["verdicts"], found["running"]) == (["passed the gate"], 0)
    assert not found["unfinished"]
    finish(fresh)
    assert state(fresh) == found
