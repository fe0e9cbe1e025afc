"""predict: score a whole table with the champion, in parts, whole or not at all."""

import ctypes
import itertools
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from . import bundle, files, sources
from .bundle import Bundle
from .contract import arrow
from .contract.batch import read
from .contract.definition import require_columns
from .predictions import Predictions

if TYPE_CHECKING:  # plain Parquet without a bad row takes no pandas
    import pandas as pd

CHUNK = 10_000  # rows at once; their numbers fit into the caches of a processor
PART = 10  # chunks between two states that a later run goes on from
CELLS = 4_000_000  # of a part, so that wide tables take no more memory than long ones
BUFFER = 1 << 20  # bytes of a column that are read at once
KEPT = 1 << 26  # bytes that are free and stay with the process
REASON = "reason"
Parts = Generator[pa.Table, None, None]
# How predictions are kept until all are made: in the least time.
QUICK: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}


def predict(table: "pd.DataFrame", champion: Bundle) -> "pd.DataFrame":
    """Return the rows with their predictions.

    These are `prediction`, and a `probability of …` per class or the ends of the interval, `low`
    and `high`. Rows that break the contract keep their place; `reason` says why they have none.
    """
    ready = pa.Table.from_pandas(_arrow_ready(table), preserve_index=False)
    # In one batch: pandas may hold texts in several pieces.
    arrays = [pa.concat_arrays(column.chunks) for column in ready.columns]
    scored = score(pa.RecordBatch.from_arrays(arrays, names=ready.column_names), champion)
    scored = scored.to_pandas()
    rest = table.reset_index(drop=True).drop(columns=[*scored], errors="ignore")
    return rest.join(scored)


def _arrow_ready(table: "pd.DataFrame") -> "pd.DataFrame":
    """Write as text what Arrow has no type for, such as a column of texts and numbers."""
    import pandas as pd

    ready = {}
    for name, cells in table.items():
        mixed = cells.dtype == object and cells.dropna().map(type).nunique() > 1
        ready[name] = cells.map(str, na_action="ignore") if mixed else cells
    return pd.DataFrame(ready)


def score(batch: pa.RecordBatch, champion: Bundle) -> pa.Table:
    """Return the columns of the predictions of a batch, one row for each of its rows.

    Raises:
        InputError: the batch lacks a column of the contract.
    """
    require_columns(champion.contract.features, batch.schema.names)
    found = read(batch, champion.contract)
    if found.sure.all():
        return _table(champion.score_columns(found.columns), champion)
    from .contract.table import check

    sure = np.flatnonzero(found.sure)
    columns = {name: cells[sure] for name, cells in found.columns.items()}  # type: ignore[call-overload]
    parts, rows = [_table(champion.score_columns(columns), champion)], [sure]
    unsure = np.flatnonzero(~found.sure)
    checked = check(batch.take(unsure).to_pandas(), champion.contract, target=False)
    broken = checked.invalid.index.to_numpy()
    parts.append(_table(champion.score_table(checked.valid), champion))
    parts.append(_reasons(checked.invalid[REASON], parts[0].schema))
    rows += [np.delete(unsure, broken), unsure[broken]]
    order = np.argsort(np.concatenate(rows), kind="stable")
    return pa.concat_tables(parts).take(order)


def _table(predictions: Predictions, champion: Bundle) -> pa.Table:
    values, classes = predictions.values, predictions.classes
    if classes is None:
        low, high = champion.scorer.region.interval(values).T
        columns = {"prediction": values, "low": low, "high": high}
    else:
        columns = {f"probability of {label}": values[:, i] for i, label in enumerate(classes)}
    arrays = {name: arrow.numbers(cells) for name, cells in columns.items()}
    if classes is not None:
        arrays = {"prediction": _labels(predictions), **arrays}
    return pa.table({**arrays, REASON: pa.nulls(len(values), pa.string())})


def _labels(predictions: Predictions) -> pa.Array:
    decided = arrow.numbers(predictions.decisions)
    names = [one for one in predictions.classes or () if isinstance(one, str)]
    return arrow.texts(names).take(decided) if names else decided.cast(pa.bool_())


def _reasons(reasons: "pd.Series", schema: pa.Schema) -> pa.Table:
    empty = [pa.nulls(len(reasons), field.type) for field in schema]
    return pa.table([*empty[:-1], pa.array(reasons, pa.string())], schema=schema)


