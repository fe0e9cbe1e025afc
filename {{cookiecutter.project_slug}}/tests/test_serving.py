import json
import re

import made_up
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from {{cookiecutter.project_slug}} import bundle, folds, models, predict, predictions
from {{cookiecutter.project_slug}}.contract import cells
from {{cookiecutter.project_slug}}.serving import app, settings


def values(answer):
    """Return the numbers of an answer: probabilities, or the value, of each row."""
    return [
        list(one["probabilities"].values()) if "probabilities" in one else one["value"]
        for one in answer["predictions"]
    ]


@pytest.fixture(scope="session")
def body(typed, contract):
    return made_up.requests(typed, contract)


def test_answers_are_exactly_what_the_pipeline_gives_for_the_table(
    client, champion, typed, contract, body
):
    answer = client.post("/predict", json={"rows": body}).json()
    expected = predictions.predict(champion.model, typed, contract.classes)
    assert values(answer) == champion.score_table(typed).values.tolist()
    assert predictions.apart(np.array(values(answer)), expected.values) <= bundle.PARITY
    if contract.classes:
        assert [one["label"] for one in answer["predictions"]] == expected.labels.tolist()
        assert list(answer["predictions"][0]["probabilities"]) == list(contract.classes)
    assert answer["model"] == {"name": champion.manifest["name"], "version": "1"}


def test_each_answer_has_an_identity_of_its_own(client, body):
    answers = [client.post("/predict", json={"rows": body[:1]}).json() for _ in range(2)]
    assert answers[0]["request_id"] != answers[1]["request_id"]
    assert answers[0]["predictions"] == answers[1]["predictions"]


@examples(max_examples=25, deadline=None)
@given(data=st.data())
def test_made_up_rows_are_answered_as_a_table_of_them_is(client, champion, contract, data):
    rows = data.draw(made_up.bodies(contract))
    answer = client.post("/predict", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    table = predict.predict(pd.DataFrame(rows, dtype=object), champion)
    columns = [f"probability of {label}" for label in contract.classes or ()]
    expected = table[columns or "prediction"].to_numpy().tolist()
    assert values(answer.json()) == expected


def test_the_order_of_columns_does_not_matter(client, body):
    turned = [dict(reversed(row.items())) for row in body[:9]]
    first, second = (client.post("/predict", json={"rows": b}).json() for b in (body[:9], turned))
    assert first["predictions"] == second["predictions"]


def test_a_wrong_cell_is_named_by_row_and_column(client, body, contract):
    name = next(reversed(contract.features))
    answer = client.post("/predict", json={"rows": [body[0], {**body[1], name: "nonsense"}]})
    assert answer.status_code == 422
    assert answer.json()["request_id"]
    (problem,) = answer.json()["errors"]
    assert (problem["row"], problem["column"], problem["value"]) == (1, name, "'nonsense'")
    assert "number" in problem["rule"]


def test_a_missing_and_a_surplus_column_are_named(client, body, contract):
    name = next(reversed(contract.features))
    row = {key: value for key, value in body[0].items() if key != name} | {"surplus": 1}
    problems = client.post("/predict", json={"rows": [row]}).json()["errors"]
    assert {problem["column"] for problem in problems} == {name, "surplus"}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"rows": []}', b'{"rows": [3]}', b'{"row": []}', b"\xff", b"[" * 10_000],
)
def test_a_body_that_is_no_request_is_refused_with_a_rule(client, content):
    answer = client.post("/predict", content=content)
    assert answer.status_code == 422
    assert all(problem["rule"] for problem in answer.json()["errors"])


def test_numbers_that_are_none_are_refused(client, body, contract):
    name = next(reversed(contract.features))
    for number in ("NaN", "Infinity", "1e999", "9" * 400):
        text = json.dumps({"rows": [{**body[0], name: "here"}]}).replace('"here"', number)
        assert client.post("/predict", content=text.encode()).status_code == 422


def test_more_rows_or_bytes_than_allowed_are_refused(finished, body):
    chosen = settings.Settings(champion=finished / "models/champion", max_rows=2, max_bytes=5_000)
    with TestClient(app.create_app(chosen)) as small:
        assert small.post("/predict", json={"rows": body[:2]}).status_code == 200
        assert small.post("/predict", json={"rows": body[:3]}).status_code == 422
        answer = small.post("/predict", content=b" " * 5_001)
        assert answer.status_code == 413
        assert "5000 bytes" in answer.json()["errors"][0]["rule"]


