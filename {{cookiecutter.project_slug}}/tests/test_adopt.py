import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from {{cookiecutter.project_slug}} import (
    adopt,
    config,
    contract,
    errors,
    files,
    folds,
    suspicion,
)
from {{cookiecutter.project_slug}}.stages import preprocess


@pytest.fixture
def table():
    """Raw rows as a CSV gives them: all text."""
    rng = np.random.default_rng(0)
    size = 300
    age = rng.integers(18, 90, size)
    return pd.DataFrame(
        {
            "customer id": [f"c{i}" for i in range(size)],
            "age": age.astype(str),
            "income, monthly": [f"$ {value:,.2f}" for value in rng.normal(4000, 900, size)],
            "joined": pd.date_range("2020-01-01", periods=size).strftime("%d.%m.%Y"),
            "plan": rng.choice(["basic", "plus", "?"], size),
            "no": rng.choice(["no", "yes"], size),
            "left": np.where(age + rng.normal(0, 10, size) > 60, "yes", "no"),
        }
    )


@pytest.fixture
def source(table, project):
    """A CSV file in a project with params.yaml and contract.yaml."""
    path = project / "my table.csv"
    table.to_csv(path, index=False)
    return str(path)


def test_an_adopted_table_can_be_split_and_checked(source, table):
    adopt.main(source, "left ", False)
    params, found = config.Params.load(), contract.Contract.load()
    prepared = preprocess.prepare(table, found, params)
    assert prepared.counts["invalid"] == 0
    assert len(prepared.train) + len(prepared.test) == len(table)
    assert (params.task, params.collect.source) == ("binary", source)
    assert found.columns["customer id"].role == "id"
    assert found.columns["income, monthly"].type == "number"
    assert found.columns["joined"].format == "%d.%m.%Y"
    assert found.columns["plan"].levels == ("basic", "plus")
    assert found.columns["no"].type == "boolean"


def test_the_comments_of_params_stay(source):
    before = files.PARAMS.read_text()
    adopt.main(source, "left", False)
    comments = [line.partition("#")[2] for line in before.splitlines() if "#" in line]
    after = files.PARAMS.read_text()
    assert comments and all(comment in after for comment in comments)


def test_what_is_asked_of_the_model_of_one_table_is_not_asked_of_that_of_another(source, edit):
    edit(files.PARAMS, "release.min_metric", 0.8)
    edit(files.PARAMS, "evaluate.directions", {"age": "up"})
    before = files.PARAMS.read_text()
    shown = adopt.main(source, "left", False)
    after = files.PARAMS.read_text()
    assert config.Params.load().release.min_metric is None
    assert config.Params.load().evaluate.directions == {}
    assert "# min_metric: 0.8" in after and "# directions:" in after
    assert len(after.splitlines()) == len(before.splitlines())
    assert "evaluate.directions and release.min_metric: commented out" in told(shown)


def test_what_is_asked_of_the_model_is_kept_with_the_contract(source, edit):
    adopt.main(source, "left", False)
    edit(files.PARAMS, "release.min_metric", 0.8)
    adopt.main(source, "left", False)
    assert config.Params.load().release.min_metric == 0.8
    adopt.main(source, "income, monthly", False)
    assert config.Params.load().release.min_metric is None


def told(shown):
    console = Console(width=200)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()


def test_edits_of_the_contract_are_kept_unless_told_otherwise(source):
    adopt.main(source, "left", False)
    edited = files.CONTRACT.read_text().replace("age: {type: integer", "age: {type: number")
    files.CONTRACT.write_text(edited)
    adopt.main(source, "left", False)
    assert contract.Contract.load().columns["age"].type == "number"
    assert files.PREVIOUS_CONTRACT.read_text() == edited
    adopt.main(source, "left", True)
    assert contract.Contract.load().columns["age"].type == "integer"


def test_a_contract_of_another_table_is_replaced_and_kept_beside(source):
    before = files.CONTRACT.read_text()
    adopt.main(source, "left", False)
    assert files.PREVIOUS_CONTRACT.read_text() == before


def test_a_wrong_target_names_the_closest_columns_and_writes_nothing(source):
    before = files.CONTRACT.read_text(), files.PARAMS.read_text()
    with pytest.raises(errors.InputError, match="did you mean left"):
        adopt.main(source, "lefft", False)
    assert (files.CONTRACT.read_text(), files.PARAMS.read_text()) == before


@pytest.mark.parametrize("target", ["customer id", "joined"])
def test_what_cannot_be_predicted_is_refused(source, target):
    with pytest.raises(errors.InputError, match="cannot be predicted"):
        adopt.main(source, target, False)


def test_a_number_is_a_regression(source):
    adopt.main(source, "income, monthly", False)
    params = config.Params.load()
    assert (params.task, params.metric) == ("regression", "rmse")


