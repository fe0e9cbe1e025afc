import codecs
import datetime
import decimal
import functools
import gzip
import http.server
import json
import lzma
import sqlite3
import threading
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from {{cookiecutter.project_slug}} import sources
from {{cookiecutter.project_slug}}.contract import table

TEXT = "id,note\n007,NA\n2,\n"
CELLS = {"id": ["007", "2"], "note": ["NA", ""]}
LINES = "".join(f"{number},x{number},{number / 7:.3f}\n" for number in range(300))
AWKWARD = {
    "bom.csv": (codecs.BOM_UTF8 + TEXT.encode(), CELLS),
    "windows.csv": (TEXT.replace("\n", "\r\n").encode(), CELLS),
    "macintosh.csv": (TEXT.replace("\n", "\r").encode(), CELLS),
    "stray return.csv": (b"a,b\n1,x\ry\n2,z\n", {"a": ["1", "2"], "b": ["x y", "z"]}),
    "blank lines.csv": (b"\n\r\n\n" + TEXT.encode(), CELLS),
    "mixed ends.csv": (b"id,note\r\n007,NA\n2,\r\n", CELLS),
    "sheet export.csv": (b'a,b\r\n1,"x\ny"\r\n', {"a": ["1"], "b": ["x\ny"]}),
    "glob [1]*.csv": (TEXT.encode(), CELLS),
    "tabs.txt": (TEXT.replace(",", "\t").encode(), CELLS),
    "pipes.data": (TEXT.replace(",", "|").encode(), CELLS),
    "utf-16.csv": (TEXT.encode("utf-16"), CELLS),
    "no newline.csv": (TEXT.rstrip().encode(), CELLS),
    "packed.csv.xz": (lzma.compress(TEXT.encode()), CELLS),
    "ünï cödé.csv": (TEXT.encode(), CELLS),
    "european.csv": (b"a;b\n1,5;2\n3,25;4\n", {"a": ["1,5", "3,25"], "b": ["2", "4"]}),
    "commas.csv": (b"a;note\n1;x, y, z\n2;u, v\n", {"a": ["1", "2"], "note": ["x, y, z", "u, v"]}),
    "quotes.csv": (b'a,b\n1,"x\ny, ""z"""\n', {"a": ["1"], "b": ['x\ny, "z"']}),
    "backslashes.csv": (b'a,b\n1,"he said \\"hi\\""\n', {"a": ["1"], "b": ['he said "hi"']}),
    "single quotes.csv": (b"a,'b'\n'1,5','it''s'\n2,plain\n",
                          {"a": ["1,5", "2"], "b": ["it's", "plain"]}),
    "apostrophes.csv": (b"a,b\n'tis,x\nO'Neill,y'\n", {"a": ["'tis", "O'Neill"], "b": ["x", "y'"]}),
    "blanks.data": (b"  a   b c \n 1.5  2   x\n-3 4 y  \n",
                    {"a": ["1.5", "-3"], "b": ["2", "4"], "c": ["x", "y"]}),
    "write table.txt": (b'"a" "b"\n"r 1" 1 "x, y"\n"r 2" 3 "say \\"z\\""\n',
                        {"unnamed: 0": ["r 1", "r 2"], "a": ["1", "3"], "b": ["x, y", 'say "z"']}),
    "names of rows.csv": (b"a,b\nr1,1,2\nr2,3,4\n",
                          {"unnamed: 0": ["r1", "r2"], "a": ["1", "3"], "b": ["2", "4"]}),
    "ends in commas.csv": (b"a,b\n1,2,\n3,4,\n",
                           {"a": ["1", "3"], "b": ["2", "4"], "unnamed: 2": ["", ""]}),
    "one decimal.csv": (b"a;b\n1,5;2\n3,5;4\n", {"a": ["1,5", "3,5"], "b": ["2", "4"]}),
    "spaced names.csv": (b"my a,my b\nx y,z w\nu v,s t\n",
                         {"my a": ["x y", "u v"], "my b": ["z w", "s t"]}),
    "twice.csv": (b"a, a,b,a (2)\n1,2,3,4\n",
                  {"a": ["1"], "a (3)": ["2"], "b": ["3"], "a (2)": ["4"]}),
    "hashes.csv": (b"a,b\n#1,2\n3,#4\n", {"a": ["#1", "3"], "b": ["2", "#4"]}),
    "case.csv": (b"a,A\n1,2\n", {"a": ["1"], "A": ["2"]}),
    "words.csv": (b"class,def,lambda,\n1,2,3,\n",
                  {"class": ["1"], "def": ["2"], "lambda": ["3"], "unnamed: 3": [""]}),
    "pandas.csv": (b",a\n0,x\n1,y\n", {"unnamed: 0": ["0", "1"], "a": ["x", "y"]}),
    "one row.csv": (b"a,b\n1,2\n", {"a": ["1"], "b": ["2"]}),
    "one column.csv": (b"only\n1\n2\n", {"only": ["1", "2"]}),
    "late.csv": (b"a,b\n" + b"1,2\n" * 40_000 + b'3,"x,y"\n', {"b": ["2"] * 40_000 + ["x,y"]}),
    "german.csv": ("a\nGröße\n".encode("cp1252"), {"a": ["Größe"]}),
    "russian.csv": ("имя,город\nИван,Москва\nПётр,Казань\n".encode("cp1251"),
                    {"имя": ["Иван", "Пётр"], "город": ["Москва", "Казань"]}),
    "large.csv": (b"a,b\n9007199254740993,1\n", {"a": ["9007199254740993"]}),
    "lines.jsonl": (b'{"a": 1, "b": "x"}\n{"a": null, "b": 2, "c": {"d": 1}}\n',
                    {"a": [1, None], "b": ["x", "2"], "c": [None, '{"d":1}']}),
    "list.json": (json.dumps([{"a": 1.5, "t": "03/04/2024"}, {"a": 2}]).encode(),
                  {"a": [1.5, 2], "t": ["03/04/2024", None]}),
}  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD)
def test_a_file_is_read_as_it_was_meant(tmp_path, name):
    content, expected = AWKWARD[name]
    (tmp_path / name).write_bytes(content)
    found = sources.read(str(tmp_path / name))
    if "late" not in name and "large" not in name:
        assert list(found.columns) == list(expected)
    for column, cells in expected.items():
        kept = found[column].astype(object).where(found[column].notna(), None).tolist()
        assert [cell or "" for cell in kept] == [cell or "" for cell in cells]