def test_whole_numbers_of_any_size_are_answered_or_refused(tmp_path):
    made, frame = made_up.bundled("regression", tmp_path / "model")
    row = made_up.requests(frame.head(1), made.contract)[0]
    with TestClient(app.create_app(settings.Settings(champion=tmp_path / "model"))) as found:
        for number, status in ((0, 200), (-(2**63), 200), (10**30, 422), (-(10**400), 422)):
            text = json.dumps({"rows": [{**row, "count": "here"}]}).replace('"here"', str(number))
            assert found.post("/predict", content=text).status_code == status


@pytest.mark.parametrize("number", [1e39, -1e300, 1.7e308, 5e-324])
def test_numbers_far_from_any_seen_before_are_answered(tmp_path, number):
    made, frame = made_up.bundled("binary", tmp_path / "model")
    row = made_up.requests(frame.head(1), made.contract)[0] | {"share": number}
    with TestClient(app.create_app(settings.Settings(champion=tmp_path / "model"))) as found:
        assert found.post("/predict", json={"rows": [row]}).status_code == 200


def test_the_server_says_that_it_lives_and_what_it_serves(client, champion, contract):
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json()["model"]["version"] == "1"
    served = client.get("/model").json()
    assert served["run_id"] == champion.manifest["run_id"]
    assert list(served["contract"]["columns"]) == list(contract.columns)


@pytest.mark.parametrize(("family", "tier"), [("tree", "compiled"), ("neighbors", "scikit-learn")])
def test_the_server_says_by_what_rows_are_scored(tmp_path, family, tier):
    made_up.bundled("binary", tmp_path / "model", family=family)
    with TestClient(app.create_app(settings.Settings(champion=tmp_path / "model"))) as found:
        assert tier in found.get("/model").json()["scorer"]


def test_every_example_in_the_documentation_is_answered_as_its_golden_row(client, champion):
    rows = json.loads((champion.folder / "golden.json").read_text())["rows"]
    expected = champion.score([tuple(row) for row in rows[:2]]).values.tolist()
    seen = []
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        body = operations.get("post", {}).get("requestBody", {"content": {}})
        for kind, described in body["content"].items():
            for example in described["schema"].get("examples", ()):
                content = example if kind == "text/csv" else json.dumps(example)
                url = path.format(model=champion.manifest["name"], wanted="1")
                answer = client.post(url, content=content, headers={"content-type": kind})
                assert answer.status_code == 200, answer.text
                said = answer.json()
                if "outputs" in said:
                    name = "probabilities" if champion.contract.classes else "value"
                    (found,) = (one["data"] for one in said["outputs"] if one["name"] == name)
                    assert found == np.ravel(expected[0]).tolist()
                else:
                    assert values(said) == expected[: len(said["predictions"])]
                seen.append((path.rpartition("/")[2], kind))
    json_too = [(name, "application/json") for name in ("infer", "infer", "invocations", "predict")]
    assert sorted(seen) == sorted([*json_too, ("invocations", "text/csv")])
    assert client.get("/docs").status_code == 200


def test_settings_come_from_the_environment(monkeypatch, refused):
    monkeypatch.setenv("PROJECT_MAX_ROWS", "5")
    assert settings.Settings.load().max_rows == 5
    monkeypatch.setenv("PROJECT_MAX_ROWS", "none")
    with refused("PROJECT_MAX_ROWS", "'none' was given"):
        settings.Settings.load()


def test_a_server_without_a_champion_does_not_start(tmp_path, refused):
    with refused("make run"):
        app.create_app(settings.Settings(champion=tmp_path / "champion"))


def test_probabilities_add_up_to_one(client, body, contract):
    found = np.array(values(client.post("/predict", json={"rows": body}).json()))
    assert np.isfinite(found).all()
    if contract.classes:
        np.testing.assert_allclose(found.sum(axis=1), 1)