def of(params, adopted, folds=5):
    """Return params as adopt writes them."""
    changes = {
        "task": adopted.task,
        "preprocess": params.preprocess.model_copy(
            update={"max_invalid": adopted.max_invalid, "duplicates": adopted.duplicates}
        ),
        "train": params.train.model_copy(update={"folds": folds}),
    }
    return params.model_copy(update=changes)


@pytest.mark.parametrize("rows", [2, 5, 8, 30])
@pytest.mark.parametrize("spoilt", ["nothing", "duplicates", "cells"])
def test_what_is_adopted_has_its_folds_whatever_is_rare(table, params, rows, spoilt):
    table.loc[: rows - 1, "left"] = "soon"
    if spoilt == "duplicates":
        table.loc[: rows - 2] = table.loc[: rows - 2].iloc[0].to_numpy()
    if spoilt == "cells":
        table.loc[0, "age"] = "oops"
    table["customer id"] = "x"
    wished = params.model_copy(update={"train": params.train.model_copy(update={"folds": 5})})
    found = adopt.understand(table, "left", None, wished)
    prepared = preprocess.prepare(table, found.contract, of(params, found))
    counts = prepared.train["left"].value_counts()
    assert set(counts.index) == set(found.contract.classes)
    assert len(folds.make_folds(prepared.train, found.contract, found.folds, 20)) == found.folds
    assert found.folds == min(5, counts.min())
    assert ("soon" not in counts) == any("left out are classes" in note for note in found.notes)


def test_a_class_with_fewer_rows_than_folds_is_suspicious_and_folds_are_made_fewer(table, params):
    table.loc[:6, "left"] = "soon"
    wished = params.model_copy(update={"train": params.train.model_copy(update={"folds": 8})})
    found = adopt.understand(table, "left", None, wished)
    assert 4 <= found.folds < 7
    assert any("'soon' has 7 rows, fewer than the 8 folds" in one for one in found.suspicions)
    assert any(f"{found.folds}, since the rarest class has" in note for note in found.notes)


def test_two_classes_of_which_one_is_too_rare_are_refused(table, params, refused):
    table["left"] = ["yes"] * 3 + ["no"] * (len(table) - 3)
    with refused("TARGET=left", "fewer than 4 training rows: yes"):
        adopt.understand(table, "left", None, params)


def test_a_rare_positive_class_is_judged_by_average_precision(table, params):
    table["left"] = np.where(np.arange(len(table)) < 15, "yes", "no")
    assert adopt.understand(table, "left", None, params).metric == "average_precision"


def test_a_column_that_almost_tells_the_target_is_suspicious(table, params):
    table["copy"] = table["left"].map({"yes": "closed", "no": "open"})
    table.loc[[5], "copy"] = table.loc[[5], "copy"].map({"closed": "open", "open": "closed"})
    found = adopt.understand(table, "left", None, params)
    assert any("copy alone predicts" in one for one in found.suspicions)
    assert not any("age alone" in one for one in found.suspicions)


@pytest.mark.parametrize("rare", [0, 2, 10])
def test_a_column_that_gives_the_target_away_is_left_out(table, params, rare):
    table.loc[: rare - 1, "left"] = "perhaps"
    table["copy"] = table["left"].map({"yes": "closed", "no": "open"}).fillna("pending")
    found = adopt.understand(table, "left", None, params)
    assert found.contract.columns["copy"].role == "ignore"
    assert found.contract.columns["age"].role == "feature"
    assert any("copy left out" in note for note in found.notes)
    assert "gives the target away" in {one.name: one.why for one in found.findings}["copy"]
    assert suspicion.most_telling(found.table, found.contract, 20)["column"] != "copy"


def test_a_category_whose_many_levels_give_the_target_away_is_left_out(table, params):
    kind = np.arange(len(table)) * 7 % 40
    table["kind"] = [f"k{number:02}" for number in kind]
    table["left"] = [f"c{number * 3 % 5}" for number in kind]
    found = adopt.understand(table, "left", None, params)
    assert found.contract.columns["kind"].role == "ignore"


def test_a_number_that_a_bound_makes_the_target_is_left_out(table, params):
    weight = np.random.default_rng(1).normal(7, 1, len(table))
    table["weight"], table["left"] = weight.astype(str), np.where(weight < 6.2, "low", "fine")
    found = adopt.understand(table, "left", None, params)
    assert found.contract.columns["weight"].role == "ignore"


def test_a_column_that_is_constant_in_a_sample_is_looked_at_without_a_warning(table, params):
    found = adopt.understand(table, "income, monthly", None, params)
    assert suspicion.leaks(found.table.assign(age=40), found.contract) == []


