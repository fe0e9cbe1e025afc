import json
import operator
import pickle
import shutil

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from {{cookiecutter.project_slug}} import artefact, bundle, combination, predictions
from {{cookiecutter.project_slug}}.contract import cells

FILES = ["model.skops", "scorer.npz", "contract.json", "golden.json", "reference.json"]


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree((finished / "models/champion").resolve(), tmp_path / "model")


def test_a_loaded_bundle_scores_rows_as_the_pipeline_scores_the_table(champion, typed, contract):
    expected = predictions.predict(champion.model, typed, contract.classes)
    found = champion.score(cells.rows_of_table(typed, contract))
    np.testing.assert_array_equal(found.values, champion.score_table(typed).values)
    assert predictions.apart(found.values, expected.values) <= bundle.PARITY
    assert champion.contract == contract


def test_the_manifest_says_what_the_model_is(champion, params):
    assert champion.manifest["task"] == params.task
    assert champion.manifest["version"] == "1"
    assert set(champion.manifest["files"]) == {*FILES, *bundle.DOCUMENTS}
    assert {"data", "run_id", "created", "libraries", "metric"} <= set(champion.manifest)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["bit", "cut", "gone"])
def test_a_damaged_file_is_refused(folder, refused, name, damage):
    content = bytearray((folder / name).read_bytes())
    if damage == "gone":
        (folder / name).unlink()
    elif damage == "cut":
        (folder / name).write_bytes(content[:-20])
    else:
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)
    with refused(name, "make run"):
        bundle.load(folder)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"files": 3}', '{"files": {}}', "\udcff"])
def test_a_damaged_manifest_is_refused(folder, refused, text):
    (folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with refused("manifest", "make run"):
        bundle.load(folder)


def test_an_absent_bundle_is_refused(tmp_path, refused):
    with refused(str(tmp_path / "nothing"), "make run"):
        bundle.load(tmp_path / "nothing")


class Harmful:
    """Touches a file when a pickle of it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_is_refused_and_not_run_though_the_manifest_lists_it(folder, tmp_path, refused):
    (folder / "model.skops").write_bytes(pickle.dumps(Harmful(tmp_path / "harm")))
    bundle.seal(folder, json.loads((folder / "manifest.json").read_text()))
    with refused("model.skops", "not a model in skops format"):
        bundle.load(folder)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Pipeline([("call", FunctionTransformer(operator.attrgetter("a")))]), "attrgetter"),
        (FunctionTransformer(), "holds a FunctionTransformer, not an Ensemble"),
    ],
)
def test_a_model_of_another_kind_is_refused_by_its_type(folder, refused, model, message):
    skops.io.dump(model, folder / "model.skops")
    bundle.seal(folder, json.loads((folder / "manifest.json").read_text()))
    with refused("model.skops", message):
        assert bundle.load(folder).model


def rewrite(folder, name, **changes):
    """Change a file of JSON, and the manifest to suit."""
    content = {**json.loads((folder / name).read_text()), **changes}
    (folder / name).write_text(json.dumps(content))
    bundle.seal(folder, json.loads((folder / "manifest.json").read_text()))
    return content


def test_a_model_that_predicts_otherwise_than_when_it_was_released_is_refused(folder, refused):
    golden = json.loads((folder / "golden.json").read_text())
    others = np.add(golden["predictions"], 1e-6).tolist()
    rewrite(folder, "golden.json", predictions=others)
    rewrite(folder, "manifest.json", predictions=bundle.digest_of(others))
    with refused("predictions", "requirements.lock"):
        bundle.load(folder)


def test_golden_predictions_that_are_not_those_of_the_manifest_are_refused(folder, refused):
    golden = json.loads((folder / "golden.json").read_text())
    nearly = np.multiply(golden["predictions"], 1 + 1e-14).tolist()
    rewrite(folder, "golden.json", predictions=nearly)
    with refused("predictions", "requirements.lock"):
        bundle.load(folder)


@pytest.mark.parametrize("changes", [{"rows": [], "predictions": []}, {"rows": [[]]}, {"rows": 3}])
def test_golden_rows_that_prove_nothing_are_refused(folder, refused, changes):
    rewrite(folder, "golden.json", **changes)
    with refused("golden.json", "make run"):
        bundle.load(folder)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_contract_that_the_model_was_not_trained_with_is_refused(
    folder, contract, refused, compiled
):
    columns = json.loads((folder / "contract.json").read_text())["columns"]
    if contract.classes and columns[contract.target]["levels"]:
        columns[contract.target]["levels"].reverse()
        columns[contract.target]["positive"] = columns[contract.target]["levels"][-1]
    columns[next(iter(contract.features))]["description"] = "another"
    if not compiled:
        (folder / "scorer.npz").unlink()
    rewrite(folder, "contract.json", columns=columns)
    with refused("contract.json", "not the contract that the model was trained with"):
        bundle.load(folder)


def test_the_fitted_model_is_held_to_the_golden_rows_too(folder, refused):
    bundle.load(folder).require_model()
    model = bundle.load(folder).model
    model.combination = combination.Combination(model.combination.weights / 2)
    artefact.write(folder / "model.skops", model)
    bundle.seal(folder, json.loads((folder / "manifest.json").read_text()))
    with refused("does not give the predictions"):
        bundle.load(folder).require_model()


def test_a_bundle_that_cannot_be_saved_leaves_the_earlier_one(folder, champion, contract):
    with pytest.raises((TypeError, ValueError)):
        bundle.save(folder, champion.model, contract, [(1.0,)], fact=object())
    bundle.load(folder)


def test_golden_rows_are_no_rows_of_the_data(folder, typed, contract):
    rows = {tuple(row) for row in json.loads((folder / "golden.json").read_text())["rows"]}
    assert not rows & set(cells.rows_of_table(typed, contract))


def test_predictions_become_json():
    yes_no = predictions.Predictions(np.array([[0.25, 0.75], [0.5, 0.5]]), (False, True))
    region = combination.Region(0.9, np.zeros(0), np.array([0.6]))
    assert json.loads(json.dumps(bundle.describe(yes_no, region))) == [
        {"label": True, "probabilities": {"false": 0.25, "true": 0.75}, "set": ["true"]},
        {"label": False, "probabilities": {"false": 0.5, "true": 0.5}, "set": ["false", "true"]},
    ]
