import pandas as pd
import pytest

from {{cookiecutter.project_slug}}.contract import inference, table, texts


def finding(cells, name="x"):
    series = pd.Series(cells)
    markers = inference.missing_markers(series.to_frame(name))
    return inference.infer(name, series, markers)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2", "30"] * 10, "integer"),
        (["1.5", "2", "3e4"] * 10, "number"),
        (["1,234", "12,345", "7"] * 10, "integer"),
        (["1.234,5", "0,25", "7"] * 10, "number"),
        (["1234,567", "-12,345", "7,001"] * 10, "number"),
        (["$ 1,200.50", "$ 3", "$ 12.10"] * 10, "number"),
        (["12 %", "3.5 %", "100 %"] * 10, "number"),
        (["1 200,50 EUR", "−3,10 EUR", "12,00 EUR"] * 10, "number"),
        (["1,248 CC", "998 CC", "796 CC"] * 10, "integer"),
        (["19.67 km/h", "21km/h", "8 km/h"] * 10, "number"),
        (["1.1M", "514K", "8.7k"] * 10, "integer"),
        (["10,000+", "500+", "1+"] * 10, "integer"),
        (["12 km", "13 mi", "14 km"] * 10, "category"),
        (["(1,234.50)", "99.10", "R$ 7"] * 10, "number"),
        (["yes", "No", "YES"] * 10, "boolean"),
        (["Y", "no", "TRUE", "f", "-"] * 10, "boolean"),
        (["Ja", "Nein"] * 10, "boolean"),
        (["yes", "no", "maybe"] * 10, "category"),
        ([True, False] * 10, "boolean"),
        (["a", "b", "c"] * 10, "category"),
        (["01234", "02345"] * 10, "category"),
        (["2024-01-31", "2024-02-28"] * 10, "datetime"),
        (["31/01/2024", "28/02/2024"] * 10, "datetime"),
        (["Jan 31, 2024", "Feb 28, 2024"] * 10, "datetime"),
        (["01/31/2024 11:59 PM", "02/28/2024 01:00 AM"] * 10, "datetime"),
        (["31JAN2024", "28FEB2024"] * 10, "datetime"),
        (["Wed Jan 31 23:59:59 2024", "Wed Feb 28 01:00:00 2024"] * 10, "datetime"),
        (["20240131", "19991231"] * 10, "datetime"),
        (["20240131", "19991331"] * 10, "integer"),
        (["20240131", "30010101"] * 10, "integer"),
        (["2024.01.31 10:00", "2024.02.28 11:30"] * 10, "datetime"),
        (["08:14", "23:59"] * 10, "datetime"),
        (["08:14:30 PM", "11:59:00 AM"] * 10, "datetime"),
        (["Jan 2024", "Feb 2024"] * 10, "datetime"),
        (["2024-01-31T10:00:00+02:00", "2024-02-28T10:00:00Z"] * 10, "datetime"),
        ([f"the text number {i} has some words" for i in range(60)], "text"),
        ([1.0, None, 3.0] * 10, "integer"),
        ([1.5, None, 3.0] * 10, "number"),
    ],
)
def test_a_column_is_what_its_cells_say(cells, expected):
    assert finding(cells).column.type == expected


def test_the_order_of_day_and_month_is_what_fits_every_cell():
    assert finding(["03/04/2024", "03/25/2024"] * 10).column.format == "%m/%d/%Y"
    assert finding(["03/04/2024", "25/04/2024"] * 10).column.format == "%d/%m/%Y"


def test_an_order_that_no_day_tells_is_said():
    assert "no day tells" in finding(["03/04/2024", "05/06/2024"] * 10).why
    assert "no day tells" not in finding(["2024/03/04", "2024/05/06"] * 10).why


@pytest.mark.parametrize("cell", ["2024-03-04 10:11", "2024/03/04 10:11", "2024.03.04 10:11"])
def test_a_moment_is_read_by_the_server_as_it_is_in_a_table(cell):
    column = finding([cell, cell.replace("03", "05")] * 10).column
    assert texts.value(cell, column, ()) == "2024-03-04T10:11:00"


@pytest.mark.parametrize("marker", ["?", "NA", "", "null", "NaT", "-", "missing", "unknown"])
@pytest.mark.parametrize(
    ("cells", "expected"),
    [(["1", "2", "3"], "integer"), (["31/01/2024", "28/02/2024", "03/04/2024"], "datetime")],
)
def test_a_marker_of_no_value_does_not_hide_numbers_and_moments(marker, cells, expected):
    found = finding([*cells, marker] * 10)
    assert found.column.type == expected
    assert found.column.nullable
    assert finding(["none", "some", marker, "much"] * 10).column.type == "category"


def test_a_level_that_could_be_a_marker_stays_a_level_among_words():
    assert "none" in finding(["none", "some", "much", "more"] * 10).column.levels


def test_a_few_cells_of_another_type_do_not_change_the_type():
    assert finding([*map(str, range(999)), "oops"]).column.type == "integer"
    assert finding([*map(str, range(90)), *["a", "b", "c", "d"] * 5]).column.type == "category"


