"""What the READMEs tell people to type works, and what they point to is there."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import TEMPLATE, get, make, running, serving

SERVED = "http://localhost:8000"


def commands(readme: Path) -> list[str]:
    """The lines of the shell blocks of a README, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", readme.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def links(readme: Path) -> set[str]:
    """The files that a README links to."""
    found = re.findall(r"\]\(([^)#]+)\)", readme.read_text("utf-8"))
    return {link for link in found if "://" not in link}


def paths(readme: Path) -> set[str]:
    """What a README shows as code and is spelled like a path."""
    text = re.sub(r"^```.*?^```", "", readme.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", text)
    return {
        span for span in spans if re.fullmatch(r"[\w./-]*(/|\.(py|yaml|json|csv|db|html))", span)
    }


def test_the_template_readme_links_to_what_is_there() -> None:
    assert links(TEMPLATE / "README.md")
    for link in links(TEMPLATE / "README.md"):
        assert (TEMPLATE / link).is_file(), link


def test_contributing_names_what_is_there() -> None:
    named = paths(TEMPLATE / "CONTRIBUTING.md") - {"src/", "data/"}
    assert "scripts/demo.py" in named
    for path in named - {"params.yaml", "contract.yaml", "engineered.py"}:
        assert (TEMPLATE / path).exists(), path


@pytest.mark.parametrize("readme", ["README.md", "CONTRIBUTING.md"])
def test_the_make_targets_that_the_template_names_exist(readme: str) -> None:
    named = set(re.findall(r"`make ([a-z-]+)", (TEMPLATE / readme).read_text("utf-8")))
    # These are the generated project's.
    for target in named - {"run", "serve", "adopt"}:
        subprocess.run(["make", "--dry-run", target], cwd=TEMPLATE, check=True, capture_output=True)


def test_the_template_readme_tells_of_commands_that_the_tests_run() -> None:
    assert commands(TEMPLATE / "README.md") == [
        "make demo",  # below
        "pip install cookiecutter",  # the tests' own environment
        "cookiecutter .",  # test_slugs.py, with answers
        "make check",  # below
        "make test",  # what runs this
    ]


def test_make_check_is_content() -> None:
    make(TEMPLATE, "check")


@pytest.mark.slow
def test_make_demo_ends_with_a_prediction(tmp_path: Path, environment: Path) -> None:
    shown = make(TEMPLATE, "demo", f"OUT={tmp_path}", "ANSWERS=example=technology project_slug=hpc")
    assert '"probabilities"' in shown
    assert "reports/report.html" in shown
    assert (tmp_path / "hpc" / "reports" / "report.html").is_file()


@pytest.fixture(scope="module")
def followed(project: Callable[[str], Path]) -> Iterator[Path]:
    """A run project with a first commit, served where its README says, and its tools at hand."""
    healthcare = project("healthcare")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "add", "--all"], cwd=healthcare, check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "Start"], cwd=healthcare, check=True)
    with running(["make", "serve"], healthcare, f"{SERVED}/health/ready"):
        yield healthcare


@pytest.mark.slow
def test_every_command_of_the_projects_readme_works(followed: Path) -> None:
    told = commands(followed / "README.md")
    assert told[:2] == ["make run", "make serve"]
    tools = {**os.environ, "PATH": f"{followed / '.venv' / 'bin'}:{os.environ['PATH']}"}
    for command in told:
        if command == "make serve":  # it is up
            continue
        ran = subprocess.run(
            ["bash", "-c", command],
            cwd=followed, env=tools, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
        if command.startswith("curl"):
            assert '"probabilities"' in ran.stdout
    assert (followed / "scored.csv").is_file()


@pytest.mark.slow
def test_every_path_in_the_projects_readme_exists(followed: Path) -> None:
    readme = followed / "README.md"
    source = followed / "src" / followed.name
    assert links(readme) and paths(readme)
    written_by_adopt = {"reports/profile.html"}  # test_adopt.py
    for path in (links(readme) | paths(readme)) - written_by_adopt:
        assert (followed / path).exists() or (source / path).exists(), path


@pytest.mark.slow
def test_make_ui_shows_the_runs(followed: Path) -> None:
    with running(["make", "ui", "UI_PORT=5123"], followed, "http://localhost:5123/health"):
        found = get("http://localhost:5123/api/2.0/mlflow/registered-models/search?max_results=5")
    assert found["registered_models"][0]["name"] == followed.name


@pytest.mark.slow
@pytest.mark.parametrize("example", ["finance", "ecommerce", "technology"])
def test_the_request_in_the_readme_of_every_example_is_answered(
    project: Callable[[str], Path], example: str
) -> None:
    folder = project(example)
    curl = next(line for line in commands(folder / "README.md") if line.startswith("curl"))
    with serving(folder) as url:
        request = curl.replace(SERVED.removeprefix("http://"), url)
        shown = subprocess.run(["bash", "-c", request], capture_output=True, text=True, check=True)
    assert '"predictions"' in shown.stdout


@pytest.mark.slow
def test_a_copy_of_the_repository_without_git_tells_what_is_wrong(
    project: Callable[[str], Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project("healthcare"), copy, symlinks=True)
    (copy / "params.yaml").write_text("seed: much\n")
    said = make(copy, "run", code=2)
    assert "params.yaml: seed" in said
    assert "Traceback" not in said
