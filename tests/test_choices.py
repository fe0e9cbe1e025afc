"""A project holds what was chosen and nothing of what was not."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers import EXAMPLES, TEMPLATE, Bake

FOLDER = TEMPLATE / "{{cookiecutter.project_slug}}" / "examples"


@pytest.mark.parametrize("example", EXAMPLES)
def test_only_the_chosen_example_is_left(bake: Bake, example: str) -> None:
    project = bake(example=example)
    assert not (project / "examples").exists()
    chosen = [path for path in (FOLDER / example).rglob("*") if path.is_file()]
    assert chosen
    for path in chosen:
        place = project / path.relative_to(FOLDER / example)
        if path.name == "engineered.py":
            place = project / "src" / project.name / "features" / path.name
        assert place.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("ci", "kept", "dropped"),
    [("github", ".github", ".gitlab-ci.yml"), ("gitlab", ".gitlab-ci.yml", ".github")],
)
def test_only_the_files_of_the_chosen_ci_are_left(
    bake: Bake, ci: str, kept: str, dropped: str
) -> None:
    project = bake(ci=ci)
    assert (project / kept).exists()
    assert not (project / dropped).exists()


@pytest.mark.parametrize(
    ("license", "title", "expression"),
    [
        ("MIT", "MIT License", "MIT"),
        ("BSD-3-Clause", "BSD 3-Clause License", "BSD-3-Clause"),
        ("Apache-2.0", "Apache License", "Apache-2.0"),
        ("Proprietary", "Proprietary licence", "LicenseRef-Proprietary"),
    ],
)
def test_the_licence_is_the_chosen_one(
    bake: Bake, license: str, title: str, expression: str
) -> None:
    project = bake(license=license, author_name="Ada Lovelace")
    text = (project / "LICENSE").read_text("utf-8")
    assert text.strip().startswith(title)
    assert re.search(rf"Copyright (\(c\) )?{datetime.now(UTC).year} Ada Lovelace", text)
    assert f'license = "{expression}"' in (project / "pyproject.toml").read_text("utf-8")


def test_the_project_is_a_git_repository_without_commits(bake_default: Path) -> None:
    status = subprocess.run(
        ["git", "status", "--short", "--branch"],
        cwd=bake_default, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert status.startswith("## No commits yet on main\n")


def test_a_git_hook_that_bakes_keeps_its_own_repository(
    bake: Bake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    assert (bake() / ".git").is_dir()
    assert not (tmp_path / "other").exists()


def test_a_project_needs_no_git(
    bake: Bake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    project = bake()
    assert not (project / ".git").exists()
    assert "git init" in capfd.readouterr().err
