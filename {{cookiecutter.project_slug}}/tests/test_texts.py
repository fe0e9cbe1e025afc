import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{cookiecutter.project_slug}}.contract import definition, table, texts

MISSING = ("", "?")
NUMBERS = ["12", "12.0", " 7 ", "+7", "-2e3", "2e-1", "1.5", ".5", ".0", "5.", "1,234", "1.234"]
NUMBERS += [
    "1,5",
    "1.234,5",
    "1,234.5",
    "1234,567",
    "1234.567",
    "1,23",
    "1_000",
    "1 234",
    "1\u00a0234",
    "$5",
    "R$ 5",
    "12%",
]
NUMBERS += [
    "(5)",
    "\u22125",
    "0x10",
    "1e400",
    "nan",
    "inf",
    "-Infinity",
    "\uff11\uff12",
    "--1",
    "1e",
]
NUMBERS += ["1.5k", "5 km ", "2 K", "1,5M", "7+", "+", "k", "5km", "km", "1.234 km", "5 mi", "5E"]
NUMBERS += ["9" * 5_000, str(2**63 - 1), str(2**63), str(-(2**63)), str(-(2**63) - 1), "0.1", "?"]
WORDS = ["Yes", "Ja", "NON", "on", "OFF", "0", "1.0", "0.0", "T", "perhaps", "2", ""]
MOMENTS = ["2024-02-29", "20240229", "2024-02-29 12:30", "2024-02-29T12:30:05.5Z", "2024-02-30"]
MOMENTS += ["2024-02-29T12:30:05+02:00", "20240229T123005", "1700000000", "today-ish", "2024-W05-1"]
MOMENTS += ["2024-02-29T12:30:05,5", "2024-02-29_12:30", "2024-02-29t12:30", "9999-12-31", " ? "]
WRITTEN = ["29.2.24", "29.02.24", " 1.12.99", "2024-02-29", "30.02.24", "29.02.2024", ""]
KINDS = [
    ({"type": kind, "decimal": mark, "unit": unit}, text)
    for kind in ("integer", "number")
    for mark in ".,"
    for unit in ("", "km", "E")
    for text in NUMBERS
]
KINDS += [({"type": "boolean"}, text) for text in WORDS]
KINDS += [({"type": "datetime"}, text) for text in MOMENTS]
KINDS += [({"type": "datetime", "format": "%d.%m.%y"}, text) for text in WRITTEN]
KINDS += [({"type": "datetime", "format": "%H:%M"}, text) for text in ("08:14", "24:00")]
KINDS += [({"type": kind}, text) for kind in ("category", "text") for text in (" a ", "?", "12.0")]


def assert_is_read_as_in_a_table(text, column):
    cells = pd.Series([text], dtype=object)
    typed, wrong = table.convert(cells, column, MISSING)
    found = texts.value(text, column, MISSING)
    if len(wrong):
        assert found == text.strip()
    elif typed.isna()[0]:
        assert found is None
    elif column.type == "datetime":
        assert pd.to_datetime([found], utc=True)[0].tz_localize(None) == typed[0]
    else:
        assert found == typed[0]


@pytest.mark.parametrize(("column", "text"), KINDS)
def test_a_text_is_read_alone_as_in_a_table(column, text):
    assert_is_read_as_in_a_table(text, definition.Column(**column))


@given(
    st.text("0123456789.,eE+-\u2212 $%()\u00a0'kKM", min_size=1, max_size=8),
    st.sampled_from(["integer", "number"]),
    st.sampled_from([".", ","]),
    st.sampled_from(["", "k", "EM"]),
)
def test_any_number_is_read_alone_as_in_a_table(text, kind, decimal, unit):
    assert_is_read_as_in_a_table(text, definition.Column(type=kind, decimal=decimal, unit=unit))
