import pandas as pd
import pytest

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
    pd.testing.assert_frame_equal(found[shared].drop(1), fine[shared].drop(1), rtol=1e-9)


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
    pd.testing.assert_frame_equal(parts, read(f"out/whole.{ending}"), rtol=1e-12)
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