def test_a_strong_column_is_not_left_out_since_it_is_right_about_a_few_rows(table, params):
    rare = np.arange(len(table)) < 14
    table["left"] = np.where(rare, "yes", "no")
    table["dose"] = np.where(rare, 20, np.arange(len(table)) % 19).astype(str)
    found = adopt.understand(table, "left", None, params)
    assert found.contract.columns["dose"].role == "feature"
    assert any("dose alone predicts" in one for one in found.suspicions)
    assert suspicion.most_telling(found.table, found.contract, 20) is None


def test_why_a_column_is_ignored_is_a_comment_that_stays_and_a_person_may_overrule(source, table):
    table.assign(copy=table["left"]).to_csv(source, index=False)
    for _ in range(2):
        adopt.main(source, "left", False)
        (line,) = [one for one in files.CONTRACT.read_text().splitlines() if "  copy:" in one]
        assert "role: ignore" in line and "# gives the target away" in line
    files.CONTRACT.write_text(files.CONTRACT.read_text().replace(line, "  copy: {type: boolean}"))
    adopt.main(source, "left", False)
    assert contract.Contract.load().columns["copy"].role == "feature"


def test_a_metric_and_edits_are_kept_when_columns_come_and_go_and_this_is_said(
    source, table, edit, project
):
    adopt.main(source, "left", False)
    edit(project / "params.yaml", "metric", "brier")
    edit(project / "contract.yaml", "columns.age.type", "number")
    table.drop(columns="plan").assign(region="north").to_csv(source, index=False)
    shown = Console(width=300, file=io.StringIO())
    shown.print(adopt.main(source, "left", False))
    said = shown.file.getvalue()
    assert config.Params.load().metric == "brier"
    assert contract.Contract.load().columns["age"].type == "number"
    assert "plan" not in contract.Contract.load().columns
    for told in ("6 columns are kept", "gone from the table: plan", "new: region", "brier is kept"):
        assert told in said
    adopt.main(source, "left", True)
    assert config.Params.load().metric == "roc_auc"


def test_columns_that_add_up_to_the_target_are_suspicious(params):
    rng = np.random.default_rng(0)
    parts = pd.DataFrame(rng.integers(0, 500, (200, 3)), columns=["new", "old", "noise"])
    parts["all"] = parts["new"] + parts["old"]
    found = adopt.understand(parts.astype(str), "all", None, params)
    assert any("new and old add up" in one for one in found.suspicions)


def test_what_has_nothing_to_learn_from_is_refused_in_a_sentence(table, params, refused):
    with refused("the table has no rows"):
        adopt.understand(table.head(0), "left", None, params)
    with refused("TARGET=left", "no value at all"):
        adopt.understand(table.assign(left=""), "left", None, params)


def test_duplicates_are_counted(table, params):
    table = pd.concat([table, table.head(7)], ignore_index=True)
    table["customer id"] = "x"
    found = adopt.understand(table, "left", None, params)
    assert any("7 rows are exact duplicates" in one for one in found.suspicions)


def test_equal_rows_are_kept_where_the_columns_do_not_tell_cases_apart(source):
    rng = np.random.default_rng(0)
    left = np.where(rng.random(2_000) < 0.1, "yes", "no")
    coarse = pd.DataFrame({"age": rng.integers(18, 60, 2_000), "left": left})
    coarse["sex"] = rng.choice(["f", "m"], 2_000)
    coarse.to_csv(source, index=False)
    shown = told(adopt.main(str(source), "left", overwrite=False))
    assert "preprocess.duplicates: keep, since of 84 combinations of features" in shown
    params, found = config.Params.load(), contract.Contract.load()
    assert params.preprocess.duplicates == "keep"
    prepared = preprocess.prepare(coarse, found, params)
    assert prepared.counts["duplicates"] == 0
    assert len(prepared.train) + len(prepared.test) == 2_000
    yes = [(part["left"] == "yes").mean() for part in (coarse, prepared.train, prepared.test)]
    assert yes == pytest.approx([yes[0]] * 3, rel=0.1)


def test_a_table_with_more_bad_cells_than_allowed_raises_the_limit_and_says_so(table, params):
    for position, column in enumerate(["a", "b", "c", "d"]):
        table[column] = [str(number) for number in range(len(table))]
        table.loc[position, column] = f"oops {position}"
    found = adopt.understand(table, "left", None, params)
    assert found.max_invalid > params.preprocess.max_invalid
    assert any("preprocess.max_invalid" in note for note in found.notes)


@pytest.mark.parametrize("name", ["shop_id", "Patient"])
def test_a_better_split_than_a_random_one_is_suggested(table, params, name):
    table["moment"] = pd.date_range("2024-01-01", periods=len(table)).astype(str)
    table[name] = [f"s{number // 5}" for number in range(len(table))]
    notes = " ".join(adopt.understand(table, "left", None, params).notes)
    assert "order of moment" in notes and "role: time" in notes
    assert f"each {name} is in 5.0 rows" in notes and "role: group" in notes
