"""Files by the ending of their name. To add a format, write its line in `FORMATS`."""

import gzip
import json
import logging
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import InputError
from . import arrow, text

CHUNK = 1 << 20
LONGEST = 64 << 20  # characters of one JSON record
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Format:
    """How tables are read from an open file."""

    read: Callable[[IO[bytes], str], Iterator[pa.Table]]
    """Takes the file and the name to use in messages."""
    seeks: bool = False
    """Whether it must go back and forth, which streams cannot."""
    driver: str | None = None


def read_parquet(file: IO[bytes], name: str) -> Iterator[pa.Table]:
    """Read Parquet, a part of a row group at a time."""
    with pq.ParquetFile(file, buffer_size=CHUNK) as parquet:
        schema = parquet.schema_arrow
        arrow.check_names(schema.names)
        yield schema.empty_table()
        for batch in parquet.iter_batches(arrow.rows_at_once(len(schema))):
            yield pa.Table.from_batches([batch])


def read_arrow(file: IO[bytes], name: str) -> Iterator[pa.Table]:
    """Read Feather or Arrow, as a file or as a stream."""
    try:
        reader = pa.ipc.open_file(file)
        batches = (reader.get_batch(index) for index in range(reader.num_record_batches))
    except pa.ArrowInvalid:
        file.seek(0)
        batches = reader = pa.ipc.open_stream(file)
    arrow.check_names(reader.schema.names)
    yield reader.schema.empty_table()
    for batch in batches:
        yield pa.Table.from_batches([batch])


def read_json(file: IO[bytes], name: str) -> Iterator[pa.Table]:
    """Read records: one on each line, or all in one list."""
    part: list[dict[str, Any]] = []
    record = None
    for record in _records(text.as_utf8(file, name)):
        if not isinstance(record, dict):
            raise InputError(f"{str(record)[:80]!r} is not a record; write rows as objects")
        part.append(record)
        if len(part) >= arrow.rows_at_once(len(record)):
            yield _table(part)
            part = []
    if record is None:
        raise InputError("there is no record in it; check how it was made")
    if part:
        yield _table(part)


def _table(records: list[dict[str, Any]]) -> pa.Table:
    names = list(dict.fromkeys(name for record in records for name in record))
    rows = ([record.get(name) for name in names] for record in records)
    return pa.concat_tables(arrow.of_rows(names, rows), promote_options="permissive")


def _records(chunks: Iterator[bytes]) -> Iterator[Any]:
    decoder, buffer = json.JSONDecoder(), ""
    for chunk in chunks:
        buffer += chunk.decode()
        start = 0
        while True:
            while buffer[start : start + 1] in _BETWEEN:
                start += 1
            try:
                record, start = decoder.raw_decode(buffer, start)
            except json.JSONDecodeError:  # perhaps it goes on in the next chunk
                break
            yield record
        buffer = buffer[start:]
        if len(buffer) > LONGEST:
            break
    if buffer.strip():
        raise InputError(f"{buffer[:80]!r} … is not valid JSON; the file may be cut short")


_BETWEEN = {*" \t\r\n,[]"}


def read_excel(file: IO[bytes], name: str) -> Iterator[pa.Table]:
    """Read the first sheet of a workbook; its first row names the columns."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about looks, which are of no concern here
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        if len(book.sheetnames) > 1:
            log.warning("%s: of %s the first is read", name, ", ".join(book.sheetnames))
        rows = book.worksheets[0].iter_rows(values_only=True)
        names = list(next(rows, ()))
        while names and names[-1] is None:
            names.pop()
        if not names:
            raise InputError("the first sheet has no first row; name the columns there")
        yield from arrow.of_rows(names, _cells(rows, len(names)))


def _cells(rows: Iterator[tuple[Any, ...]], width: int) -> Iterator[list[Any]]:
    for number, row in enumerate(rows, 2):
        cells = list(row[:width]) + [None] * (width - len(row))
        if any(cell is not None for cell in row[width:]):
            raise InputError(f"row {number} has cells beyond the last named column; name it")
        if any(cell is not None for cell in cells):
            yield cells


FORMATS: dict[str, Format] = {
    ".csv": Format(text.read),
    ".tsv": Format(partial(text.read, delimiters="\t")),
    ".txt": Format(text.read),
    ".parquet": Format(read_parquet, seeks=True),
    ".json": Format(read_json),
    ".jsonl": Format(read_json),
    ".ndjson": Format(read_json),
    ".xlsx": Format(read_excel, seeks=True, driver="openpyxl"),
    ".feather": Format(read_arrow, seeks=True),
    ".arrow": Format(read_arrow, seeks=True),
}


def find(name: str) -> Format:
    """Return the format of a file by its name, whether compressed or not.

    Raises:
        InputError: it is unknown.
    """
    lower = name.lower()
    if lower.endswith(".zip"):
        return Format(_read_zip, seeks=True)
    inner = lower.removesuffix(".gz")
    for ending, found in FORMATS.items():
        if inner.endswith(ending):
            unpacked = Format(partial(_read_gzip, found), driver=found.driver)
            return found if inner == lower else unpacked
    raise InputError(
        f"unknown format; known: {', '.join(FORMATS)}, each also with .gz, or alone in a .zip. "
        "Where an address does not end so, add the format after #, as in #table.csv"
    )


def read(found: Format, file: Any, name: str, seekable: bool) -> Iterator[pa.Table]:
    """Read an open file; one that must go back and forth is copied first if it cannot."""
    if seekable or not found.seeks:
        yield from found.read(file, name)
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy, CHUNK)
        copy.seek(0)
        yield from found.read(copy, name)


def _read_gzip(found: Format, file: IO[bytes], name: str) -> Iterator[pa.Table]:
    with gzip.open(file) as inner:
        yield from read(found, inner, name, seekable=False)


def _read_zip(file: IO[bytes], name: str) -> Iterator[pa.Table]:
    with zipfile.ZipFile(file) as archive:
        members = [m for m in archive.namelist() if not m.endswith("/") and "__MACOSX" not in m]
        if len(members) != 1:
            shown = ", ".join(members[:5]) or "none"
            raise InputError(f"it must hold one file and holds {len(members)} ({shown}); unpack it")
        with archive.open(members[0]) as inner:
            yield from read(find(members[0]), inner, name, seekable=False)
