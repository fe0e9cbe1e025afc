"""Words that several tests use."""

import compileall
import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import yaml

TEMPLATE = Path(__file__).parents[1]

# What the fixtures of the same names are.
Bake = Callable[..., Path]
Refusal = Callable[..., str | None]
RunCookiecutter = Callable[..., subprocess.CompletedProcess[str]]


def as_typed(text: str) -> str:
    """cookiecutter renders the answers given with --no-input, unless they say that they are raw."""
    return "{% raw %}" + text + "{% endraw %}"


def everything_in(folder: Path) -> dict[Path, bytes | None]:
    """Each path below the folder with its content."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_is_one_sentence_with_a_remedy(text: str) -> None:
    fault, _, remedy = text.partition(": ")
    assert fault and remedy.endswith(".\n"), text
    assert text.count("\n") == 1, text


def assert_is_a_project_with(project: Path, **answers: str) -> None:
    """The project parses and compiles, and its files say what was answered."""
    described = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    author = described["authors"][0]
    told = {
        "project_slug": described["name"],
        "description": described["description"],
        "author_name": author["name"],
        "author_email": author["email"],
    }
    told["project_name"], _, rest = (
        (project / "README.md").read_text("utf-8").removeprefix("# ").partition("\n")
    )
    assert told == told | answers
    assert told["description"] in rest
    assert told["author_name"] in (project / "LICENSE").read_text("utf-8")
    for path in [*project.rglob("*.yml"), *project.rglob("*.yaml")]:
        yaml.safe_load(path.read_text("utf-8"))
    for path in project.rglob("*.json"):
        json.loads(path.read_text("utf-8"))
    assert compileall.compile_dir(project, quiet=1)
