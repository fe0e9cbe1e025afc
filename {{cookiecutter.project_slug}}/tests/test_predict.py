import contextlib
import signal
import sqlite3

import made_up
import pandas as pd
import pytest
import released

from {{cookiecutter.project_slug}} import predict


@pytest.fixture
def table(raw, contract):
    return raw[list(contract.features)].head(40)


def test_rows_are_scored_as_the_pipeline_scores_them(champion, table, typed, contract):
    found = predict.predict(table, champion)
    expected = champion.score_table(typed.head(40))
    assert found["prediction"].tolist() == expected.labels.tolist()
    for position, label in enumerate(contract.classes or ()):
        assert found[f"probability of {label}"].tolist() == expected.values[:, position].tolist()
    if contract.classes is None:
        assert (found["low"] <= found["prediction"]).all()
        assert (found["prediction"] <= found["high"]).all()
    assert found["reason"].isna().all()
    assert found[table.columns].equals(table)


def test_a_broken_row_keeps_its_place_and_says_why(champion, table):
    broken = table.astype(object)
    broken.loc[1, table.columns[-1]] = "nonsense"
    found = predict.predict(broken, champion)
    assert found["prediction"].isna().tolist() == [False, True] + [False] * 38
    assert found["reason"].notna().tolist() == [False, True] + [False] * 38
    assert "nonsense" in found.loc[1, "reason"]
    fine = predict.predict(table, champion)
    shared = [name for name in fine if name.startswith(("prediction", "probability of "))]
    pd.testing.assert_frame_equal(found[shared].drop(1), fine[shared].drop(1), check_exact=True)


@pytest.mark.parametrize("rows", [0, 3])
def test_a_table_without_a_good_row_is_scored_as_well(champion, table, rows):
    broken = table.head(rows).astype(object).assign(**{table.columns[-1]: "nonsense"})
    found = predict.predict(broken, champion)
    assert len(found) == rows
    assert found["prediction"].isna().all()


def test_a_scored_table_can_be_scored_again(champion, table):
    once = predict.predict(table, champion)
    assert predict.predict(once, champion).equals(once)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_is_scored_in_parts_as_in_one(project, table, command, monkeypatch, capsys, ending):
    table.to_parquet("rows.parquet")
    assert command("predict", "rows.parquet", f"out/whole.{ending}") == 0
    monkeypatch.setattr(predict, "CHUNK", 7)
    assert command("predict", "rows.parquet", f"out/parts.{ending}") == 0
    read = getattr(pd, f"read_{ending}")
    parts = read(f"out/parts.{ending}")
    pd.testing.assert_frame_equal(parts, read(f"out/whole.{ending}"), check_exact=True)
    assert len(parts) == 40
    assert "40 rows" in capsys.readouterr().out


def test_a_wrong_argument_is_refused(project, table, command, capsys):
    table.drop(columns=table.columns[0]).to_parquet("short.parquet")
    table.to_parquet("rows.parquet")
    for arguments, message in (
        (("nowhere.csv", "out.csv"), "nowhere.csv"),
        (("rows.parquet", "out.xlsx"), "out.xlsx"),
        (("short.parquet", "out.csv"), str(table.columns[0])),
    ):
        assert command("predict", *arguments) == 2
        assert message in capsys.readouterr().err
    assert not list(project.glob("out*"))


@pytest.fixture
def many(project, typed, contract):
    """Write a table that is scored in several parts; returns it."""
    table = pd.concat([typed[list(contract.features)]] * 3, ignore_index=True)
    table.to_parquet("many.parquet")
    return table


def test_a_run_that_was_killed_goes_on_where_it_was(project, many, monkeypatch, champion):
    monkeypatch.setattr(predict, "CHUNK", 10)
    monkeypatch.setattr(predict, "PART", 2)
    calls, score = [], predict.score

    def counted(batch, champion):
        calls.append(batch.num_rows)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return score(batch, champion)

    monkeypatch.setattr(predict, "score", counted)
    with pytest.raises(KeyboardInterrupt):
        predict.main("many.parquet", "out.parquet")
    assert not (project / "out.parquet").exists()
    predict.main("many.parquet", "out.parquet")
    assert sum(calls[4:]) == 10 + len(many) - 40, "the first two parts are not scored again"
    found, expected = pd.read_parquet("out.parquet"), predict.predict(many, champion)
    assert list(found) == list(expected)
    said = ["prediction", *(name for name in found if name.startswith("probability of "))]
    pd.testing.assert_frame_equal(found[said], expected[said], check_dtype=False, check_exact=True)
    assert not list(project.glob(".out*")), "nothing is left behind"


def test_a_table_that_changed_is_scored_anew(project, many, monkeypatch):
    monkeypatch.setattr(predict, "CHUNK", 10)
    monkeypatch.setattr(predict, "PART", 2)
    killed(project, "many.parquet", "out.csv")
    assert list(project.glob(".out.csv.*/part-*"))
    many.head(15).to_parquet("many.parquet")
    assert predict.main("many.parquet", "out.csv")[0] == 15
    assert len(pd.read_csv("out.csv")) == 15
    assert not list(project.glob(".out*"))


