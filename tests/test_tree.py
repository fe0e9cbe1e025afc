"""Every combination of choices gives exactly the files it should, complete, parsed and clean."""

import itertools
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from helpers import TEMPLATE, Bake, everything_in

CHOICES = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
COMBINATIONS = list(itertools.product(CHOICES["example"], CHOICES["ci"], CHOICES["license"]))
DATA = {
    "healthcare": "heart_disease.csv",
    "finance": "credit_default.csv",
    "ecommerce": "bike_rentals.csv",
    "technology": "hpc_jobs.csv",
}
FILES_OF_CI = {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml"}
LONGEST_SLUG = "a_name_that_is_as_long_as_a_name_can_be_"[:39] + "x"
FILES = [
    ".dockerignore",
    ".dvc/.gitignore",
    ".dvc/config",
    ".dvcignore",
    ".gitignore",
    ".pre-commit-config.yaml",
    "LICENSE",
    "Makefile",
    "README.md",
    "contract.yaml",
    "data/README.md",
    "deploy/Dockerfile",
    "dvc.yaml",
    "params.yaml",
    "pyproject.toml",
    "requirements-serve.lock",
    "requirements-uv.lock",
    "requirements.lock",
]
MODULES = [
    "__init__",
    "__main__",
    "adopt",
    "arithmetic",
    "artefact",
    "assembly",
    "association",
    "behaviour",
    "blending",
    "budget",
    "bundle",
    "calibration",
    "candidates",
    "combination",
    "checks",
    "comparison",
    "compute",
    "config",
    "contract/__init__",
    "contract/arrow",
    "contract/batch",
    "contract/cells",
    "contract/definition",
    "contract/inference",
    "contract/row",
    "contract/table",
    "contract/texts",
    "deadline",
    "diagnosis",
    "ensemble",
    "errors",
    "estimators/__init__",
    "estimators/boosting",
    "estimators/coded",
    "estimators/extra_boosting",
    "estimators/forest",
    "estimators/neighbors",
    "estimators/network",
    "estimators/residual_boosting",
    "estimators/spline",
    "estimators/target",
    "fairness",
    "features/__init__",
    "features/encoder",
    "features/encoding",
    "features/engineered",
    "features/selection",
    "files",
    "folds",
    "gate",
    "importance",
    "interruption",
    "learning",
    "lineage",
    "metrics",
    "models/__init__",
    "models/catalogue",
    "models/family",
    "plots/__init__",
    "plots/canvas",
    "plots/findings",
    "plots/predictions",
    "plots/search",
    "predict",
    "predictions",
    "probe",
    "processes",
    "profile",
    "reference",
    "report",
    "rollback",
    "run",
    "scorer/__init__",
    "scorer/answers",
    "scorer/compilation",
    "scorer/graph",
    "scorer/kernels",
    "scorer/layout",
    "scorer/masks",
    "scorer/parity",
    "scorer/rows",
    "scorer/scorer",
    "scorer/storage",
    "score",
    "search",
    "serving/__init__",
    "serving/__main__",
    "serving/app",
    "serving/connection",
    "serving/explanation",
    "serving/following",
    "serving/gateway",
    "serving/inference",
    "serving/invocations",
    "serving/logs",
    "serving/messages",
    "serving/pages",
    "serving/plain",
    "serving/sending",
    "serving/served",
    "serving/settings",
    "serving/tables",
    "serving/telemetry",
    "serving/tensors",
    "serving/together",
    "slices",
    "sources/__init__",
    "sources/address",
    "sources/database",
    "sources/delimited",
    "sources/formats",
    "sources/outputs",
    "sources/remote",
    "stages/__init__",
    "stages/collect",
    "stages/evaluate",
    "stages/preprocess",
    "stages/release",
    "stages/train",
    "stages/tune",
    "suspicion",
    "tracking",
    "understanding",
    "verdicts",
    "versions",
]
PAGE = [
    "answer.js",
    "batch.js",
    "cells.js",
    "csv.js",
    "dom.js",
    "form.js",
    "index.html",
    "script.js",
    "server.js",
    "style.css",
]
TESTS = sorted(
    path.name for path in (TEMPLATE / "{{cookiecutter.project_slug}}" / "tests").glob("*.py")
)


def files_of(project: Path) -> Iterator[Path]:
    """The files of a baked project, without git's own."""
    for path in everything_in(project):
        if path.is_file() and ".git" not in path.relative_to(project).parts:
            yield path


@pytest.mark.parametrize(("example", "ci", "license"), COMBINATIONS)
def test_every_combination_is_complete_and_clean(
    bake: Bake, example: str, ci: str, license: str
) -> None:
    project = bake(project_slug="tried", example=example, ci=ci, license=license)
    found = {str(path.relative_to(project)) for path in files_of(project)}
    assert found == {
        *FILES,
        f"data/{DATA[example]}",
        FILES_OF_CI[ci],
        *(f"src/tried/{module}.py" for module in MODULES),
        *(f"src/tried/serving/page/{name}" for name in PAGE),
        "src/tried/templates/model_card.md",
        "src/tried/templates/profile.html",
        "src/tried/templates/report.html",
        *(f"tests/{name}" for name in TESTS),
    }
    assert_nothing_is_left_of_the_template(project)
    assert_every_file_parses(project)
    assert_ruff_is_content(project)


def test_the_longest_slug_is_as_clean(bake: Bake) -> None:
    project = bake(project_slug=LONGEST_SLUG)
    assert len(project.name) == 40
    assert_ruff_is_content(project)


def assert_nothing_is_left_of_the_template(project: Path) -> None:
    for path in files_of(project):
        text = path.read_text("utf-8")
        assert "cookiecutter" not in text.replace("cookiecutter-ml-engineer", ""), path
        if path.parts[-2] not in ("templates", "workflows"):
            assert "{%" not in text and "{{" not in text, path


def assert_every_file_parses(project: Path) -> None:
    for path in files_of(project):
        text = path.read_text("utf-8")
        if path.suffix in (".yaml", ".yml"):
            yaml.safe_load(text)
        elif path.suffix == ".toml":
            tomllib.loads(text)
        elif path.suffix == ".json":
            json.loads(text)
        elif path.suffix == ".py":
            compile(text, path, "exec")


def assert_ruff_is_content(project: Path) -> None:
    for command in (["check"], ["format", "--check"]):
        ruff = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=project, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ruff.returncode == 0, ruff.stdout + ruff.stderr


def test_the_examples_differ_only_in_what_is_about_their_data(bake: Bake) -> None:
    projects = [bake(project_slug="tried", example=example) for example in DATA]
    sources = [
        {
            str(path.relative_to(project)): path.read_bytes()
            for path in files_of(project)
            if path.suffix == ".py" and path.name != "engineered.py"
        }
        for project in projects
    ]
    assert all(source == sources[0] for source in sources)


def test_there_is_no_jinja_in_the_python_of_the_template_but_the_imports_of_its_tests() -> None:
    for path in (TEMPLATE / "{{cookiecutter.project_slug}}").rglob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            assert "{%" not in line, path
            if "{{" in line:
                assert path.parent.name == "tests" and line.startswith("from {{cookie"), path


def test_the_template_is_checked_by_the_same_ruff_as_the_project() -> None:
    locks = [TEMPLATE, TEMPLATE / "{{cookiecutter.project_slug}}"]
    texts = [(folder / "requirements.lock").read_text("utf-8") for folder in locks]
    versions = [next(x for x in text.splitlines() if x.startswith("ruff==")) for text in texts]
    assert versions[0] == versions[1]


def test_the_locks_name_hashes_and_no_addresses() -> None:
    for lock in (TEMPLATE / "{{cookiecutter.project_slug}}").glob("requirements*.lock"):
        text = lock.read_text("utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text and "--index-url" not in text and "--find-links" not in text
