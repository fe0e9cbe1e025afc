import json
from datetime import datetime

import made_up
import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from {{cookiecutter.project_slug}}.contract import cells, row, table

MISSING = {"nullable": True}


def check(values, **column):
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object), "y": ["1"] * len(values)})
    return table.check(frame, made_up.contract_of(x=column))


def test_the_projects_own_rows_keep_the_contract(raw, typed, contract):
    assert len(typed) == len(raw)
    assert list(typed.columns) == list(contract.kept)
    assert [str(dtype) for dtype in typed.dtypes] == [
        table.DTYPES[column.type] for column in contract.kept.values()
    ]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("integer", ["1", " 2 ", "", "9007199254740993"], [1, 2, None, 2**53 + 1]),
        ("integer", ["1.0", "-2e3"], [1, -2000]),
        ("number", ["1", "-2.5e3", " 7 ", ""], [1.0, -2500.0, 7.0, None]),
        ("boolean", ["true", "NO", "1", "0.0", ""], [True, False, True, False, None]),
        ("text", ["a", " b ", "", "NA"], ["a", "b", None, "NA"]),
        ("category", ["01", "1", "", "x"], ["01", "1", None, "x"]),
        (
            "datetime",
            ["2024-02-29", "2024-02-29T12:00:00+02:00", "", "1900-01-01 00:00:01.5"],
            ["2024-02-29", "2024-02-29T10:00", None, "1900-01-01T00:00:01.5"],
        ),
    ],
)
def test_texts_become_values_of_the_columns_type(kind, given, expected):
    checked = check(given, type=kind, nullable=True)
    assert checked.invalid.empty
    dtype = table.DTYPES[kind]
    assert checked.valid["x"].equals(pd.Series(expected, dtype=dtype, name="x"))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ({"type": "integer"}, "1.5", "x: '1.5' is not of type integer"),
        ({"type": "integer"}, "99999999999999999999999", "is not of type integer"),
        ({"type": "number"}, "tall", "x: 'tall' is not of type number"),
        ({"type": "number"}, "inf", "x: 'inf' is not of type number"),
        ({"type": "boolean"}, "2", "x: '2' is not of type boolean"),
        ({"type": "datetime"}, "31/12/2024", "is not of type datetime"),
        ({"type": "number", "minimum": 2}, "1", "x: 1.0 is below the minimum 2"),
        ({"type": "integer", "maximum": 0}, "1", "x: 1 is above the maximum 0"),
        ({"type": "category", "levels": ["a", "b"]}, "c", "x: 'c' is not one of the levels"),
        ({"type": "text"}, "", "x: a value is missing"),
    ],
)
def test_a_row_that_breaks_the_contract_is_set_apart_with_the_reason(column, value, reason):
    good = {"category": "a", "boolean": "0", "datetime": "2024-12-31", "number": "3"}
    fine = good.get(column["type"], "0")
    checked = check([fine, value, fine], **column)
    assert len(checked.valid) == 2
    assert checked.invalid.index.tolist() == [1]
    assert checked.invalid["x"].tolist() == [value]
    assert reason in checked.invalid["reason"].iloc[0]


def test_all_that_is_wrong_with_a_row_is_said():
    frame = pd.DataFrame({"a": [9], "b": [-9], "y": [0]})
    contract = made_up.contract_of(
        a={"type": "number", "maximum": 1}, b={"type": "integer", "minimum": 1}
    )
    reason = table.check(frame, contract).invalid["reason"].iloc[0]
    assert "a: 9.0 is above the maximum 1" in reason
    assert "is below the minimum 1" in reason


def test_an_unknown_level_is_kept_where_the_contract_allows_it():
    assert check(["z"], type="category", levels=["a"], allow_unknown=True).invalid.empty


def test_a_row_without_target_is_no_broken_row():
    frame = pd.DataFrame({"x": ["1"], "y": [""]})
    checked = table.check(frame, made_up.contract_of(x={"type": "number"}))
    assert checked.valid["y"].isna().tolist() == [True]