def test_a_text_that_comes_again_and_again_among_numbers_means_no_value():
    column = finding([*map(str, range(90)), *["not asked"] * 10]).column
    assert (column.type, column.nullable, column.missing) == ("integer", True, ("not asked",))
    column = finding([*map(str, range(90)), *["not asked", "-"] * 10]).column
    assert (column.type, set(column.missing)) == ("integer", {"not asked", "-"})


def test_a_unit_without_a_number_means_no_value():
    cells = pd.Series([*[f"{number % 80} bhp" for number in range(90)], *["bhp", "null bhp"] * 5])
    column = finding(cells).column
    assert (column.type, column.unit, column.missing) == ("integer", "bhp", ("bhp", "null bhp"))
    typed, wrong = table.convert(cells, column)
    assert wrong.empty and typed.isna().sum() == 10


def test_an_id_is_read_as_it_is_written():
    cells = pd.Series([f"{number} Nr" for number in range(100, 150)])
    column = finding(cells).column
    assert column.role == "id"
    assert table.convert(cells, column)[1].empty


def test_what_means_no_value_in_one_column_is_a_level_in_another():
    raw = pd.DataFrame(
        {
            "visits": [*map(str, range(60)), *["No"] * 20, *["None"] * 20],
            "insured": ["Yes", "No"] * 50,
            "garage": ["None", "Attached", "Detached", "None"] * 25,
            "outcome": ["None", "No", "1", "2", "3"] * 20,
        }
    )
    markers = inference.missing_markers(raw)
    findings = [inference.infer(name, raw[name], markers) for name in raw]
    findings[-1] = inference.as_target(findings[-1], raw["outcome"], markers)
    checked = table.check(raw, inference.contract_of(findings, markers))
    assert checked.invalid.empty
    assert checked.valid["visits"].isna().sum() == 40
    assert checked.valid["insured"].dtype == "boolean"
    assert set(checked.valid["garage"]) == {"None", "Attached", "Detached"}
    assert set(checked.valid["outcome"]) == {"None", "No", "1", "2", "3"}


def test_constants_and_empty_columns_are_left_out():
    assert finding(["same"] * 30).column.role == "ignore"
    assert finding([None] * 30).column.role == "ignore"


def test_identifiers_are_recognised():
    assert finding([f"u{i}" for i in range(50)]).column.role == "id"
    assert finding([*range(100, 150)], "anything").column.role == "id"
    assert finding([i * 7 % 101 for i in range(50)], "patient_id").column.role == "id"
    assert finding([i * 7 % 101 for i in range(50)], "height").column.role == "feature"
    for name in ("patient_id", "patientId", "ID"):
        assert finding([*range(0, 80, 2), *range(10)], name).column.role == "id"
        assert finding([*range(0, 80, 2)] * 2, name).column.role == "feature"
    assert finding([*range(0, 80, 2), *range(10)], "paid").column.role == "feature"


def test_bounds_hold_every_value_and_more():
    for cells in ([1990, 1995] * 10, [-3.7, 12.25] * 10, [0.001, 0.0012] * 10, [-9, -7] * 10):
        column = finding(cells).column
        assert column.minimum < min(cells) and column.maximum > max(cells)
    assert finding([0, 5] * 10).column.minimum == 0


def test_a_bound_beyond_every_number_is_none():
    column = finding([-1.7e308, 1.7e308] * 10).column
    assert (column.minimum, column.maximum) == (None, None)


def test_many_levels_are_not_listed():
    cells = [f"c{i % 70}" for i in range(700)]
    assert finding(cells).column.levels is None
    assert finding(cells[:40] * 3).column.levels is not None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["no", "yes", "no"] * 10, "yes"),
        (["good", "good", "bad"] * 10, "bad"),
        (["red", "blue", "blue"] * 10, "red"),
        ([0, 1, 1] * 10, "1"),
        ([True, False] * 10, "true"),
    ],
)
def test_the_positive_class_is_the_telling_or_the_rarer_one(cells, expected):
    series = pd.Series(cells)
    found = inference.as_target(finding(cells), series, ("",))
    assert found.column.positive.lower() == expected


def test_a_target_of_yes_and_no_in_many_spellings_is_of_two_classes():
    cells = pd.Series(["Yes", "yes", "No", "Y"] * 10)
    column = inference.as_target(finding(cells), cells, ("",)).column
    assert (column.type, column.role) == ("boolean", "target")


def test_a_target_of_many_numbers_is_a_number():
    cells = [*range(100)] * 2
    found = inference.as_target(finding(cells), pd.Series(cells), ("",))
    assert (found.column.type, found.column.levels) == ("integer", None)


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        ([*range(1, 33)] * 20, 32),
        ([*range(3, 9)] * 20, 6),
        ([number for number in range(25) for _ in range(1 + 2 ** (number % 10))], 0),
        ([0.5, 1.5, 2.5] * 20, 0),
    ],
)
def test_whole_numbers_are_classes_if_they_look_like_codes(cells, classes):
    found = inference.as_target(finding(cells), pd.Series(cells), ("",))
    assert len(found.column.levels or ()) == classes