# Stops just before a file takes its place: killed, or until it is told to go on.
STOPPED = f"""
import os, pathlib, signal, sys
source, place, then = sys.argv[1:]
replace = pathlib.Path.replace
def stop(self, target):
    if pathlib.Path(target).name == place:
        if then == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        print("here", flush=True)
        sys.stdin.readline()
    return replace(self, target)
pathlib.Path.replace = stop
from {predict.__name__.partition(".")[0]} import predict
predict.CHUNK, predict.PART = 10, 2
predict.main(source, "out.csv")
"""


def killed(project, source, place):
    process = released.start(project, "-c", STOPPED, source, place, "kill")
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said


def outputs(project):
    return sorted(one.name for one in project.iterdir() if "out" in one.name)


@pytest.mark.parametrize("place", ["input.parquet", "part-000001.parquet", "out.csv"])
def test_a_run_killed_at_any_step_leaves_no_output_and_the_next_one_no_trace(
    project, many, champion, monkeypatch, place
):
    monkeypatch.setattr(predict, "CHUNK", 10)
    monkeypatch.setattr(predict, "PART", 2)
    many.to_csv("many.csv", index=False)
    killed(project, "many.csv", place)
    assert outputs(project) == [".out.csv.parts"]
    assert predict.main("many.csv", "out.csv")[0] == len(many)
    assert outputs(project) == ["out.csv"]
    expected = predict.predict(many, champion)["prediction"].astype(str).tolist()
    assert pd.read_csv("out.csv", dtype=str)["prediction"].tolist() == expected


def test_two_runs_do_not_write_the_same_output_at_once(project, many, refused):
    many.head(15).to_parquet("few.parquet")
    with released.start(project, "-c", STOPPED, "many.parquet", "out.csv", "wait") as first:
        assert "here\n" in first.stdout
        for source in ("many.parquet", "few.parquet"):
            with refused("another run", ".out.csv.parts"):
                predict.main(source, "out.csv")
        assert predict.main("few.parquet", "other.csv")[0] == 15
        first.communicate("go on\n")
    assert first.returncode == 0
    assert len(pd.read_csv("out.csv")) == len(many)
    assert outputs(project) == ["out.csv"]


def test_a_run_that_goes_on_with_a_table_read_earlier_says_so(project, table, monkeypatch, capsys):
    monkeypatch.setattr(predict, "CHUNK", 20)  # as much in a part as in the run that is killed
    monkeypatch.setattr(predict, "PART", 1)

    def write(rows):
        with contextlib.closing(sqlite3.connect("shop.db")) as shop:
            table.head(rows).to_sql("orders", shop, index=False, if_exists="replace")

    write(20)
    killed(project, "sqlite:///shop.db#orders", "out.csv")
    write(30)
    assert predict.main("sqlite:///shop.db#orders", "out.csv")[0] == 20
    said = capsys.readouterr().out
    assert "as it was read at" in said and "remove .out.csv.parts" in said
    assert predict.main("sqlite:///shop.db#orders", "out.csv")[0] == 30
    assert "as it was read" not in capsys.readouterr().out


def test_bad_rows_are_also_in_a_file_of_their_own(project, table, command, capsys):
    name = table.columns[-1]
    broken = table.astype(object)
    broken.loc[[2, 5], name] = "nonsense"
    broken.to_csv("rows.csv", index=False)
    assert command("predict", "rows.csv", "out.csv") == 0
    assert "2 break the contract; see out.rejected.csv" in " ".join(capsys.readouterr().out.split())
    rejected = pd.read_csv("out.rejected.csv")
    assert rejected[name].tolist() == ["nonsense"] * 2
    assert rejected["reason"].str.contains("nonsense").all()
    table.to_csv("rows.csv", index=False)
    assert command("predict", "rows.csv", "out.csv") == 0
    assert not (project / "out.rejected.csv").exists()


def test_a_table_of_a_database_is_scored_into_another_one(
    project, table, command, champion, capsys
):
    with contextlib.closing(sqlite3.connect("shop.db")) as shop:
        table.to_sql("orders", shop, index=False)
    arguments = ("sqlite:///shop.db#orders", "sqlite:///shop.db#scored")
    assert command("predict", *arguments) == 0
    with contextlib.closing(sqlite3.connect("shop.db")) as shop:
        found = pd.read_sql("select * from scored", shop)
    expected = predict.predict(table, champion)
    assert found["prediction"].astype(str).tolist() == expected["prediction"].astype(str).tolist()
    assert command("predict", *arguments) == 2
    assert "already exists" in capsys.readouterr().err


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_rows_of_every_type_are_scored_alike_however_they_are_written(task, tmp_path, monkeypatch):
    champion, frame = made_up.bundled(task, tmp_path / "model")
    frame = frame[list(champion.contract.features)]
    expected = champion.score_table(frame)
    forms = {
        "as it is": frame,
        "categories": frame.astype({"colour": "category", "city": "category"}),
        "texts": frame.astype(object).map(str, na_action="ignore"),
        "floats": frame.astype({"whole": "float64", "count": "float64"}),
    }
    for form, table in forms.items():
        found = predict.predict(table, champion)
        assert found["reason"].isna().all(), form
        assert found["prediction"].tolist() == expected.labels.tolist(), form
