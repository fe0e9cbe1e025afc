import gzip

import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import sources

TEXT = "id,note\n007,NA\n2,\n"


def test_delimited_text_stays_as_it_is_written(tmp_path):
    (tmp_path / "a.csv").write_text(TEXT)
    (tmp_path / "a.TSV").write_text(TEXT.replace(",", "\t"))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    for name in ("a.csv", "a.TSV", "a.csv.gz"):
        table = sources.read(str(tmp_path / name))
        assert table.to_dict("list") == {"id": ["007", "2"], "note": ["NA", ""]}


def test_a_parquet_table_comes_back_as_it_was(tmp_path, typed):
    sources.write(typed, tmp_path / "a.parquet")
    assert sources.read(f"file://{tmp_path}/a.parquet").equals(typed)


def test_a_written_csv_is_read_back(tmp_path, original):
    sources.write(original.head(20), tmp_path / "a.csv")
    assert sources.read(str(tmp_path / "a.csv")).shape == original.head(20).shape


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("nowhere.csv", ["nowhere.csv", "no such file"]),
        ("ftp://host/a.csv", ["ftp://host/a.csv", "unknown kind", "file"]),
        ("a.xls", ["a.xls", "unknown format", ".parquet"]),
        ("broken.parquet", ["broken.parquet"]),
        ("broken.csv.gz", ["broken.csv.gz"]),
        ("cut.csv.gz", ["cut.csv.gz"]),
        ("latin.csv", ["latin.csv", "utf-8"]),
        ("empty.csv", ["empty.csv"]),
        ("ragged.csv", ["ragged.csv"]),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(
    tmp_path, monkeypatch, refused, source, messages
):
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "a.xls": b"x",
        "broken.parquet": b"PAR1 no",
        "broken.csv.gz": b"a,b",
        "cut.csv.gz": gzip.compress(bytes(range(256)) * 99)[:-30],
        "latin.csv": "id\nMünchen\n".encode("latin-1"),
        "empty.csv": b"",
        "ragged.csv": b"a,b\n1,2\n1,2,3\n",
    }.items():
        (tmp_path / name).write_bytes(content)
    with refused(*messages):
        sources.read(source)


def test_an_unknown_format_is_not_written(tmp_path, refused):
    with refused("out.xlsx", ".parquet"):
        sources.write(pd.DataFrame({"a": [1]}), tmp_path / "out.xlsx")
