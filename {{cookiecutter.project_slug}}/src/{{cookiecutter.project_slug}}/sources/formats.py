"""Files of many formats to one: Parquet of plain types, through DuckDB and in bounded memory."""

import contextlib
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ..errors import InputError
from .delimited import open_delimited

if TYPE_CHECKING:  # to score plain Parquet takes no DuckDB
    import duckdb

MEMORY = "600MB"  # of DuckDB; beyond it writes to the scratch folder
CELLS = 2_000_000  # of one part, so that wide tables take no more memory than long ones
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")
# How columns of DuckDB's types are written; others as they are.
PLAIN = (
    (r"DECIMAL.*|U?HUGEINT", "{}::double"),
    (r"DATE|TIMESTAMP_.*", "{}::timestamp"),
    (r"TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ.*", "{}::timestamptz at time zone 'UTC'"),
    (r".*\[\d*\]|STRUCT.*|MAP.*|UNION.*", "to_json({})::varchar"),
    (r"JSON", "{}->>'$'"),
    (r"ENUM.*|UUID|TIME|INTERVAL|BIT|BLOB|\"NULL\"", "{}::varchar"),
)

Opener = Callable[
    ["duckdb.DuckDBPyConnection", Path, Path], tuple["duckdb.DuckDBPyRelation", list[str]]
]


def require(name: str) -> str | None:
    """Check that a file's format is known by its name.

    Returns:
        The module that reads it, if not every project has it.

    Raises:
        InputError: the format is unknown.
    """
    bare = Path(name.lower())
    if bare.suffix in COMPRESSED:
        bare = bare.with_suffix("")
        if not bare.suffix and name.lower().endswith(".zip"):  # the name inside tells
            return None
    if bare.suffix not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(f"unknown format {bare.suffix or name!r}; known: {known}; also compressed")
    return "python_calamine" if FORMATS[bare.suffix] is _open_sheet else None


