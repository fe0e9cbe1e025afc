import json

import made_up
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from {{cookiecutter.project_slug}}.contract import definition, row

X = {"type": "number"}
Y = {"type": "number", "role": "target"}


def test_the_projects_own_contract_is_accepted_and_suits_its_task(contract, params):
    contract.require(params.task)


@pytest.mark.parametrize(
    ("columns", "messages"),
    [
        ({"x": X}, ["exactly one column", "target"]),
        ({"x": X, "y": Y, "z": Y}, ["exactly one column", "'z'"]),
        ({"y": Y}, ["at least one"]),
        ({"x": {"type": "real"}, "y": Y}, ["columns.x.type", "'real' was given"]),
        ({"x": {**X, "rang": 1}, "y": Y}, ["columns.x.rang is unknown", "role"]),
        ({"type": {**X, "rang": 1}, "y": Y}, ["columns.type.rang is unknown", "role"]),
        ({"x": {**X, "nulable": True}, "y": Y}, ["did you mean nullable?"]),
        ({"x": {}, "y": Y}, ["columns.x.type is missing"]),
        ({"x": {**X, "minimum": 2, "maximum": 1}, "y": Y}, ["columns.x", "above maximum"]),
        ({"x": {"type": "text", "minimum": 2}, "y": Y}, ["columns.x", "for numbers"]),
        ({"x": {**X, "levels": ["a"]}, "y": Y}, ["columns.x", "category"]),
        ({"x": {"type": "category", "levels": ["a", "a"]}, "y": Y}, ["differ"]),
        ({"x": {"type": "category", "levels": ["a "]}, "y": Y}, ["columns.x", "'a ' has blanks"]),
        ({"x": {"type": "category", "levels": [""]}, "y": Y}, ["columns.x", "'' is a level and"]),
        ({"x": {**X, "positive": "a"}, "y": Y}, ["positive is for a target"]),
        ({"x": {**X, "role": "time"}, "y": Y}, ["columns.x", "datetime"]),
        ({"x": X, "y": {"type": "text", "role": "target"}}, ["columns.y", "text"]),
        ({"x": X, "y": {"type": "category", "role": "target"}}, ["two or more levels"]),
        ({"x": X, "y": {**made_up.TARGETS["binary"], "positive": "c"}}, ["'c' is not one"]),
        ({"x": X, "y": Y, "g": {**X, "role": "group"}, "h": {**X, "role": "group"}}, ["group"]),
    ],
)
def test_a_contract_that_makes_no_sense_is_refused(tmp_path, refused, columns, messages):
    YAML().dump({"columns": columns}, tmp_path / "contract.yaml")
    with refused("contract.yaml: ", *messages):
        definition.Contract.load(tmp_path / "contract.yaml")


@pytest.mark.parametrize("target", made_up.TARGETS)
@pytest.mark.parametrize("task", made_up.TARGETS)
def test_a_target_suits_its_own_task_alone(refused, task, target):
    contract = made_up.contract_of(x=X, y=made_up.TARGETS[target])
    if task == target:
        contract.require(task)
    else:
        with refused("params.yaml: task is", "contract.yaml", f"set task: {target}"):
            contract.require(task)


def test_the_positive_class_is_the_last_even_if_it_sorts_first():
    contract = made_up.contract_of(x=X, y=made_up.TARGETS["binary"])
    assert contract.classes == ("b", "a")
    assert made_up.contract_of(x=X, y={"type": "boolean", "role": "target"}).classes == (
        False,
        True,
    )


def test_ignored_columns_are_kept_out_of_the_model_unless_they_are_watched():
    contract = made_up.contract_of(
        x=X,
        number={"type": "integer", "role": "id"},
        left={"type": "text", "role": "ignore"},
        watched={"type": "text", "role": "ignore", "sensitive": True},
    )
    assert list(contract.features) == ["x"]
    assert list(contract.kept) == ["x", "number", "watched", "y"]


def test_a_contract_is_the_same_after_it_went_through_json(contract, refused):
    assert definition.Contract.from_json(contract.model_dump_json()) == contract
    with refused("not a valid contract"):
        definition.Contract.from_json('{"columns": {}}')


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_rows_made_up_from_the_contract_are_accepted(contract, data):
    model = row.row_model(contract)
    for made in data.draw(made_up.bodies(contract)):
        found = model.model_validate_json(json.dumps(made))
        assert list(found.model_dump(by_alias=True)) == list(contract.features)


def test_the_example_row_is_accepted(contract):
    other = made_up.contract_of(
        **made_up.EVERY_TYPE,
        below={"type": "integer", "maximum": -5},
        above={"type": "number", "minimum": 7},
        narrow={"type": "integer", "minimum": 2, "maximum": 3},
    )
    for one in (contract, other):
        row.row_model(one).model_validate_json(json.dumps(row.example_row(one)))


GOOD = {"whole": 1, "moment": "2026-01-31T12:00:00"}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"whole": "1"}, "whole"),
        ({"whole": 1.5}, "whole"),
        ({"whole": True}, "whole"),
        ({"whole": 101}, "whole"),
        ({"whole": None}, "whole"),
        ({"share": "0.5"}, "share"),
        ({"flag": 1}, "flag"),
        ({"colour": "pink"}, "colour"),
        ({"city": 7}, "city"),
        ({"moment": "yesterday"}, "moment"),
        ({"moment": 1700000000}, "moment"),
        ({"moment": "1700000000"}, "moment"),
        ({"moment": "20240229"}, "moment"),
        ({"moment": "0001-01-01T00:00:00+05:00"}, "moment"),
        ({"colr": "red"}, "colr"),
    ],
)
def test_a_wrong_cell_is_refused_by_its_column(change, column):
    model = row.row_model(made_up.contract_of(**made_up.EVERY_TYPE))
    model.model_validate_json(json.dumps(GOOD))
    with pytest.raises(pydantic.ValidationError) as caught:
        model.model_validate_json(json.dumps({**GOOD, **change}))
    assert [error["loc"][0] for error in caught.value.errors()] == [column]


def test_a_moment_with_a_zone_is_brought_to_utc():
    model = row.row_model(made_up.contract_of(**made_up.EVERY_TYPE))
    east, utc = (
        model.model_validate_json(json.dumps({**GOOD, "moment": moment}))
        for moment in ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00")
    )
    assert east == utc


def test_the_schema_of_a_closed_category_lists_its_levels():
    contract = made_up.contract_of(x={"type": "category", "levels": ["a", "b"]})
    (documented,) = row.row_model(contract).model_json_schema()["properties"].values()
    assert (documented["enum"], documented["type"]) == (["a", "b"], "string")