def test_words_of_the_contract_mean_a_missing_value():
    contract = made_up.contract_of(x={"type": "number", **MISSING}).model_copy(
        update={"missing": ("", "?", "NA")}
    )
    checked = table.check(pd.DataFrame({"x": ["?", " NA ", "1"], "y": "1"}), contract)
    assert checked.valid["x"].isna().tolist() == [True, True, False]


def test_missing_columns_are_refused_by_name(raw, contract, refused):
    first = next(iter(contract.features))
    with refused("lacks columns", f"{first} (did you mean {first}s?)"):
        table.check(raw.rename(columns={first: f"{first}s"}), contract)


def test_columns_may_come_in_any_order_and_others_are_dropped(raw, typed, contract):
    shuffled = raw[raw.columns[::-1]].assign(surplus="?")
    assert table.check(shuffled, contract).valid.equals(typed)


def test_a_typed_table_stays_what_it_is(typed, contract):
    assert table.check(typed, contract).valid.equals(typed)


def as_table(rows, contract):
    frame = pd.DataFrame(rows, columns=list(contract.features), dtype=object)
    return table.check(frame, contract, target=False)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), own=st.booleans())
def test_a_row_has_the_same_cells_as_a_request_and_in_a_table(contract, data, own):
    chosen = contract if own else made_up.contract_of(**made_up.EVERY_TYPE)
    rows = data.draw(made_up.bodies(chosen))
    model = row.row_model(chosen)
    asked = [row.values(model.model_validate_json(json.dumps(one))) for one in rows]
    checked = as_table(rows, chosen)
    assert checked.invalid.empty
    assert cells.rows_of_table(checked.valid, chosen) == [cells.of_row(one) for one in asked]


TEXTS = ["flat", " flat ", "\u2003flat\n", "", " ", "?", " ? ", "NA", "Flat", "steep", "fl at"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("kind", ["closed", "open", "text"])
def test_a_text_is_taken_or_refused_in_a_request_as_in_a_table(text, nullable, kind):
    column = {"type": "text" if kind == "text" else "category", "nullable": nullable}
    column |= {"levels": ["flat", "up"]} if kind == "closed" else {}
    contract = made_up.contract_of(x=column).model_copy(update={"missing": ("", "?", "NA")})
    checked = as_table([{"x": text}], contract)
    try:
        asked = row.row_model(contract).model_validate_json(json.dumps({"x": text}))
    except pydantic.ValidationError as error:
        assert len(checked.invalid) == 1
        (fault,) = error.errors()
        said = "Input should be 'flat' or 'up'" if kind == "closed" else "a value is missing"
        assert fault["loc"] == ("x",) and said in fault["msg"]
    else:
        assert checked.invalid.empty
        assert cells.rows_of_table(checked.valid, contract) == [cells.of_row(row.values(asked))]


def test_columns_of_rows_are_the_rows_turned(typed, contract):
    rows = cells.rows_of_table(typed.head(5), contract)
    columns = cells.columns_of_rows(rows, contract)
    assert list(columns) == list(contract.features)
    for name, column in columns.items():
        expected = cells.of_series(typed[name].head(5))
        if isinstance(expected, np.ndarray):
            np.testing.assert_array_equal(np.array(column, dtype=float), expected)
        else:
            assert column == expected


ROW = st.fixed_dictionaries(
    {
        "integer": st.none() | st.integers(-(2**53), 2**53),
        "number": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.none() | st.booleans(),
        "category": st.none() | st.sampled_from(["a", "nan", "1"]),
        "text": st.none() | st.just("two words"),
        "datetime": st.none() | st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
    }
)


@given(row=ROW, kinds=st.sets(st.sampled_from(list(table.DTYPES)), min_size=1))
def test_a_table_of_one_row_has_the_cells_that_the_row_has_in_a_longer_one(row, kinds):
    chosen = {kind: pd.Series([row[kind], None], dtype=table.DTYPES[kind]) for kind in kinds}
    two = pd.DataFrame(chosen)
    alone, among = (cells.of_table(rows, chosen) for rows in (two.head(1), two))
    for kind in kinds:
        dtype = object if kind in ("category", "text") else float
        one, several = (np.array(list(found[kind]), dtype=dtype) for found in (alone, among))
        np.testing.assert_array_equal(one, several[:1])
