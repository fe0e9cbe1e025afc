"""A slug is derived from the name, and refused where no project could work under it."""

import re
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config
from helpers import (
    TEMPLATE,
    Bake,
    Refusal,
    as_typed,
    assert_is_one_sentence_with_a_remedy,
    everything_in,
)
from hypothesis import given, settings
from hypothesis import strategies as st

REFUSED = {
    "that is empty": "",
    "with a hyphen": "my-project",
    "with a space": "my project",
    "with quotes": 'a"""b',
    "with a backslash": "a\\b",
    "with a line break": "a\nb",
    "with a null byte": "a\0b",
    "with half a surrogate pair": "a\udcff",
    "beginning with a digit": "123go",
    "beginning with an underscore": "_risk",
    "ending in an underscore": "risk_",
    "in upper case": "Risk",
    "beyond ASCII": "größe",
    "of 41 characters": "a" * 41,
    "of 300 characters": "a" * 300,
    "that is a keyword": "class",
    "that is a soft keyword": "match",
    "that is a soft keyword of a later Python": "type",
    "of a standard module": "json",
    "of a standard module of an earlier Python": "distutils",
    "of an installed package": "mlflow",
    "of an import name that differs from the package's": "sklearn",
    "of another import name": "yaml",
    "of a package that differs from its import name": "scikit_learn",
    "that a package index reads as an installed name": "scikit__learn",
    "of a package installed on Windows": "waitress",
    "of the folder tests": "tests",
    "of the folder src": "src",
    "of the folder data": "data",
    "of the folder models": "models",
    "that is a path": "a/b",
    "that is a path into an existing folder": "theirs/b",
    "that is an existing folder by another name": "./theirs",
    "that leads outside": "../x",
    "that leads to a neighbour": "../neighbour",
    "that is an absolute path": "/tmp/absolute_path_of_a_refused_slug",
    "of the output folder": ".",
    "of its parent": "..",
    "on another drive": "C:\\x",
}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder that holds somebody's files, next to others."""
    for folder in ("neighbour", "output/theirs", "output/docs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "notes.txt").write_text("theirs")
    return tmp_path / "output"


@pytest.mark.parametrize("slug", REFUSED.values(), ids=REFUSED)
def test_refuses_a_slug(refusal: Refusal, output: Path, slug: str) -> None:
    before = everything_in(output.parent)
    sentence = refusal(output, project_slug=slug)
    assert sentence and sentence.startswith("project_slug ")
    assert_is_one_sentence_with_a_remedy(sentence)
    assert everything_in(output.parent) == before
    assert not Path("/tmp/absolute_path_of_a_refused_slug").exists()


@pytest.mark.parametrize("slug", [".", "..", "theirs/", "../neighbour", "docs"])
def test_refuses_a_slug_even_when_told_to_overwrite(bake: Bake, output: Path, slug: str) -> None:
    before = everything_in(output.parent)
    with pytest.raises(FailedHookException):
        bake(output, overwrite=True, project_slug=slug)
    assert everything_in(output.parent) == before


@pytest.mark.parametrize("slug", ["r", "risk2", "a__b", "a" * 40, "json_", "mlflow2", "heart"])
def test_the_remedy_for_a_slug_is_accepted(refusal: Refusal, tmp_path: Path, slug: str) -> None:
    sentence = refusal(tmp_path / "first", project_slug=slug)
    if sentence:
        (remedy,) = re.findall(r"such as '(\w+)'", sentence)
        assert not refusal(tmp_path / "second", project_slug=remedy)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Heart Disease Risk", "heart_disease_risk"),
        ("3D Printing", "project_3d_printing"),
        ("Größe & Gewicht", "grosse_gewicht"),
        ("😀", "my_project"),
        ("9" * 60, "project_" + "9" * 32),
    ],
)
def test_a_slug_is_derived_from_the_name(bake: Bake, name: str, slug: str) -> None:
    assert bake(project_name=name).name == slug


@settings(max_examples=100, deadline=None)
@given(name=st.text(st.characters(), max_size=60) | st.text("0aZ _-&#;é日", max_size=60))
def test_the_slug_derived_from_any_name_is_well_formed(name: str) -> None:
    context = generate_context(
        str(TEMPLATE / "cookiecutter.json"), extra_context={"project_name": as_typed(name)}
    )
    slug = prompt_for_config(context, no_input=True)["project_slug"]
    assert re.fullmatch("[a-z]([a-z0-9_]{,38}[a-z0-9])?", slug)