def test_the_documentation_needs_no_other_server(client):
    page = client.get("/docs").text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert assets and all(asset.startswith("/") for asset in assets)
    assert all(client.get(asset).status_code == 200 for asset in assets)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ('"whole": true', "valid integer"),
        ('"whole": "2"', "valid integer"),
        ('"whole": 2.0', "valid integer"),
        ('"whole": 101', "less than or equal to 100"),
        ('"whole": null', "valid integer"),
        ('"whole": 101, "whole": 1', None),
        ('"whole": 1, "whole": 101', "less than or equal to 100"),
        ('"whole": 1, "share": true', "valid number"),
        ('"whole": 1, "share": NaN', "finite"),
        ('"whole": 1, "flag": 1', "valid boolean"),
        ('"whole": 1, "count": 9223372036854775808', "less than or equal to"),
        ('"whole": 1, "colour": "grey"', "'red', 'green' or 'blue'"),
        ('"whole": 1, "colour": " red "', None),
        ('"whole": 1, "colour": ""', None),
        ('"whole": 1, "city": "nowhere"', None),
        ('"whole": 1, "note": " "', None),
        ('"whole": 1, "note": null', None),
        ('"whole": 1, "moment": "2024-02-29T00:00:00+05:00"', None),
        ('"whole": 1, "moment": "2023-02-29"', "valid datetime"),
        ('"whole": 1, "surplus": 1', "not permitted"),
        ('"share": 1.0', "required"),
    ],
)
def test_cells_are_taken_and_refused_as_the_readme_says(tmp_path, pair, said):
    made_up.bundled("regression", tmp_path / "model")
    with TestClient(app.create_app(settings.Settings(champion=tmp_path / "model"))) as found:
        answer = found.post("/predict", content='{"rows": [{' + pair + "}]}")
    assert answer.status_code == (422 if said else 200), answer.text
    if said:
        (problem,) = answer.json()["errors"]
        assert problem["row"] == 0 and said in problem["rule"]


BLENDS = {
    "calibrated": ("binary", 2, [[0.0, 5.0], [1.0, 0.0]]),
    "calibrated without costs": ("binary", 2, None),
    "stacked": ("multiclass", 9, None),
    "stacked with costs": ("multiclass", 9, [[0.0, 1.0, 4.0], [2.0, 0.0, 1.0], [1.0, 3.0, 0.0]]),
    "calibrated of several classes": ("multiclass", 3, None),
    "blended": ("regression", None, None),
}


@pytest.fixture(scope="module", params=BLENDS)
def blend(request, tmp_path_factory):
    """A compiled blend of three families, and the table that it learned from."""
    task, inputs, costs = BLENDS[request.param]
    contract, frame = made_up.every_type(task)
    known = folds.Rows.of(frame, contract)
    members = [
        models.build(models.MODELS[name], contract, task, 1).fit(known.X, known.y)
        for name in ("boosting", "linear", "mlp")
    ]
    model = made_up.ensemble_of(known, *members, costs=None if costs is None else np.array(costs))
    model.combination.weights = np.array([0.5, 0.3, 0.2])
    if inputs:
        rng = np.random.default_rng(3)
        model.combination.coefficients = rng.normal(size=(inputs, len(contract.classes)))
        model.combination.intercept = rng.normal(size=len(contract.classes))
    golden = cells.rows_of_table(frame.head(5), contract)
    folder = tmp_path_factory.mktemp("blend") / "model"
    saved = bundle.save(folder, model, contract, golden, name="made up", version="1")
    assert saved.compiled
    # Where sets and intervals change: at predictions of the table, to the last bit.
    said = np.sort(saved.score_table(frame).values, axis=None)
    if inputs:
        model.region.margins = np.array([1.0 - said[len(said) // 3]])
    else:
        model.region.edges, model.region.margins = said[40:120:40], np.array([1.0, 0.1, 3.7])
    return bundle.save(folder, model, contract, golden, name="made up", version="1"), frame


def test_a_row_alone_is_answered_as_in_a_table_to_the_last_bit(blend):
    found, frame = blend
    asked = made_up.requests(frame, found.contract)
    expected = bundle.describe(found.score_table(frame), found.scorer.region)
    with TestClient(app.create_app(settings.Settings(champion=found.folder))) as client:
        together = client.post("/predict", json={"rows": asked}).json()["predictions"]
        alone = [
            client.post("/predict", json={"rows": [one]}).json()["predictions"][0] for one in asked
        ]
    assert together == expected
    assert alone == expected
    table = predict.predict(frame[list(found.contract.features)], found)
    key = "label" if found.contract.classes else "value"
    assert table["prediction"].tolist() == [one[key] for one in alone]
    if found.contract.classes is None:
        assert table[["low", "high"]].to_numpy().tolist() == [one["interval"] for one in alone]
    for label in found.contract.classes or ():
        shares = [one["probabilities"][label] for one in alone]
        assert table[f"probability of {label}"].tolist() == shares


def test_each_row_of_the_test_rows_is_answered_alone_as_in_their_table(client, champion, finished):
    rows = pd.read_parquet(finished / "data/split/test.parquet")
    expected = bundle.describe(champion.score_table(rows), champion.scorer.region)
    for row, said in zip(made_up.requests(rows, champion.contract), expected, strict=True):
        assert client.post("/predict", json={"rows": [row]}).json()["predictions"] == [said]
