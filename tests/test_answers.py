"""Any answers give a working project, or one sentence that refuses them and nothing on disk."""

from pathlib import Path

import pytest
from helpers import (
    Bake,
    Refusal,
    RunCookiecutter,
    as_typed,
    assert_is_a_project_with,
    assert_is_one_sentence_with_a_remedy,
    everything_in,
)
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

WELCOME = [
    "Zoë O'Neil", "\"quoted\" 'twice'", '"""', "'''", "back\\slash\\", "a # b: c - d", "{ } %",
    "{{ 7*7 }}", "{% if %}", "{# note", "😀 👩‍🔬", "مرحبا بالعالم", "日本語", "<b>&amp;",
    "$(id) `id`", "${{ x }}", "]]>", "\\u0041 \\N{DASH}", "\u202e\ufeff", "x" * 200,
]  # fmt: skip
UNWELCOME = ["\x00", "\n", "\r\n", "\t", "\x1b[31m", "\x85", "\u2028", "\ud800", "x" * 201]

welcome = st.lists(st.sampled_from(WELCOME), min_size=1, max_size=3).map("".join)
anything = st.lists(
    st.sampled_from([*WELCOME, *UNWELCOME]) | st.text(st.characters(), max_size=5), max_size=4
).map("".join)
slug = st.from_regex("[a-z][a-z0-9_]{0,40}", fullmatch=True)


def answers_with(
    slug: st.SearchStrategy[str], text: st.SearchStrategy[str], email: st.SearchStrategy[str]
) -> st.SearchStrategy[dict[str, str]]:
    """Answers to some of the questions; the others keep their defaults."""
    texts = dict.fromkeys(("project_name", "description", "author_name"), text)
    return st.fixed_dictionaries(
        {}, optional={"project_slug": slug, "author_email": email, **texts}
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    answers=answers_with(slug, welcome, st.emails())
    | answers_with(slug | anything, welcome | anything, st.emails() | anything)
)
def test_any_answers_give_a_project_or_a_refusal(
    refusal: Refusal,
    tmp_path_factory: pytest.TempPathFactory,
    answers: dict[str, str],
) -> None:
    folder = tmp_path_factory.mktemp("any")
    output = folder / "output"
    output.mkdir()
    sentence = refusal(output, **{question: as_typed(text) for question, text in answers.items()})
    if sentence:
        event("refused")
        assert everything_in(folder) == {output: None}
        assert_is_one_sentence_with_a_remedy(sentence)
    else:
        event("accepted")
        (project,) = output.iterdir()
        assert list(folder.iterdir()) == [output]
        assert_is_a_project_with(project, **answers)


@pytest.mark.parametrize("text", WELCOME)
def test_any_text_that_prints_comes_out_as_it_went_in(bake: Bake, text: str) -> None:
    texts = dict.fromkeys(("project_name", "description", "author_name"), text)
    typed = {question: as_typed(answer) for question, answer in texts.items()}
    project = bake(project_slug="risk", **typed)
    assert_is_a_project_with(project, **texts)


def test_braces_that_are_typed_stay_as_they_are(
    run_cookiecutter: RunCookiecutter, tmp_path: Path
) -> None:
    braces = "{{ 7*7 }} {% if %} {#"
    run_cookiecutter(tmp_path, typed=f"{braces}\nbraces\n{braces}\n{braces}\n\n\n\n\n")
    assert_is_a_project_with(
        tmp_path / "braces", project_name=braces, description=braces, author_name=braces
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        *[("project_name", f"a{text}b") for text in UNWELCOME],
        *[("description", f"a{text}b") for text in UNWELCOME],
        *[("author_name", f"a{text}b") for text in UNWELCOME],
        *[("project_name", ""), ("project_name", "  "), ("author_name", "")],
        *[("author_email", "you@example.com" + text) for text in UNWELCOME],
        *[("author_email", email) for email in ("", "nobody", "a b@c.de", "a@b@c", "a..b@c.de")],
        *[("author_email", email) for email in ("<a@b.c>", '"@b.c', "a@b.", "jörg@example.com")],
    ],
    ids=ascii,
)
def test_refuses_a_text(refusal: Refusal, tmp_path: Path, question: str, answer: str) -> None:
    sentence = refusal(tmp_path, **{question: answer})
    assert sentence and sentence.startswith(f"{question} ")
    assert_is_one_sentence_with_a_remedy(sentence)
    assert not everything_in(tmp_path)


def test_refuses_a_choice_that_is_not_offered(bake: Bake, tmp_path: Path) -> None:
    for question in ("example", "ci", "license"):
        with pytest.raises(ValueError, match="choices are"):
            bake(tmp_path, **{question: "other"})
    assert not everything_in(tmp_path)


@pytest.mark.parametrize(
    "answer",
    ["project_slug=a/b", "project_slug=..", "project_slug=", "project_slug=class",
     "project_slug=mlflow", "project_slug=a\udcff", "description=two\nlines", "author_email=me"],
)  # fmt: skip
def test_the_command_line_refuses_in_one_sentence(
    run_cookiecutter: RunCookiecutter, tmp_path: Path, answer: str
) -> None:
    output = tmp_path / "output"
    done = run_cookiecutter(output, answer, "--no-input")
    assert done.returncode == 1
    # What cookiecutter itself logs about a hook that exits with 1 goes to standard output.
    assert_is_one_sentence_with_a_remedy(done.stderr)
    assert not everything_in(output)


def test_leaves_an_existing_folder_untouched(
    run_cookiecutter: RunCookiecutter, tmp_path: Path
) -> None:
    project = tmp_path / "risk"
    project.mkdir()
    (project / "README.md").write_text("mine")
    done = run_cookiecutter(tmp_path, "project_slug=risk", "--no-input")
    assert done.returncode == 1
    assert "already exists" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert everything_in(tmp_path) == {project: None, project / "README.md": b"mine"}