def main(source: str, output: str) -> tuple[int, int, Path | None]:
    """Score a table from a source into a file or a table of a database.

    A run that was killed leaves a folder beside the output; the next one goes on from there.

    Returns:
        The numbers of rows and of bad rows, and the file with the bad ones if there are any.

    Raises:
        InputError: the source cannot be read or lacks columns, the output cannot be written, or
            another run writes it.
    """
    _keep_memory()
    champion = bundle.load(files.CHAMPION)
    sources.require(source)
    beside = sources.require_output(output)
    work = beside.with_name(f".{beside.name}.parts")
    with files.writing(beside), files.alone(work):
        _clear(work, [source, champion.digest, CHUNK * PART, *_state(source)])
        table = _here(source, work)
        require_columns(champion.contract.features, table.schema_arrow.names)
        rejected = work / "rejected.csv"
        with closing(_scored(table, champion, work)) as scored:
            first = next(scored)
            with csv.CSVWriter(rejected, sources.plain_texts(first.schema)) as writer:
                everything = _watched(itertools.chain([first], scored), writer)
                sources.send(first.schema, everything, output, work / "output")
        bad = sum(_bad(part) for part in work.glob("part-*.parquet"))
        side = beside.with_name(f"{beside.stem}.rejected.csv")
        if bad:
            rejected.replace(side)
        else:
            side.unlink(missing_ok=True)
        shutil.rmtree(work)
    return table.metadata.num_rows, bad, side if bad else None


def _keep_memory() -> None:
    """Have the C library of GNU keep what one chunk frees for the next one.

    It gives the memory back to the kernel otherwise, and a fifth of the time is spent to get it
    again. See mallopt(3).
    """
    library, top_pad, mmap_threshold = ctypes.CDLL(None), -2, -3
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(top_pad, KEPT)
        library.mallopt(mmap_threshold, KEPT // 2)


def _state(source: str) -> list[int]:
    """Return what changes when a file of this machine does."""
    if not (sources.is_local(source) and Path(source).is_file()):
        return []
    found = Path(source).stat()
    return [found.st_size, found.st_mtime_ns]


def _clear(work: Path, told: list[Any]) -> None:
    """Remove what an earlier run left that was killed, unless it was at the same work."""
    note = work / "run.json"
    if note.exists() and files.read_json(note) == told:
        return
    for left in work.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    files.write_json(note, told)


def _here(source: str, work: Path) -> pq.ParquetFile:
    """Return the table as Parquet of plain types, with texts as codes."""
    path = Path(source)
    if not (sources.is_local(source) and path.suffix == ".parquet" and sources.is_plain(path)):
        path = work / "input.parquet"
        if not path.exists():
            with files.replacing(path) as scratch:
                sources.copy(source, scratch)
        elif not sources.is_local(source):
            read = datetime.fromtimestamp(path.stat().st_mtime)
            print(
                f"going on with the table as it was read at {read:%Y-%m-%d %H:%M}; "
                f"remove {work} to read it anew"
            )
    kinds = (pa.string(), pa.large_string())
    texts = [field.name for field in pq.read_schema(path) if field.type in kinds]
    return pq.ParquetFile(path, read_dictionary=texts, buffer_size=BUFFER)


def _scored(table: pq.ParquetFile, champion: Bundle, work: Path) -> Parts:
    """Yield parts of the table with their predictions; at least one, which may be empty."""
    size = max(1, min(PART, CELLS // (CHUNK * len(table.schema_arrow))))
    shown = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    batches = (
        part.slice(start, CHUNK)
        for part in table.iter_batches(size * CHUNK)  # to read a part takes less than its chunks
        for start in range(0, part.num_rows, CHUNK)
    )
    with Progress(*shown, transient=True) as progress:  # it stops its thread also in an error
        task = progress.add_task("predict", total=table.metadata.num_rows)
        for number in itertools.count():
            chunk = list(itertools.islice(batches, size))
            if not chunk and number:
                return
            chunk = chunk or [pa.RecordBatch.from_pylist([], schema=table.schema_arrow)]
            said = _said(chunk, champion, work / f"part-{number:06}.parquet")
            # With one dictionary of texts, or Parquet would have none.
            yield _joined(pa.Table.from_batches(chunk).unify_dictionaries(), said)
            progress.advance(task, len(said))


def _said(chunk: list[pa.RecordBatch], champion: Bundle, path: Path) -> pa.Table:
    """Return the predictions of a part, from the file that keeps them if it is there."""
    if path.exists():
        return pq.ParquetFile(path).read()
    said = pa.concat_tables(score(batch, champion) for batch in chunk)
    with files.replacing(path) as scratch:
        pq.write_table(said, scratch, **QUICK)
    return said


def _joined(rows: pa.Table, said: pa.Table) -> pa.Table:
    kept = [name for name in rows.column_names if name not in said.column_names]
    return pa.table([*rows.select(kept).columns, *said.columns], [*kept, *said.column_names])


def _watched(parts: Iterator[pa.Table], writer: csv.CSVWriter) -> Iterator[pa.Table]:
    """Yield parts and write their bad rows."""
    for part in parts:
        bad = part.filter(part[REASON].is_valid())
        if len(bad):
            writer.write(bad.cast(sources.plain_texts(bad.schema)))
        yield part


def _bad(path: Path) -> int:
    reasons = pq.ParquetFile(path).read([REASON])[REASON]
    return int(len(reasons) - reasons.null_count)
