import json

import made_up
import pydantic
import pytest
from corpus import BODIES, CELLS
from hypothesis import given, settings
from hypothesis import strategies as st

from {{cookiecutter.project_slug}}.contract import row
from {{cookiecutter.project_slug}}.serving import messages, plain

CONTRACT = made_up.contract_of(
    **made_up.EVERY_TYPE,
    limited={"type": "number", "minimum": -0.5, "maximum": 1e300},
    odd={"type": "integer", "minimum": -1.5, "maximum": 1000.5},
    open={"type": "category", "levels": ["a", "b"], "allow_unknown": True},
).model_copy(update={"missing": ("", "?", "NA")})
MODEL = messages.request_model(CONTRACT, 5, row.example_row(CONTRACT))
PLAIN = plain.Plain(CONTRACT, 5)
# As JSON; what each is in a column of another type is asked, too.
ODD = [
    *(one for one in CELLS if len(one) < 20_000),
    *("0", "-0.0", "-0.5", "-0.50000000000000001", "1e300", "-1", "-2", "2.0", "1E2", "false"),
    *("9007199254740993", "0.1000000000000000055511151231257827", "2.2250738585072011e-308"),
    *("9223372036854775807", "-9223372036854775808", "18446744073709551616", "123456789e-320"),
    *map(
        json.dumps,
        ["red", " red", "Red", "\u2003a", "b ", "b", "NA", " ? ", "a\tb", "𝕏", "é\u0301"],
    ),
    *map(json.dumps, ["2024-02-29T00:00:00", "2024-02-29 23:59:59.999999", "2024-02-29t01:02:03"]),
    *map(json.dumps, ["2024-02-29T00:00:00.1", "2024-02-29T00:00:00.1234567", "2024-02-29T00:00"]),
    *map(json.dumps, ["2024-02-29T00:00:00Z", "2024-02-29T24:00:00", "2024-02-29T23:59:60"]),
    *map(json.dumps, ["0000-01-01T00:00:00", "2023-02-29T00:00:00", "٢024-02-29T00:00:00"]),
    *map(json.dumps, ["2024-02-29T00:00:00.123456+05:00", "1709164800", "2024-W09-4T00:00:00"]),
]
CELL = st.sampled_from(ODD) | made_up.values(CONTRACT.columns["city"]).map(json.dumps)


def by_the_model(body):
    """Return the values of the rows as the pydantic model reads them; None if it refuses."""
    try:
        asked = MODEL.model_validate_json(body)
    except pydantic.ValidationError:
        return None
    return None if asked.explain else [row.values(one) for one in asked.rows]


def exactly(rows):
    """Return what tells values apart to the last bit and the type."""
    return [[(type(value), repr(value)) for value in one] for one in rows]


def as_text(rows):
    cells = ("{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in one) + "}" for one in rows)
    return ('{"rows":[' + ",".join(cells) + "]}").encode("utf-8", "surrogatepass")


@settings(max_examples=300, deadline=None)
@given(rows=made_up.bodies(CONTRACT), data=st.data())
def test_what_is_taken_is_taken_by_the_model_as_the_same_values(rows, data):
    pairs = [[(name, json.dumps(cell)) for name, cell in one.items()] for one in rows]
    for _ in range(data.draw(st.integers(0, 3))):
        one = data.draw(st.sampled_from(pairs))
        names = st.sampled_from([*CONTRACT.features, "surplus"])
        one.append((data.draw(names), data.draw(CELL)))  # a key that is there twice, mostly
    body = as_text(pairs)
    found = PLAIN.read(body)
    assert found is None or exactly(found) == exactly(by_the_model(body))


@pytest.mark.parametrize("name", [*CONTRACT.features])
def test_each_odd_cell_is_left_to_the_model_or_read_as_it_does(name):
    plainly = 0
    for cell in ODD:
        given = row.example_row(CONTRACT) | {name: None}
        pairs = [(key, cell if key == name else json.dumps(value)) for key, value in given.items()]
        body = as_text([pairs])
        found = PLAIN.read(body)
        plainly += found is not None
        assert found is None or exactly(found) == exactly(by_the_model(body)), cell
    assert 0 < plainly < len(ODD)


@settings(max_examples=50, deadline=None)
@given(made_up.bodies(CONTRACT))
def test_what_clients_usually_send_is_taken(rows):
    tidied = [
        {n: v if type(v) is not str else v.strip() or None for n, v in one.items()} for one in rows
    ]
    body = json.dumps({"rows": tidied, "explain": False}).encode()
    assert exactly(PLAIN.read(body)) == exactly(by_the_model(body))


@pytest.mark.parametrize("body", BODIES)
def test_any_other_bytes_are_left_to_the_model(body):
    assert PLAIN.read(body) is None


def test_bounds_hold_and_what_is_to_be_explained_is_left():
    one = {n: v for n, v in row.example_row(CONTRACT).items() if v is not None}
    assert PLAIN.read(json.dumps({"rows": [one] * 5}).encode())
    assert PLAIN.read(json.dumps({"rows": [one] * 6}).encode()) is None
    assert PLAIN.read(json.dumps({"rows": [one], "explain": True}).encode()) is None


@pytest.mark.parametrize("name", ['a "quoted" one', "back\\slash", "two\nlines", "", "class", "é"])
def test_a_column_may_have_any_name(name):
    reader = plain.Plain(made_up.contract_of(**{name: {"type": "number"}}), 5)
    found = reader.read(json.dumps({"rows": [{name: 1}]}).encode())
    assert found == (None if any(one in name for one in '"\\\n') else [(1.0,)])
