import importlib.metadata
import io
import json
import shutil

import made_up
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from {{cookiecutter.project_slug}} import bundle
from {{cookiecutter.project_slug}}.contract import definition
from {{cookiecutter.project_slug}}.serving import app, settings


def numbers(answer, contract):
    said = answer.json()["predictions"]
    key = "probabilities" if contract.classes else "value"
    return [[*one[key].values()] if contract.classes else one[key] for one in said]


def forms(frame, contract):
    """Return a typed table in each of MLflow's forms."""
    rows = made_up.requests(frame, contract)
    names = list(contract.features)
    lists = [[row.get(name) for name in names] for row in rows]
    turned = {name: [row.get(name) for row in rows] for name in names}
    return [
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": names, "data": lists}},
        {"dataframe_split": {"columns": names, "index": [*range(len(rows))], "data": lists}},
        {"instances": rows},
        {"instances": lists},
        {"inputs": turned},
        {"inputs": lists, "params": {}},
    ]


def test_every_form_is_scored_as_the_table_to_the_last_bit(client, champion, typed, contract):
    expected = champion.score_table(typed).values.tolist()
    for form in forms(typed, contract):
        answer = client.post("/invocations", json=form)
        assert numbers(answer, contract) == expected, answer.text[:300]


def test_a_csv_table_is_scored_as_the_batch_command_scores_it(client, champion, typed, contract):
    text = typed[list(contract.features)].to_csv(index=False)
    headers = {"content-type": "text/csv; charset=utf-8"}
    answer = client.post("/invocations", content=text.encode(), headers=headers)
    assert numbers(answer, contract) == champion.score_table(typed).values.tolist()


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "model"
    found, frame = made_up.bundled(request.param, folder)
    with TestClient(app.create_app(settings.Settings(champion=folder, max_rows=200))) as client:
        yield client, found, frame


def test_missing_cells_of_every_type_are_scored_as_in_the_table(made):
    client, found, frame = made
    expected = found.score_table(frame).values.tolist()
    for form in forms(frame, found.contract):
        answer = client.post("/invocations", json=form)
        assert numbers(answer, found.contract) == expected, answer.text[:300]
    text = frame[list(found.contract.features)].to_csv(index=False)
    answer = client.post("/invocations", content=text, headers={"content-type": "text/csv"})
    assert numbers(answer, found.contract) == expected


def test_numbers_of_a_table_may_be_written_as_tables_have_them(made):
    client, found, frame = made
    row = made_up.requests(frame.tail(1), found.contract)[0]
    loose = {**row, "whole": float(row["whole"]), "flag": 1, "surplus": "dropped"}
    loose |= {"share": float("nan"), "count": None}
    strict = {**row, "flag": True, "share": None, "count": None}
    answers = [
        client.post(
            "/invocations",
            content=json.dumps({"dataframe_records": [one]}),
            headers={"content-type": "application/json"},
        )
        for one in (loose, strict)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[0].status_code == 200


def scored(file, target, command):
    """Return what the batch command says of a file."""
    assert command("predict", str(file), str(target)) == 0
    table = pd.read_parquet(target)
    names = [name for name in table if name.startswith("probability of ")]
    return table[names or "prediction"].to_numpy().tolist()


def test_the_examples_own_file_is_scored_as_the_batch_command_scores_it(
    client, contract, raw, project, command
):
    raw.to_csv("rows.csv", index=False)
    content = (project / "rows.csv").read_bytes()
    answer = client.post("/invocations", content=content, headers={"content-type": "text/csv"})
    assert answer.status_code == 200, answer.text[:300]
    assert numbers(answer, contract) == scored("rows.csv", "out.parquet", command)


TABLE = """whole|count|share|flag|colour|city|note|moment
12.0|1,234|0,5|on| red |Bonn|a|29.2.2024 12:30
-7|$ 5|1.234,5|NO||?||
(5)|2e3|?|1.0|blue|Cork|"x, y"|01.12.2023 00:00
"""


def test_numbers_and_moments_written_as_people_do_are_read_as_the_batch_command_reads_them(
    project, tmp_path, command
):
    folder = (project / "models/champion").resolve()
    shutil.rmtree(folder)
    made, _ = made_up.bundled("regression", folder)
    tree = made.contract.model_dump()
    tree["missing"] = ["", "?"]
    tree["columns"]["share"]["decimal"] = ","
    tree["columns"]["moment"]["format"] = "%d.%m.%Y %H:%M"
    contract = definition.Contract.model_validate(tree)
    golden = [tuple(row) for row in json.loads((folder / "golden.json").read_text())["rows"]]
    bundle.save(folder, made.model, contract, golden, version="1")
    table = pd.read_csv(io.StringIO(TABLE), sep="|", dtype=str, keep_default_na=False)
    table.to_csv("rows.csv", index=False)
    with TestClient(app.create_app(settings.Settings(champion=folder))) as client:
        content = (project / "rows.csv").read_bytes()
        answer = client.post("/invocations", content=content, headers={"content-type": "text/csv"})
    assert answer.status_code == 200, answer.text
    assert numbers(answer, contract) == scored("rows.csv", "out.parquet", command)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "exactly one of"),
        ([], "exactly one of"),
        ({"instances": [], "inputs": []}, "exactly one of"),
        ({"instances": 3}, "must hold a list of rows"),
        ({"instances": []}, "at least 1"),
        ({"instances": [3]}, "row 0 must be an object, or a list of 8 cells"),
        ({"inputs": {"a": [1], "b": []}}, "differ in length"),
        ({"dataframe_split": {"data": []}}, "columns and data"),
        ({"dataframe_split": {"columns": [[]], "data": [[1]]}}, "a list of names"),
        ({"dataframe_split": {"columns": ["whole"], "data": [[1, 2]]}}, "a list of 1 cells"),
        ({"dataframe_records": [{"whole": "2"}]}, "row 0, whole is '2'"),
        ({"dataframe_records": [{"whole": 2.5}]}, "row 0, whole is 2.5"),
        ({"dataframe_records": [{"whole": True}]}, "row 0, whole is True"),
        ({"dataframe_records": [{}]}, "row 0, whole: Field required"),
        ({"dataframe_records": [{"whole": 101}]}, "less than or equal to 100"),
        ({"dataframe_records": [{"whole": 1}] * 201}, "there are 201 rows; send at most 200"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_the_reason(made, form, said):
    answer = made[0].post("/invocations", json=form)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert said in answer.json()["message"]


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (b"", "text/csv", "at least 1"),
        (b"whole\n1,2\n", "text/csv", "row 0 has 2 cells, the header 1"),
        (b"whole\nx\n", "text/csv", "row 0, whole is 'x'"),
        (b'whole\n"x\n', "text/csv", "not a CSV table"),
        (b"whole\n" + b"1\n" * 100_000, "text/csv", "send at most 200"),
        (b"\xff", "text/csv", "not UTF-8"),
        (b"{", "application/json", "not JSON"),
        (b"{}", "text/plain", "content-type is 'text/plain'"),
    ],
)
def test_a_body_of_another_kind_is_refused_with_the_reason(made, text, kind, said):
    answer = made[0].post("/invocations", content=text, headers={"content-type": kind})
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_it_pings_and_says_its_version_as_mlflow_does(client):
    assert (client.get("/ping").status_code, client.get("/ping").text) == (200, "\n")
    assert client.get("/version").text == importlib.metadata.version("mlflow")
