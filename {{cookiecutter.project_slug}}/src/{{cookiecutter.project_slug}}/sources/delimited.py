"""Delimited text: what separates and quotes its cells, how it is encoded, where lines end."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from charset_normalizer import from_bytes

from ..errors import InputError

if TYPE_CHECKING:  # to score plain Parquet takes no DuckDB
    import duckdb

SAMPLE = 1 << 18  # bytes that tell the delimiter and the encoding
ROWS = 200  # of them, which are looked at
DELIMITERS = ",;\t|^~"
BLANKS = " "  # as many as there are
SURE = 0.9  # the share of rows that agree on a delimiter
SHORT = 0.95  # what rows count that all have one cell more than the header, whose first is a name
# Cells in single quotes; a text in which double quotes occur is not looked at.
QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\r\n]*'(?=[,;\t|\r\n]|$)", re.MULTILINE)
# Without a mark at its start, text is UTF-8 or one of these, the first by default.
ENCODINGS = ["cp1252", "cp1251", "cp1253", "cp932", "gb18030", "big5", "cp949"]
LINE_ENDS = [re.compile(end) for end in (r"\r\n", r"\r(?!\n)", r"(?<!\r)\n")]


def open_delimited(
    connection: "duckdb.DuckDBPyConnection", path: Path, scratch: Path
) -> tuple["duckdb.DuckDBPyRelation", list[str]]:
    """Return the cells of a text file, as text, and the names in its header.

    Raises:
        InputError: the file is empty, or not text.
    """
    path = _as_utf8(path, scratch)
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.read(SAMPLE)
    if not sample.strip():
        raise InputError("the file is empty")
    delimiter, quote = _dialect(sample)
    escape = "\\" if re.search(rf'\\{quote}[^",;\t|\r\n]', sample) else quote
    names, skipped = _names(sample, delimiter, quote), _blank_lines(sample)
    if delimiter == BLANKS:
        path, skipped = _with_commas(path, scratch, quote, escape), 0
        delimiter, escape = ",", quote
    relation = connection.read_csv(
        str(path),
        auto_detect=False,
        header=True,
        skiprows=skipped,
        delimiter=delimiter,
        quotechar=quote,
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


def _rows(
    lines: Iterable[str], delimiter: str, quote: str, escape: str | None = None
) -> Iterator[list[str]]:
    blanks = delimiter == BLANKS
    if blanks:
        lines = (line.replace("\t", BLANKS).rstrip() + "\n" for line in lines)
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape,
        skipinitialspace=blanks,
    )
    return (row for row in reader if row)


def _first_rows(sample: str, delimiter: str, quote: str) -> list[list[str]]:
    found = list(islice(_rows(io.StringIO(sample, newline=""), delimiter, quote), ROWS))
    return found[:-1] if len(found) > 2 else found  # the sample may end within a row


def _dialect(sample: str) -> tuple[str, str]:
    """Return the delimiter and the quote by which most rows have as many cells as the header."""
    quotes = "'\"" if '"' not in sample and QUOTED.search(sample) else '"'
    fits = {(d, q): _fit(sample, d, q) for q in quotes for d in DELIMITERS}
    several = {dialect: fit for dialect, fit in fits.items() if fit[1] > 1}
    best = max(several, key=lambda dialect: several[dialect], default=(",", '"'))
    if several.get(best, (0, 0))[0] < SURE:
        agreement, cells = _fit(sample, BLANKS, '"')
        if agreement >= SURE and cells > 1:
            return BLANKS, '"'
    return best


def _fit(sample: str, delimiter: str, quote: str) -> tuple[float, int]:
    """Return the share of rows that have as many cells as the header, and how many."""
    rows = _first_rows(sample, delimiter, quote)
    if _is_short(rows):
        return SHORT, len(rows[1])
    return sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])


def _is_short(rows: list[list[str]]) -> bool:
    """Whether every row has one cell more than the header, as R writes the names of rows."""
    header, *body = rows
    return len(header) > 1 and bool(body) and all(len(row) == len(header) + 1 for row in body)


def _names(sample: str, delimiter: str, quote: str) -> list[str]:
    rows = _first_rows(sample, delimiter, quote)
    if not _is_short(rows):
        return rows[0]
    ends = all(row[-1] == "" for row in rows[1:])  # in a delimiter, which the header does not
    return [*rows[0], ""] if ends else ["", *rows[0]]


def _with_commas(path: Path, scratch: Path, quote: str, escape: str) -> Path:
    """Return a copy of a text that has one comma for each run of blanks."""
    target = scratch / "commas.csv"
    with (
        path.open(encoding="utf-8-sig", newline="") as text,
        target.open("w", encoding="utf-8", newline="") as copied,
    ):
        writer = csv.writer(copied, quotechar=quote, lineterminator="\n")
        writer.writerows(_rows(text, BLANKS, quote, None if escape == quote else escape))
    return target


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
