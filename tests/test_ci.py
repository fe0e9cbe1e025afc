"""A project's CI is well formed, needs nothing but the project, and runs what people can run."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from helpers import TEMPLATE, Bake
from pushed import GITHUB, GITLAB, SETUP, commands, commit, every_command, run, sections

FILES = {"github": GITHUB, "gitlab": GITLAB}
providers = pytest.mark.parametrize("ci", FILES)


@pytest.mark.parametrize(
    ("ci", "schema"), [("github", "vendor.github-workflows"), ("gitlab", "vendor.gitlab-ci")]
)
def test_the_provider_understands_the_file(bake: Bake, ci: str, schema: str) -> None:
    assert_follows(schema, bake(ci=ci) / FILES[ci])


def test_github_understands_the_file_of_the_template() -> None:
    assert_follows("vendor.github-workflows", TEMPLATE / GITHUB)


def assert_follows(schema: str, file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@providers
def test_the_file_is_not_rendered(bake: Bake, ci: str) -> None:
    original = TEMPLATE / "{{cookiecutter.project_slug}}" / FILES[ci]
    assert (bake(ci=ci) / FILES[ci]).read_bytes() == original.read_bytes()


@providers
def test_it_checks_tests_and_runs_the_pipeline(bake: Bake, ci: str) -> None:
    check, test, pipeline, summary = commands(bake(ci=ci))
    assert [check, test, pipeline] == ["make check", "make test", "make run"]
    assert re.findall(r"^ *\.venv/bin/(dvc \w+)", summary, re.MULTILINE) == [
        "dvc metrics",
        "dvc params",
    ]


def test_a_bare_container_is_set_up_by_known_commands_alone(bake: Bake) -> None:
    assert [line for line in every_command(bake(ci="gitlab")) if line in SETUP] == SETUP


@providers
def test_it_needs_no_secret(bake: Bake, ci: str) -> None:
    text = (bake(ci=ci) / FILES[ci]).read_text("utf-8")
    assert not re.search(r"secrets\.|token|password|_KEY", text, re.IGNORECASE)


@providers
def test_no_job_runs_for_ever(bake: Bake, ci: str) -> None:
    first, *others = sections(bake(ci=ci))
    for section in [first, *others] if ci == "github" else [first]:
        assert section.keys() & {"timeout", "timeout-minutes"}


@pytest.mark.parametrize("place", ["project", "template"])
def test_actions_are_githubs_own_and_may_only_read(bake_default: Path, place: str) -> None:
    root = {"project": bake_default, "template": TEMPLATE}[place]
    text = (root / GITHUB).read_text("utf-8")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    actions = re.findall(r"uses: (.*)", text)
    assert actions
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in actions)


@providers
def test_it_tries_each_python_that_the_project_is_for(bake: Bake, ci: str) -> None:
    project = bake(ci=ci)
    (tried,) = re.findall(r"(?:python|PYTHON): \[(.*)\]", (project / FILES[ci]).read_text("utf-8"))
    (first,) = re.findall(
        r'requires-python = ">=(.*)"', (project / "pyproject.toml").read_text("utf-8")
    )
    versions = [version.strip('"') for version in tried.split(", ")]
    assert versions[0] == first
    assert versions == [f"3.{minor}" for minor in range(11, 11 + len(versions))]
    assert len(versions) >= 4


@pytest.mark.slow
@providers
def test_a_pull_request_shows_what_it_changes(
    bake: Bake, project: Callable[[str], Path], environment: Path, tmp_path: Path, ci: str
) -> None:
    there = bake(tmp_path, ci=ci, example="healthcare")
    (there / ".venv").symlink_to(environment)
    ran = project("healthcare")
    shutil.copytree(ran / "reports", there / "reports", dirs_exist_ok=True)
    shutil.copy(ran / "dvc.lock", there)
    (summary,) = [command for command in commands(there) if "dvc metrics diff" in command]

    base = commit(there)
    results = there / "reports" / "metrics.json"
    results.write_text(json.dumps(json.loads(results.read_text("utf-8")) | {"rows": 7}))
    params = there / "params.yaml"
    params.write_text(params.read_text("utf-8").replace("seconds: 30", "seconds: 5"))
    commit(there)

    done = run(summary, there, base)
    assert done.returncode == 0, done.stdout
    rows = (there / "reports" / "changes.md").read_text("utf-8").splitlines()
    (heading, *changed), (other, *turned) = (
        [row for row in part if row.startswith(("## ", "| rows", "| tune"))]
        for part in (rows[: rows.index("", 1)], rows[rows.index("", 1) :])
    )
    assert heading.startswith("## Metrics") and len(changed) == 1 and "| 7 " in changed[0]
    assert other.startswith("## Parameters") and len(turned) == 1 and "tune.seconds" in turned[0]


@pytest.mark.slow
@providers
def test_a_target_branch_without_results_is_no_failure(
    bake: Bake, environment: Path, tmp_path: Path, ci: str
) -> None:
    there = bake(tmp_path, ci=ci)
    (there / ".gitignore").write_text("*\n")
    empty = commit(there)
    (there / ".venv").symlink_to(environment)
    (there / "reports").mkdir()
    (summary,) = [command for command in commands(there) if "dvc metrics diff" in command]
    done = run(summary, there, empty)
    assert done.returncode == 0, done.stdout
    assert "tune.seconds" in (there / "reports" / "changes.md").read_text("utf-8")
