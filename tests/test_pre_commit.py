"""What `make check` would refuse is not committed, and nothing is fetched to find it out."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from helpers import Bake
from pushed import commit, surroundings

CONFIG = Path(".pre-commit-config.yaml")


def test_the_hooks_are_the_tools_of_make_check(bake_default: Path) -> None:
    (repository,) = yaml.safe_load((bake_default / CONFIG).read_text("utf-8"))["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    tools = [
        hook["entry"].removeprefix(".venv/bin/").partition(" --")[0]
        for hook in repository["hooks"]
        if hook["entry"].startswith(".venv/bin/")
    ]
    _, _, rest = (bake_default / "Makefile").read_text("utf-8").partition("\ncheck: ")
    checked = re.findall(r"^\t(\w+(?: \w+)?)", rest.partition("\n\n")[0], re.MULTILINE)
    assert tools == checked


@pytest.fixture
def committed(bake: Bake, environment: Path, tmp_path: Path) -> Path:
    """A project that is committed as it was generated."""
    project = bake(tmp_path, project_slug="risk")
    commit(project)
    (project / ".venv").symlink_to(environment)
    return project


def pre_commit(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the hooks, without what the user's other projects have installed."""
    return subprocess.run(
        [".venv/bin/pre-commit", "run", *arguments],
        cwd=project, env=surroundings() | {"PRE_COMMIT_HOME": str(project.parent / "hooks")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_new_project_passes(committed: Path) -> None:
    done = pre_commit(committed, "--all-files")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed") == 4


@pytest.mark.slow
def test_each_hook_stops_what_it_is_for(committed: Path) -> None:
    careless = committed / "src" / "risk" / "careless.py"
    careless.write_text('"""Careless."""\n\nimport os\n\nnumber: int  =  "one"\n')
    (committed / "large file.bin").write_bytes(bytes(1024 * 1024 + 1))
    (committed / "small.bin").write_bytes(bytes(1024 * 1024))
    subprocess.run(["git", "add", "--all"], cwd=committed, env=surroundings(), check=True)
    done = pre_commit(committed)
    assert done.returncode == 1
    assert done.stdout.count("Failed\n") == 4, done.stdout
    assert careless.read_text() == '"""Careless."""\n\nnumber: int = "one"\n'
    assert "careless.py:3: error: Incompatible types" in done.stdout
    assert "large file.bin" in done.stdout and "small.bin" not in done.stdout
