import made_up
import pytest

from {{cookiecutter.project_slug}}.serving import tables

CONTRACT = made_up.contract_of(**made_up.EVERY_TYPE)


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("whole", 3.0, 3),
        ("whole", 3.5, 3.5),
        ("whole", True, True),
        ("whole", 1e300, int(1e300)),
        ("share", float("nan"), None),
        ("share", 3, 3),
        ("flag", 1, True),
        ("flag", 0.0, False),
        ("flag", 2, 2),
        ("note", "", None),
        ("whole", "", ""),
    ],
)
def test_a_cell_gets_the_type_of_its_column_where_nothing_is_lost(name, cell, expected):
    (found,) = tables.tidy({name: cell, "surplus": 1}, CONTRACT).values()
    assert found == expected and type(found) is type(expected)


def test_a_csv_table_gives_rows_of_the_columns_of_the_contract():
    text = "\r\n".join(["note,surplus,whole", '"a, ""b""\nc",1,2', "\0,,3", ""])
    rows = tables.of_csv(text, CONTRACT, 10)
    assert list(rows) == [{"note": 'a, "b"\nc', "whole": 2}, {"note": "\0", "whole": 3}]


def test_no_more_rows_of_a_csv_table_are_read_than_needed_to_refuse_it():
    with pytest.raises(tables.Unusable, match="there are 11 rows; send at most 10"):
        tables.of_csv("whole\n" + "1\n" * 99, CONTRACT, 10)