def to_parquet(path: Path, target: Path, scratch: Path) -> None:
    """Write a file, or a folder of Parquet parts, as one Parquet file.

    Raises:
        InputError: the format is unknown, or there are no columns.
    """
    import duckdb

    path = _unpacked(path, scratch)
    settings: dict[str, Any] = {
        "memory_limit": MEMORY,
        "temp_directory": str(scratch / "spilled"),
        "autoinstall_known_extensions": "false",  # which would be from the internet
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("set enable_progress_bar = false")  # ours is below
        opener = _open_parquet if path.is_dir() else FORMATS[path.suffix.lower()]
        relation, names = opener(connection, path, scratch)
        kept = [i for i, name in enumerate(names) if not re.fullmatch(r"__index_level_\d+__", name)]
        given = [names[i].strip() for i in kept]
        names = named_apart(given)
        if again := [new for old, new in zip(given, names, strict=True) if old and old != new]:
            said = f"note: columns of the same name are told apart: {', '.join(again)}"
            Console(stderr=True, markup=False, highlight=False, soft_wrap=True).print(said)
        plain = [_plain(relation.columns[i], str(relation.types[i])) for i in kept]
        size = max(1, min(100_000, CELLS // len(names)))
        reader = relation.project(", ".join(plain)).to_arrow_reader(size)
        fields = zip(names, reader.schema, strict=True)
        schema = pa.schema([pa.field(name, field.type) for name, field in fields])
        _write(target, schema, reader)


def _write(target: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    shown = (SpinnerColumn(), TextColumn("{task.completed:,.0f} rows"), TimeElapsedColumn())
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress(*shown, transient=True))
        task, writer = progress.add_task("", total=None), None
        written: Future[None] | None = None
        for batch in batches:
            if writer is None:
                writer = pq.ParquetWriter(target, schema, **_layout(schema, batch))
                stack.enter_context(writer)
                # One batch is written while the next one is read.
                writing = stack.enter_context(ThreadPoolExecutor(1))
            if written:
                written.result()
            named = pa.RecordBatch.from_arrays(batch.columns, schema=schema)
            written = writing.submit(writer.write_batch, named)
            progress.advance(task, batch.num_rows)
        if written:
            written.result()
        if writer is None:
            pq.write_table(schema.empty_table(), target)


def _layout(schema: pa.Schema, batch: pa.RecordBatch) -> dict[str, Any]:
    """Return how columns are written, by the first rows.

    A dictionary for what repeats, and compression where it saves a third: elsewhere both would take
    a third of the time for nothing. No statistics of parts, since the table is read whole.
    """
    few, packed = [], {}
    for name, cells in zip(schema.names, batch.columns, strict=True):
        if len(cells.unique()) < 0.2 * len(cells):
            few.append(name)
        text = pa.types.is_string(cells.type)
        plain = "".join(filter(None, cells[:10_000].to_pylist())).encode() if text else b""
        saves = len(pa.compress(plain, "snappy", asbytes=True)) < len(plain) / 1.5
        packed[name] = "snappy" if saves or not text or name in few else "none"
    return {"use_dictionary": few or False, "compression": packed, "write_statistics": False}


def _plain(column: str, kind: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    for pattern, written in PLAIN:
        if re.fullmatch(pattern, kind):
            return f"{written.format(quoted)} as {quoted}"
    return quoted


def named_apart(names: list[str]) -> list[str]:
    """Return column names without space around them, each once.

    One without a name gets its position; the second that is called `a` becomes `a (2)`.

    Raises:
        InputError: there is none.
    """
    if not names:
        raise InputError("there are no columns")
    names = [name.strip() or f"unnamed: {position}" for position, name in enumerate(names)]
    found: dict[str, None] = {}
    for name in names:
        one, number = name, 1
        while one in found or (number > 1 and one in names):
            number += 1
            one = f"{name} ({number})"
        found[one] = None
    return list(found)


def _unpacked(path: Path, scratch: Path) -> Path:
    """Return a file itself, or what is compressed in it."""
    suffix = path.suffix.lower()
    if suffix not in COMPRESSED:
        return path
    import fsspec

    inside = path.stem
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
        if len(members) != 1:
            raise InputError(f"the archive holds {len(members)} files; it must hold one table")
        inside = Path(members[0]).name
        require(inside)
    target = scratch / f"unpacked {inside}"
    with fsspec.open(str(path), compression="infer") as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)
    return target


def _open_json(
    connection: "duckdb.DuckDBPyConnection", path: Path, scratch: Path
) -> tuple["duckdb.DuckDBPyRelation", list[str]]:
    relation = connection.read_json(str(path), sample_size=-1)
    return relation, relation.columns


def _open_parquet(
    connection: "duckdb.DuckDBPyConnection", path: Path, scratch: Path
) -> tuple["duckdb.DuckDBPyRelation", list[str]]:
    if path.is_dir():
        relation = connection.read_parquet(str(path / "*.parquet"), union_by_name=True)
        return relation, relation.columns
    return connection.read_parquet(str(path)), pq.read_schema(path).names


def _open_arrow(
    connection: "duckdb.DuckDBPyConnection", path: Path, scratch: Path
) -> tuple["duckdb.DuckDBPyRelation", list[str]]:
    from pyarrow.dataset import dataset

    found = dataset(path, format="feather")
    return connection.from_arrow(found), found.schema.names


def _open_sheet(
    connection: "duckdb.DuckDBPyConnection", path: Path, scratch: Path
) -> tuple["duckdb.DuckDBPyRelation", list[str]]:
    import pandas as pd

    sheet = pd.read_excel(path, engine="calamine", header=None)
    if sheet.empty:
        raise InputError("the first sheet is empty")
    names = sheet.iloc[0].map(lambda name: "" if pd.isna(name) else str(name)).to_list()
    table = sheet.iloc[1:].infer_objects()
    for column in table.select_dtypes("object"):
        table[column] = table[column].map(str, na_action="ignore")
    table.columns = [f"c{position}" for position in range(len(names))]
    return connection.from_df(table), names


FORMATS: dict[str, Opener] = {
    ".csv": open_delimited,
    ".tsv": open_delimited,
    ".txt": open_delimited,
    ".data": open_delimited,
    ".parquet": _open_parquet,
    ".json": _open_json,
    ".jsonl": _open_json,
    ".ndjson": _open_json,
    ".feather": _open_arrow,
    ".arrow": _open_arrow,
    ".xlsx": _open_sheet,
    ".xls": _open_sheet,
    ".ods": _open_sheet,
}