def test_columns_of_the_same_name_are_told_apart_and_this_is_said(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("x,x,\n1,2,3\n")
    assert list(sources.read(str(tmp_path / "a.csv"))) == ["x", "x (2)", "unnamed: 2"]
    assert "told apart: x (2)\n" in capsys.readouterr().err


def test_three_thousand_columns_are_read(tmp_path):
    names = [f"c{number}" for number in range(3000)]
    lines = [",".join(str(number + row) for number in range(3000)) for row in range(5)]
    (tmp_path / "wide.csv").write_text("\n".join([",".join(names), *lines]))
    found = sources.read(str(tmp_path / "wide.csv"))
    assert found.shape == (5, 3000)
    assert found["c2999"].tolist() == ["2999", "3000", "3001", "3002", "3003"]


def test_compressed_tables_are_read(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("inside/b.tsv", TEXT.replace(",", "\t"))
        archive.writestr("__MACOSX/b.tsv", "")
    for name in ("a.csv.gz", "b.zip"):
        assert sources.read(str(tmp_path / name)).fillna("").to_dict("list") == CELLS


def test_types_of_tables_become_plain_ones(tmp_path):
    moment = datetime.datetime(2024, 1, 1, 10, tzinfo=datetime.UTC)
    cells = pa.table(
        {
            "exact": [decimal.Decimal("1.25"), None],
            "moment": pa.array([moment, None], pa.timestamp("ns", "Europe/Paris")),
            "day": [datetime.date(2024, 1, 1), None],
            "level": pa.array(["x", "y"]).dictionary_encode(),
            "list": [[1, 2], None],
            "whole": [2**53 + 1, None],
            "__index_level_0__": [5, 7],  # as pandas writes the names of rows
        }
    )
    pq.write_table(cells, tmp_path / "a.parquet")
    pyarrow.feather.write_feather(cells, tmp_path / "a.feather")
    for name in ("a.parquet", "a.feather"):
        found = sources.read(str(tmp_path / name))
        assert list(found.columns) == cells.column_names[:-1]
        assert found["exact"].iloc[0] == 1.25
        assert found["moment"].iloc[0] == pd.Timestamp("2024-01-01 10:00")
        assert found["day"].iloc[0] == pd.Timestamp("2024-01-01")
        assert found["level"].tolist() == ["x", "y"]
        assert found["list"].iloc[0] == "[1,2]"
    kept = pq.read_table(tmp_path / "a.parquet")["whole"].to_pylist()
    assert kept == [2**53 + 1, None]


def test_a_parquet_table_comes_back_as_it_was(tmp_path, typed, contract):
    typed.to_parquet(tmp_path / "a.parquet", index=False)
    found = sources.read(f"file://{tmp_path}/a.parquet")
    assert table.check(found, contract).valid.equals(typed)


def test_a_table_and_a_query_of_a_database_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("shop.db") as database:
        database.execute("create table orders (id integer, price real, note text, late text)")
        rows = [(n, n / 4, f"n{n}", "x" if n > 90_000 else None) for n in range(100_000)]
        database.executemany("insert into orders values (?, ?, ?, ?)", rows)
    database.close()
    found = sources.read("sqlite:///shop.db#orders")
    assert found.shape == (100_000, 4)
    assert found["price"].dtype == "float64"
    assert found["late"].notna().sum() == 9_999
    found = sources.read("sqlite:///shop.db#select id, note from orders where id < 3")
    assert found.to_dict("list") == {"id": [0, 1, 2], "note": ["n0", "n1", "n2"]}


def test_scikit_learn_brings_tables():
    assert sources.read("sklearn://iris").shape == (150, 5)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if "cut" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"a,b\n1,2\n")
        else:
            super().do_GET()


@pytest.fixture
def website(tmp_path):
    """The address of a server of the files in `tmp_path`."""
    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_table_is_read_over_http_with_its_format_from_the_name_or_after_a_hash(tmp_path, website):
    (tmp_path / "a.csv").write_text(TEXT)
    (tmp_path / "download").write_text(TEXT)
    for source in ("a.csv?version=2", "download?id=3#rows.csv"):
        assert sources.read(f"{website}/{source}").fillna("").to_dict("list") == CELLS


@pytest.mark.parametrize(
    ("path", "message"), [("nowhere.csv", "404"), ("cut.csv", "cannot be read")]
)
def test_what_a_server_does_not_give_whole_is_refused(website, refused, path, message):
    with refused(f"{website}/{path}", message):
        sources.read(f"{website}/{path}")


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("nowhere.csv", ["nowhere.csv", "no such file"]),
        ("ftp://host/a.csv", ["ftp://host/a.csv", "unknown kind", "file"]),
        ("a.sav", ["a.sav", "unknown format", ".parquet"]),
        ("broken.parquet", ["broken.parquet"]),
        ("broken.csv.gz", ["broken.csv.gz"]),
        ("cut.csv.gz", ["cut.csv.gz"]),
        ("empty.csv", ["empty.csv", "empty"]),
        ("binary.csv", ["binary.csv", "not text"]),
        ("long.csv", ["long.csv", "Line: 302", "Found: 4"]),
        ("short.csv", ["short.csv", "Line: 302", "Found: 2"]),
        ("unclosed.csv", ["unclosed.csv", "quote"]),
        ("two.zip", ["two.zip", "2 files"]),
        ("two.tar.gz", ["two.tar.gz", "unknown format"]),
        ("nowhere.xlsx", ["nowhere.xlsx"]),
        ("sheet.xlsx", ["sheet.xlsx", "extra excel", 'EXTRAS="excel"']),
        ("s3://bucket/a.csv", ["s3://bucket/a.csv", 'EXTRAS="s3"']),
        ("postgresql://host/shop#orders", ['EXTRAS="postgresql"']),
        ("sqlite:///nowhere.db#orders", ["nowhere.db", "no file"]),
        ("sqlite:///a.db", ["#orders"]),
        ("sklearn://nothing", ["iris"]),
        ("https://host/a.csv?token=${UNSET_TOKEN}", ["UNSET_TOKEN", "export"]),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(
    tmp_path, monkeypatch, refused, source, messages
):
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "a.sav": b"x",
        "a.db": b"",
        "broken.parquet": b"PAR1 no",
        "broken.csv.gz": b"a,b",
        "cut.csv.gz": gzip.compress(bytes(range(256)) * 99)[:-30],
        "empty.csv": b"",
        "binary.csv": bytes(range(256)) * 20,
        "long.csv": b"a,b,c\n" + LINES.encode() + b"1,2,3,4\n5,6,7\n",
        "short.csv": b"a,b,c\n" + LINES.encode() + b"1,2\n5,6,7\n",
        "unclosed.csv": b'a,b\n1,"x\n2,y\n',
        "two.tar.gz": b"",
        "sheet.xlsx": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT)
    with refused(*messages):
        sources.read(source)


