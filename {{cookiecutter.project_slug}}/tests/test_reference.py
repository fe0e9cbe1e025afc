import json

import made_up
import numpy as np
import pytest

from {{cookiecutter.project_slug}} import folds, reference
from {{cookiecutter.project_slug}}.predictions import Predictions


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_shares_of_every_column_and_of_the_predictions_add_up_to_one(task):
    contract, frame = made_up.every_type(task)
    rows = folds.Rows.of(frame, contract)
    values = np.full((len(frame), len(rows.classes)), 0.5) if rows.classes else rows.y
    found = reference.describe(frame, contract, Predictions(values, rows.classes))
    assert json.loads(json.dumps(found)) == found
    assert list(found["columns"]) == list(contract.features)
    for one in (*found["columns"].values(), found["predictions"]):
        shares = one["shares"] if "shares" in one else [*one["levels"].values(), one["others"]]
        assert sum(shares) == pytest.approx(1)
    missing = frame["colour"].isna().mean()
    assert found["columns"]["colour"]["missing"] == pytest.approx(missing)


def test_a_level_that_few_rows_have_is_not_named():
    contract, frame = made_up.every_type("binary")
    frame.loc[frame.index[:2], "city"] = "Where one person lives"
    rows = folds.Rows.of(frame, contract)
    said = Predictions(np.full((len(frame), 2), 0.5), rows.classes)
    city = reference.describe(frame, contract, said)["columns"]["city"]
    assert "Where one person lives" not in city["levels"]
    assert city["others"] > 0


def test_of_texts_only_the_number_of_words_is_kept():
    contract, frame = made_up.every_type("binary")
    frame["note"] = "What somebody wrote"
    said = Predictions(np.full((len(frame), 2), 0.5), contract.classes)
    found = reference.describe(frame, contract, said)
    assert found["columns"]["note"] == {"missing": 0.0, "edges": [3.0], "shares": [0.0, 1.0]}
    assert "wrote" not in json.dumps(found)


def test_the_bundle_knows_what_its_training_rows_looked_like(finished, contract):
    found = json.loads((finished / "models/champion/reference.json").read_text())
    assert list(found["columns"]) == list(contract.features)
    assert found["rows"] > 100
