import json

import made_up
import numpy as np
import pytest
from fastapi.testclient import TestClient

from {{cookiecutter.project_slug}} import tracking
from {{cookiecutter.project_slug}}.serving import app, settings, tensors

TYPES = {"integer": "INT64", "number": "FP64", "boolean": "BOOL"}
INFER = f"/v2/models/{tracking.NAME}/infer"
LENGTH = "inference-header-content-length"


def inputs(frame, contract, binary=False):
    """Return a table as tensors: described, and the bytes of those that are binary."""
    described, blobs = [], []
    for name, column in contract.features.items():
        kind = TYPES.get(column.type, "BYTES")
        cells = frame[name]
        if column.type == "datetime":
            cells = cells.map(lambda moment: moment.isoformat(), na_action="ignore")
        if cells.isna().any() and kind != "BYTES":
            kind, cells = "FP64", cells.astype("float64")
        plain = [None if cell != cell or cell is None else cell for cell in cells.tolist()]
        one = {"name": name, "shape": [len(frame)], "datatype": kind}
        if binary:
            values = ["" if v is None else v for v in plain] if kind == "BYTES" else cells
            blobs.append(tensors.to_binary(np.array(values), kind))
            one["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            one["data"] = plain
        described.append(one)
    return described, b"".join(blobs)


def values(outputs, contract):
    found = {one["name"]: one for one in outputs}
    one = found["probabilities" if contract.classes else "value"]
    return np.reshape(one["data"], one["shape"]).tolist()


@pytest.mark.parametrize("binary", [False, True])
def test_tensors_are_scored_as_the_table_to_the_last_bit(client, champion, typed, contract, binary):
    described, blobs = inputs(typed, contract, binary)
    head = json.dumps({"id": "7", "inputs": described}).encode()
    headers = {LENGTH: str(len(head))} if binary else {}
    answer = client.post(INFER, content=head + blobs, headers=headers).json()
    assert values(answer["outputs"], contract) == champion.score_table(typed).values.tolist()
    assert (answer["model_name"], answer["model_version"]) == (tracking.NAME, "1")
    assert answer["id"] == "7"


def test_outputs_may_be_chosen_and_binary(client, champion, typed, contract):
    described, _ = inputs(typed, contract)
    name = "probabilities" if contract.classes else "value"
    chosen = [{"name": name, "parameters": {"binary_data": True}}]
    answer = client.post(INFER, json={"inputs": described, "outputs": chosen})
    length = int(answer.headers[LENGTH])
    (one,) = json.loads(answer.content[:length])["outputs"]
    found = np.frombuffer(answer.content[length:], "<f8").reshape(one["shape"])
    assert found.tolist() == champion.score_table(typed).values.tolist()


def test_the_metadata_says_what_is_taken_and_given(client, contract):
    for path in ("", "/versions/1"):
        found = client.get(f"/v2/models/{tracking.NAME}{path}").json()
        assert [one["name"] for one in found["inputs"]] == list(contract.features)
        assert found["versions"] == ["1"]
        assert client.get(f"/v2/models/{tracking.NAME}{path}/ready").json()["ready"]
    for path in ("/v2/models/other", f"/v2/models/{tracking.NAME}/versions/9/ready"):
        assert client.get(path).status_code == 404
    assert client.post("/v2/models/other/infer", json={}).status_code == 404


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A served model of every type of column, and a table for it."""
    folder = tmp_path_factory.mktemp("made") / "model"
    found, frame = made_up.bundled("multiclass", folder)
    with TestClient(app.create_app(settings.Settings(champion=folder))) as client:
        yield client, found, frame


def test_missing_cells_of_every_type_are_scored_as_in_the_table(made):
    client, found, frame = made
    for binary in (False, True):
        described, blobs = inputs(frame, found.contract, binary)
        head = json.dumps({"inputs": described}).encode()
        headers = {LENGTH: str(len(head))} if binary else {}
        answer = client.post(
            INFER.replace(tracking.NAME, "made up"), content=head + blobs, headers=headers
        )
        outputs = answer.json()["outputs"]
        assert values(outputs, found.contract) == found.score_table(frame).values.tolist()


def ask(client, **changed):
    tensor = {"name": "whole", "shape": [1], "datatype": "INT64", "data": [1]} | changed
    return client.post("/v2/models/made up/infer", json={"inputs": [tensor]})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "other"}, "there is no input 'other'"),
        ({"name": 3}, "name, shape, datatype and data"),
        ({"datatype": "FP65"}, "datatype must be one of"),
        ({"shape": [2]}, "do not have shape [2]"),
        ({"shape": [0]}, "do not have shape [0]"),
        ({"shape": []}, "shape must be"),
        ({"shape": [1] * 99}, "shape must be"),
        ({"shape": [1001]}, "there are 1001 rows; send at most 1000"),
        ({"shape": [10**30]}, "send at most 1000"),
        ({"shape": [1, 10**30]}, "shape must be [n], [n, 1] or [n, 8]"),
        ({"shape": [True]}, "shape must be"),
        ({"shape": [-1]}, "shape must be"),
        ({"data": None}, "data must be a list"),
        ({"data": [1, 2]}, "do not have shape [1]"),
        ({"data": ["1"]}, "row 0, whole is '1': Input should be a valid integer"),
        ({"data": [101]}, "less than or equal to 100"),
        ({"parameters": {"binary_data_size": 8}}, "says 8 bytes, 0 are there"),
    ],
)
def test_a_tensor_that_cannot_be_is_refused_with_the_reason(made, changed, said):
    answer = ask(made[0], **changed)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    "wanted", [[{"name": []}], [{"name": "x"}], 3, [3], [{"name": "label"}] * 2]
)
def test_outputs_that_are_none_or_come_twice_are_refused(made, wanted):
    tensor = {"name": "whole", "shape": [1], "datatype": "INT64", "data": [1]}
    answer = made[0].post("/v2/models/made up/infer", json={"inputs": [tensor], "outputs": wanted})
    assert (answer.status_code, "outputs" in answer.text or "output " in answer.text) == (400, True)
    twice = made[0].post("/v2/models/made up/infer", json={"inputs": [tensor, tensor]})
    assert "twice" in twice.json()["error"]
