"""Delimited text: its encoding and delimiter are found out; every cell stays text."""

import codecs
import csv
import io
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import IO

import pyarrow as pa
import pyarrow.csv

from ..errors import InputError
from . import arrow

DELIMITERS = "\t|;,"  # of two that fit alike the first: a comma is often part of a number
CHUNK = 1 << 20  # what is looked at to find the delimiter
BLOCK = 8 << 20  # no row may be longer
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Windows-1252, with a character for the five bytes too that it leaves open.
WINDOWS = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(256))
RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
log = logging.getLogger(__name__)


def read(file: IO[bytes], name: str, delimiters: str = DELIMITERS) -> Iterator[pa.Table]:
    """Read delimited text.

    Raises:
        InputError: rows or column names are not as they must be.
    """
    chunks = chain(as_utf8(file, name), [b"\n"])  # Arrow needs an end after the first row
    text = io.BufferedReader(_Joined(chunks), CHUNK)
    delimiter, names = sniff(text.peek(CHUNK), delimiters)
    names = arrow.check_names(names)
    schema = pa.schema([(column, pa.string()) for column in names])
    try:
        reader = pa.csv.open_csv(
            text,
            # One thread: so that a fault is told with its row; writing takes the other core.
            pa.csv.ReadOptions(
                use_threads=False, block_size=BLOCK, column_names=names, skip_rows_after_names=1
            ),
            pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pa.csv.ConvertOptions(column_types=schema, strings_can_be_null=False, check_utf8=False),
        )
        yield schema.empty_table()
        for batch in reader:
            yield pa.Table.from_batches([batch])
    except pa.ArrowInvalid as error:
        _explain(str(error))


def _explain(error: str) -> None:
    if ragged := RAGGED.search(error):
        row, expected, found, cells = ragged.groups()
        raise InputError(
            f"row {row} has {found} cells where the first row has {expected}: {cells[:80]!r}; "
            "mend it, or put cells that hold the delimiter between double quotes"
        )
    if "straddling" in error:
        raise InputError(
            f"a row is longer than {BLOCK >> 20} MB; perhaps a double quote is never closed"
        )
    raise InputError(error)


def sniff(sample: bytes, delimiters: str = DELIMITERS) -> tuple[str, list[str]]:
    """Return the delimiter and the first row: the delimiter that splits most rows like the first.

    Raises:
        InputError: there is no row.
    """
    text = sample.decode("utf-8", "ignore")
    if not text.strip():
        raise InputError("there is nothing in it; check how it was made")
    best, chosen = (-1.0, 0), ("," if len(delimiters) > 1 else delimiters, [""])
    for delimiter in delimiters:
        rows = _first_rows(text, delimiter, whole=len(sample) < CHUNK)
        width = len(rows[0])
        alike = sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0
        if (alike, width) > best or (delimiter == "," and best == (0, 1)):
            best, chosen = (alike, width), (delimiter, rows[0])
    return chosen


def _first_rows(text: str, delimiter: str, whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    with suppress(csv.Error):  # a cell too long for this module is the business of the true reader
        rows.extend(row for row in islice(reader, 200) if row)
    cut = not whole and 1 < len(rows) < 200
    return rows[:-1] if cut else rows or [[""]]


def as_utf8(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield a text file's bytes as UTF-8, from whichever encoding.

    UTF-16 is known by its mark. Without a mark the first bytes beyond ASCII decide between UTF-8
    and Windows-1252, which is said to the user.

    Raises:
        InputError: the file is not text, or its encoding changes midway.
    """
    first = file.read(CHUNK)
    encoding = next((e for bom, e in BOMS.items() if first.startswith(bom)), None)
    if encoding == "utf-16":
        decoder = codecs.getincrementaldecoder(encoding)()
        yield decoder.decode(first).encode()
        while chunk := file.read(CHUNK):
            yield decoder.decode(chunk).encode()
        decoder.decode(b"", final=True)
        return
    if b"\0" in first:
        raise InputError("this is not a text file; name it by its true format")
    yield from _from_utf8_or_windows(first.removeprefix(codecs.BOM_UTF8), file, name)


def _from_utf8_or_windows(chunk: bytes, file: IO[bytes], name: str) -> Iterator[bytes]:
    known, pending = False, b""
    while chunk or pending:
        data = pending + chunk
        try:
            used = codecs.utf_8_decode(data, "strict", not chunk)[1]
        except UnicodeDecodeError as error:
            if known or not data[: error.start].isascii():
                around = data[max(error.start - 20, 0) : error.end + 20]
                raise InputError(
                    f"{around!r} is not UTF-8 but what comes before is; save the file as UTF-8"
                ) from None
            log.warning("%s is not UTF-8; it is read as Windows-1252", name)
            yield from _from_windows(data, file)
            return
        known = known or not data[:used].isascii()
        pending = data[used:]
        yield data[:used]
        chunk = file.read(CHUNK)


def _from_windows(chunk: bytes, file: IO[bytes]) -> Iterator[bytes]:
    while chunk:
        yield codecs.charmap_decode(chunk, "strict", WINDOWS)[0].encode()
        chunk = file.read(CHUNK)


class _Joined(io.RawIOBase):
    """Chunks of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self.rest:
            chunk = next(self.chunks, None)
            if chunk is None:
                return 0
            self.rest = memoryview(chunk)
        size = min(len(buffer), len(self.rest))
        buffer[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size
