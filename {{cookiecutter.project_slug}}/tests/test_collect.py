import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import files

HINT = "hint of the tests"


def test_the_table_is_kept_as_it_came_with_a_record_of_where_from(project, raw, command):
    record = files.read_json(files.RAW_RECORD)
    pd.testing.assert_frame_equal(pd.read_parquet(files.RAW_TABLE), raw, check_dtype=False)
    assert record["source"] == "data/rows.parquet"
    assert record["rows"] == len(raw)
    assert list(record["columns"]) == list(raw.columns)
    assert record["sha256"] == files.sha256(files.RAW_TABLE)


@pytest.mark.parametrize("source", ["data/nowhere.csv", "data/empty.csv", "gopher://x"])
def test_a_source_that_gives_no_rows_is_refused_and_the_earlier_table_stays(
    project, command, edit, capsys, source
):
    before = files.RAW_TABLE.read_bytes(), files.RAW_RECORD.read_bytes()
    pd.DataFrame({"a": []}).to_csv(project / "data/empty.csv", index=False)
    edit(project / "params.yaml", "collect.source", source)
    assert command("collect") == 2
    assert f"params.yaml: collect.source: {source}" in capsys.readouterr().err
    assert (files.RAW_TABLE.read_bytes(), files.RAW_RECORD.read_bytes()) == before


def test_collecting_a_changed_source_brings_the_new_table(project, raw, command):
    raw.head(300).to_parquet(project / "data/rows.parquet", index=False)
    assert command("collect") == 0
    assert len(pd.read_parquet(files.RAW_TABLE)) == files.read_json(files.RAW_RECORD)["rows"] == 300


def test_collecting_the_same_rows_again_changes_nothing(project, command, edit):
    earlier = files.read_json(files.RAW_RECORD) | {"collected": "2020-01-01T00:00:00+00:00"}
    files.write_json(files.RAW_RECORD, earlier)
    before = files.RAW_TABLE.read_bytes(), files.RAW_RECORD.read_bytes()
    assert command("collect") == 0
    assert (files.RAW_TABLE.read_bytes(), files.RAW_RECORD.read_bytes()) == before


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (lambda table: table.head(50), ["50 rows", "360", "collect.max_shrink"]),
        (lambda table: table.rename(columns={HINT: "clue"}), [HINT, "clue", "gone", "make adopt"]),
        (lambda table: table.assign(**{HINT: "a text"}), [HINT, "was number, is text"]),
    ],
)
def test_a_table_unlike_the_earlier_one_is_refused_and_the_earlier_stays(
    project, raw, command, capsys, change, messages
):
    before = files.RAW_TABLE.read_bytes(), files.RAW_RECORD.read_bytes()
    change(raw).to_parquet(project / "data/rows.parquet", index=False)
    assert command("collect") == 2
    said = capsys.readouterr().err
    for message in [*messages, "the earlier data stays"]:
        assert message.replace("360", f"{len(raw)}") in said
    assert (files.RAW_TABLE.read_bytes(), files.RAW_RECORD.read_bytes()) == before
