"""Files of many formats to one: Parquet of plain types, through DuckDB and in bounded memory."""

import contextlib
import csv
import io
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

import duckdb
import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
from charset_normalizer import from_bytes
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ..errors import InputError

MEMORY = "600MB"  # of DuckDB; beyond it writes to the scratch folder
CELLS = 2_000_000  # of one part, so that wide tables take no more memory than long ones
SAMPLE = 1 << 18  # bytes that tell the delimiter and the encoding
DELIMITERS = ",;\t|^~"
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")
# Without a mark at its start, text is UTF-8 or one of these, the first by default.
ENCODINGS = ["cp1252", "cp1251", "cp1253", "cp932", "gb18030", "big5", "cp949"]
LINE_ENDS = [re.compile(end) for end in (r"\r\n", r"\r(?!\n)", r"(?<!\r)\n")]
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
    [duckdb.DuckDBPyConnection, Path, Path], tuple[duckdb.DuckDBPyRelation, list[str]]
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
        InputError: the format is unknown, or column names cannot be told apart.
    """
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
        names = check_names([names[i] for i in kept])
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
        plain = "".join(cells[:10_000].fill_null("").to_pylist()).encode() if text else b""
        saves = len(pa.compress(plain, "snappy", asbytes=True)) < len(plain) / 1.5
        packed[name] = "snappy" if saves or not text or name in few else "none"
    return {"use_dictionary": few or False, "compression": packed, "write_statistics": False}


def _plain(column: str, kind: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    for pattern, written in PLAIN:
        if re.fullmatch(pattern, kind):
            return f"{written.format(quoted)} as {quoted}"
    return quoted


def check_names(names: list[str]) -> list[str]:
    """Return column names without space around them; one without a name gets its position.

    Raises:
        InputError: there is none, or two are the same.
    """
    names = [name.strip() or f"unnamed: {position}" for position, name in enumerate(names)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        shown = ", ".join(repr(name) for name in twice[:5])
        raise InputError(f"more than one column is called {shown}; rename them in the source")
    if not names:
        raise InputError("there are no columns")
    return names


def _unpacked(path: Path, scratch: Path) -> Path:
    """Return a file itself, or what is compressed in it."""
    suffix = path.suffix.lower()
    if suffix not in COMPRESSED:
        return path
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


def _open_delimited(
    connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path
) -> tuple[duckdb.DuckDBPyRelation, list[str]]:
    path = _as_utf8(path, scratch)
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.read(SAMPLE)
    if not sample.strip():
        raise InputError("the file is empty")
    escape = "\\" if re.search(r'\\"[^",;\t|\r\n]', sample) else '"'
    delimiter = _delimiter(sample)
    names = next(_rows(sample, delimiter))
    check_names(names)
    relation = connection.read_csv(
        str(path),
        auto_detect=False,
        header=True,
        skiprows=_blank_lines(sample),
        delimiter=delimiter,
        quotechar='"',
        escapechar=escape,
        comment="",
        strict_mode=True,
        # By position: to DuckDB, names that differ in case only are the same.
        columns={f"c{position}": "VARCHAR" for position in range(len(names))},
    )
    return relation, names


def _blank_lines(sample: str) -> int:
    """Return how many lines without anything stand above the header."""
    return len(re.split(r"\r\n|\r|\n", sample[: len(sample) - len(sample.lstrip("\r\n"))])) - 1


def _rows(sample: str, delimiter: str) -> Iterator[list[str]]:
    return (row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row)


def _delimiter(sample: str) -> str:
    """Return the delimiter by which most rows have as many cells as the header, above one."""

    def agreement(delimiter: str) -> tuple[float, int]:
        lengths = [len(row) for _, row in zip(range(200), _rows(sample, delimiter), strict=False)]
        whole = lengths[:-1] if len(lengths) > 2 else lengths  # the sample may end within a row
        return sum(length == whole[0] for length in whole) / len(whole), whole[0]

    found = {delimiter: agreement(delimiter) for delimiter in DELIMITERS}
    several = {delimiter: fit for delimiter, fit in found.items() if fit[1] > 1}
    return max(several, key=lambda delimiter: several[delimiter]) if several else ","


def _as_utf8(path: Path, scratch: Path) -> Path:
    """Return a text file itself, or a copy that is UTF-8 and has one kind of line end."""
    encoding = _encoding(path) or "utf-8"
    mixed = _mixes_line_ends(path, encoding)
    if encoding == "utf-8" and not mixed:
        return path
    target = scratch / "utf-8.csv"
    with (
        path.open(encoding=encoding, newline="", errors="replace") as text,
        target.open("w", encoding="utf-8", newline="") as copied,
    ):
        for part in _parts(text):
            # A carriage return that stands alone among other line ends is inside a cell.
            copied.write(part.replace("\r\n", "\n").replace("\r", " ") if mixed else part)
    return target


def _parts(text: TextIO) -> Iterator[str]:
    """Yield a text in parts, none of which ends between a carriage return and its newline."""
    while part := text.read(1 << 20):
        yield part + (text.read(1) if part.endswith("\r") else "")


def _mixes_line_ends(path: Path, encoding: str) -> bool:
    """Whether a text has more than one kind of line end, which DuckDB cannot read."""
    with path.open("rb") as file:  # a hundred times faster than what follows
        if not any(b"\r" in part for part in iter(lambda: file.read(1 << 20), b"")):
            return False
    found: set[re.Pattern[str]] = set()
    with path.open(encoding=encoding, newline="", errors="replace") as text:
        for part in _parts(text):
            found |= {end for end in LINE_ENDS if end not in found and end.search(part)}
    return len(found) > 1


def _encoding(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(SAMPLE)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    with path.open("rb") as file:  # the most common case, told faster than by what follows
        if all(part.isascii() for part in iter(lambda: file.read(1 << 20), b"")):
            return None
    try:
        with path.open(encoding="utf-8", newline="") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError as error:
        around = start if start and not start.isascii() else error.object[-SAMPLE:]
    else:
        return None
    if b"\0" in start:
        raise InputError("this is not text")
    foreign = sum(byte > 127 for byte in around) / len(around)
    if foreign < 0.3:  # a few letters with marks
        return ENCODINGS[0]
    best = from_bytes(around, cp_isolation=ENCODINGS).best()
    return best.encoding if best else ENCODINGS[0]


def _open_json(
    connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path
) -> tuple[duckdb.DuckDBPyRelation, list[str]]:
    relation = connection.read_json(str(path), sample_size=-1)
    return relation, relation.columns


def _open_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path
) -> tuple[duckdb.DuckDBPyRelation, list[str]]:
    if path.is_dir():
        relation = connection.read_parquet(str(path / "*.parquet"), union_by_name=True)
        return relation, relation.columns
    return connection.read_parquet(str(path)), pq.read_schema(path).names


def _open_arrow(
    connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path
) -> tuple[duckdb.DuckDBPyRelation, list[str]]:
    dataset = pyarrow.dataset.dataset(path, format="feather")
    return connection.from_arrow(dataset), dataset.schema.names


def _open_sheet(
    connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path
) -> tuple[duckdb.DuckDBPyRelation, list[str]]:
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
    ".csv": _open_delimited,
    ".tsv": _open_delimited,
    ".txt": _open_delimited,
    ".data": _open_delimited,
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
