"""What leaves the project with a model: no row of the data, and no text that somebody wrote."""

import contextlib
import json
import zipfile

import made_up
import mlflow
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import bundle, files, tracking
from {{cookiecutter.project_slug}}.contract import cells

STAGES = ("collect", "preprocess", "train", "tune", "evaluate", "release")
TELLING = ["whole", "count", "city", "note"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory, make_project, command, edit):
    """A project whose rows have texts, with a released model; also the texts."""
    contract, frame = made_up.every_type("binary", 400)
    frame["note"] = frame["note"] + [f" by guest {number}" for number in range(len(frame))]
    folder = tmp_path_factory.mktemp("kept") / "project"
    make_project(folder, frame, contract)
    changes = {"task": "binary", "metric": "roc_auc", "release.max_column_score": 1}
    for key, value in changes.items():
        edit(folder / "params.yaml", key, value)
    with contextlib.chdir(folder):
        assert [command(stage) for stage in STAGES] == [0] * len(STAGES)
    return folder, set(frame["note"].dropna())


def content(folder):
    """Return the text of each file, and of the parts of those that are archives."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path.name}/{name}", archive.read(name).decode(errors="replace")
        else:
            yield path.name, path.read_text(encoding="utf-8", errors="replace")


def given_away(folder, texts, test):
    """Return the names of the files that hold a text, or in one line what is in a test row."""
    rows = [[str(cell) for cell in row] for row in test[TELLING].dropna().itertuples(index=False)]
    return {
        name
        for name, held in content(folder)
        if any(text in held for text in texts)
        or any(all(cell in line for cell in row) for line in held.split("\n") for row in rows)
    }


def test_a_released_bundle_holds_no_text_and_no_row_of_the_data(kept):
    project, texts = kept
    test = pd.read_parquet(project / files.TEST)
    assert given_away((project / files.CHAMPION).resolve(), texts, test) == set()
    assert given_away(project / files.REPORTS, texts, test) == {"report.html"}
    golden = json.loads((project / files.CHAMPION / bundle.GOLDEN).read_text())["rows"]
    every = cells.rows_of_table(test, bundle.load(project / files.CHAMPION).contract)
    assert not {tuple(row) for row in golden} & set(every)


def test_what_is_logged_to_mlflow_holds_none_either(kept, tmp_path):
    project, texts = kept
    run = bundle.load(project / files.CHAMPION).manifest["run_id"]
    tracking.connect()
    mlflow.artifacts.download_artifacts(run_id=run, dst_path=str(tmp_path))
    assert "report_without_rows.html" in {path.name for path in tmp_path.rglob("*")}
    assert given_away(tmp_path, texts, pd.read_parquet(project / files.TEST)) == set()