@pytest.mark.parametrize(
    "source",
    [
        "postgresql://app:hush@host/shop#orders",
        "postgresql://app:h@us:h@host/shop#orders",
        "https://hush@host/a.csv",
        "HTTPS://hush:x-oauth-basic@host/a.csv",
        "https://hush:${TOKEN}@host/a.csv",
        "https://host/a.csv?user=me&token=hush",
        "https://host/a.csv?X-Amz-Signature=hush&x=1",
    ],
)
def test_a_credential_in_an_address_is_refused_and_not_repeated(refused, source):
    with refused("***", "${NAME}", "export") as caught:
        sources.read(source)
    assert "hush" not in str(caught.value) and "us:h" not in str(caught.value)


def test_a_password_of_the_environment_is_not_in_messages(website, refused, monkeypatch):
    monkeypatch.setenv("TOKEN", "hu sh")
    with refused("${TOKEN}", "404") as caught:
        sources.read(website + "/a.csv?token=${TOKEN}")
    assert "hu sh" not in str(caught.value) and "hu%20sh" not in str(caught.value)


def test_a_user_name_is_a_credential_on_the_web_alone_and_an_at_sign_in_a_path_never():
    for source in (
        "postgresql://app@host/shop#orders",
        "s3://bucket/a@b.csv",
        "https://host/a@b.csv",
        "https://host/a.csv?mail=me@host",
        "https://${TOKEN}@host/a.csv",
        "https://${TOKEN}:${PASSWORD}@host/a.csv",
    ):
        assert sources.without_secrets(source) == source


def test_an_unknown_format_is_not_written(tmp_path, refused):
    with refused("out.xlsx", ".parquet"):
        sources.require_output(str(tmp_path / "out.xlsx"))
