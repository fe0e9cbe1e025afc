import json

import made_up
import numpy as np
import pytest
from fastapi.testclient import TestClient

from {{cookiecutter.project_slug}} import bundle, folds, models
from {{cookiecutter.project_slug}}.contract import cells
from {{cookiecutter.project_slug}}.serving import app, settings

TASKS = ["binary", "multiclass", "regression"]
FAMILIES = ["linear", "tree", "boosting", "blend"]


@pytest.fixture(scope="module")
def servers_of(tmp_path_factory):
    """`servers_of(task, family)` is a client of a server of such a model, and rows for it."""
    started = {}

    def start(task, family):
        if (task, family) not in started:
            folder = tmp_path_factory.mktemp("made") / "model"
            contract, frame = made_up.every_type(task)
            rows = folds.Rows.of(frame, contract)
            members = [
                models.build(models.MODELS[name], contract, task, 0).fit(rows.X, rows.y)
                for name in (["linear", "tree"] if family == "blend" else [family])
            ]
            golden = cells.rows_of_table(frame.head(5), contract)
            model = made_up.ensemble_of(rows, *members)
            bundle.save(folder, model, contract, golden, name="made up", version="1")
            client = TestClient(app.create_app(settings.Settings(champion=folder)))
            started[task, family] = client, made_up.requests(frame.tail(3), contract)
        return started[task, family]

    return start


def explained(client, rows):
    answer = client.post("/predict", json={"rows": rows, "explain": True})
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def explained_number(one, scale):
    """Return the number that an explanation is about."""
    if "value" in one:
        return one["value"]
    label = scale.removesuffix(" before calibration").rpartition(" of ")[2]
    return one["probabilities"][label]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_contributions_add_up_to_what_the_model_says(servers_of, task, family):
    client, rows = servers_of(task, family)
    for one in explained(client, rows):
        told = one["explanation"]
        total = told["base"] + sum(told["contributions"].values())
        assert list(told["contributions"]) == list(made_up.EVERY_TYPE)
        number = explained_number(one, told["scale"])
        if told["scale"].startswith("log-odds") and task == "binary":
            number = np.log(number / (1 - number))
        if not (told["scale"].startswith("log-odds") and task == "multiclass"):
            assert total == pytest.approx(number, rel=1e-6, abs=1e-6), told


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("task", TASKS)
def test_the_method_is_exact_for_a_sum_and_sampled_otherwise(servers_of, task, family):
    client, rows = servers_of(task, family)
    method = explained(client, rows[:1])[0]["explanation"]["method"]
    assert method.startswith("exact" if family == "linear" else "Shapley values, sampled over")


def test_the_contributions_of_several_classes_go_with_their_odds(servers_of):
    """In a softmax, the sums of two rows differ as the log-odds of their classes do."""
    client, rows = servers_of("multiclass", "linear")
    (one,) = explained(client, rows[:1])
    (missing,) = explained(client, [{**rows[0], "share": None}])
    assert one["explanation"]["scale"].startswith("log-odds of ")
    if one["label"] == missing["label"]:
        moved = {
            name: value - missing["explanation"]["contributions"][name]
            for name, value in one["explanation"]["contributions"].items()
        }
        assert {name for name, value in moved.items() if abs(value) > 1e-9} <= {"share"}


def test_the_same_row_gets_the_same_explanation(servers_of):
    client, rows = servers_of("binary", "tree")
    first, second = explained(client, rows), explained(client, rows)
    assert first == second
    assert explained(client, rows[1:2])[0] == first[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_missing_and_unknown_cells_are_explained(servers_of, family):
    client, rows = servers_of("binary", family)
    odd = {"whole": rows[0]["whole"], "city": "no such city", "note": "", "share": 1e300}
    for one in explained(client, [odd, {"whole": 0}]):
        assert np.isfinite([*one["explanation"]["contributions"].values()]).all()


def test_an_explanation_changes_no_prediction(servers_of):
    client, rows = servers_of("regression", "boosting")
    plain = client.post("/predict", json={"rows": rows}).json()["predictions"]
    told = [{**one, "explanation": None} for one in explained(client, rows)]
    assert [{**one, "explanation": None} for one in plain] == told


def test_no_more_rows_than_agreed_are_explained(servers_of):
    client, rows = servers_of("binary", "tree")
    answer = client.post("/predict", json={"rows": rows * 4, "explain": True})
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert (problem["column"], problem["rule"]) == (
        "explain",
        "at most 10 rows can be explained in one request",
    )
    assert client.get("/model").json()["limits"]["max_explained"] == 10
    for word in ("yes", 1, None):
        body = json.dumps({"rows": rows, "explain": word})
        assert client.post("/predict", content=body).status_code == 422
