import dataclasses
import io
import json
from html import parser

import made_up
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import (
    bundle,
    folds,
    metrics,
    models,
    plots,
    report,
)
from {{cookiecutter.project_slug}}.contract import cells, definition
from {{cookiecutter.project_slug}}.stages import evaluate

SECTIONS = ["quality", "compared", "trust", "slices", "fairness", "behaviour", "reliance"]
SECTIONS += ["learning", "errors", "models", "lineage"]
CARD = ["Details", "Intended use", "Data", "Metrics", "Slices", "Fairness", "Limits"]
CARD += ["Ethical notes", "How to reproduce"]
BOARD = {"model": "tree", "mean": 0.5, "standard_error": 0.1, "fit_seconds": 1.0}
TRIAL = {**BOARD, "row_milliseconds": 1.0, "megabytes": 1.0, "chosen": True, "behind": 0.0}
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(parser.HTMLParser):
    """The ids, links, pictures, tables and headings of a page whose tags match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.pictures, self.texts = [], [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []
        self.pictures += [values] if tag == "img" else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(" ".join(data.split()))

    @property
    def text(self):
        return " ".join(self.texts)


def made(task, folder, params):
    """Return what evaluate finds out about a small model, and the facts."""
    contract, frame = made_up.every_type(task, 360)
    columns = contract.model_dump()["columns"]
    columns["colour"]["sensitive"] = True
    contract = definition.Contract.model_validate({"columns": columns})
    train, test = frame.iloc[:240].reset_index(drop=True), frame.iloc[240:].reset_index(drop=True)
    rows = folds.Rows.of(train, contract)
    fitted = models.build(models.MODELS["tree"], contract, task, 0).fit(rows.X, rows.y)
    candidate = bundle.save(
        folder / "candidate",
        made_up.ensemble_of(rows, fitted),
        contract,
        cells.rows_of_table(train.head(3), contract),
        model="tree",
        members=[{"model": "tree", "weight": 1.0, "parameters": {}}],
        run_id="a run",
    )
    chosen = params.model_copy(update={"task": task, "metric": next(iter(metrics.for_task(task)))})
    found = evaluate.evaluate(candidate, train, test, chosen)
    split = {"rows": 360, "invalid": 0, "without_target": 0, "duplicates": 0}
    facts = report.Facts(
        chosen,
        contract,
        candidate.manifest,
        pd.DataFrame([BOARD]),
        pd.DataFrame([{**TRIAL, "behind_error": 0.0}]),
        {**split, "train": 240, "test": 120},
        {"source": "rows_of_a.csv", "collected": "today", "sha256": "0" * 64},
    )
    return found, facts


@pytest.fixture(scope="module", params=made_up.TARGETS)
def reported(request, params, tmp_path_factory):
    found, facts = made(request.param, tmp_path_factory.mktemp("report"), params)
    pictures = {}
    with plots.style():
        drawn = evaluate.draw(found, facts.params, facts.leaderboard, facts.trials)
        for name, figure in drawn.items():
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png")
            pictures[name] = buffer.getvalue()
    return found, facts, pictures


def test_the_report_has_every_part_for_every_task(reported):
    found, facts, pictures = reported
    text = report.page(found, facts, pictures)
    page = Page(text)
    sections = [*SECTIONS[:3], "decisions", *SECTIONS[3:]]
    expected = sections if facts.params.task == "binary" else SECTIONS
    assert page.ids == ["summary", *expected]
    assert page.links == [f"#{name}" for name in expected]
    assert len(page.pictures) == len(pictures)
    assert all(p["alt"] and p["src"].startswith("data:image/png;base64,") for p in page.pictures)
    assert "//" not in text.replace("base64,//", "").split("<body>")[0]
    for metric in metrics.for_task(facts.params.task).values():
        assert metric.title in page.text
    for one in found.results["slices"]:
        assert f"{one['column']}: {one['slice']}" in page.text
    for word in ("colour", "row order", "tree", "a run", "Clopper-Pearson", "rows_of_a.csv"):
        assert word in page.text


def test_the_copy_that_leaves_the_project_has_no_rows_and_says_where_they_are(reported):
    found, facts, pictures = reported
    whole = Page(report.page(found, facts, pictures))
    copy = Page(report.page(report.without_rows(found), facts, pictures))
    text = found.worst["note"].dropna().iloc[0]
    assert text in whole.text and text not in copy.text
    assert "reports/report.html of the project" in copy.text
    assert copy.ids == whole.ids


def test_the_report_is_small_and_needs_no_other_file(reported):
    text = report.page(*reported)
    assert len(text) < 3_000_000
    assert "<script" not in text and "<link" not in text and "url(" not in text
    assert "@media print" in text and "max-width: 45rem" in text


def test_the_model_card_has_every_section_and_marks_what_the_owner_must_write(reported):
    found, facts, _ = reported
    card = report.card(found, facts)
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == CARD
    intended = card.partition("## Intended use")[2].partition("## Data")[0]
    assert intended.count("> To be written by the owner: ") == 2
    assert card.count("> To be written by the owner: ") == 5
    for name in facts.contract.columns:
        assert name in card
    for words in ("make run", "0" * 64, f"Seed: {facts.params.seed}", "colour", "`rows_of_a.csv`"):
        assert words in card


def test_the_tables_of_the_model_card_have_as_many_cells_in_each_row(reported):
    found, facts, _ = reported
    columns = {**facts.contract.columns}
    columns["colour"] = columns["colour"].model_copy(update={"description": "a | b\nc"})
    contract = facts.contract.model_copy(update={"columns": columns})
    card = report.card(found, dataclasses.replace(facts, contract=contract))
    width = None
    for line in card.splitlines():
        cells_of = line.replace("\\|", "").count("|") if line.startswith("|") else None
        assert None in (width, cells_of) or cells_of == width, line
        width = cells_of


def test_text_from_the_data_cannot_become_markup(reported):
    found, facts, pictures = reported
    bad = "<script>alert(1)</script>"
    worst = found.worst.astype(object)
    worst.iloc[0, -1] = worst.iloc[0, 0] = bad
    results = json.loads(json.dumps(found.results))
    results["slices"][0]["slice"] = bad
    source = {**facts.source, "source": bad}
    found = dataclasses.replace(found, worst=worst, results=results)
    facts = dataclasses.replace(facts, source=source)
    assert bad not in report.page(found, facts, pictures)
    card = report.card(found, facts)
    assert bad not in card.replace(f"`{bad}`", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a|b", r"a\|b"), ("x\ny", "x y"), ("<b>", "&lt;b>"), ("snake_case", "snake_case")],
)
def test_text_stays_text_in_markdown(text, shown):
    assert report.markdown(text) == shown
