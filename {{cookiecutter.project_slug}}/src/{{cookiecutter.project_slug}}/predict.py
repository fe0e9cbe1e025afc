"""predict: score a whole table with the champion, in parts, whole or not at all."""

import itertools
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from . import bundle, files, sources
from .bundle import Bundle
from .contract.batch import read
from .contract.table import check, require_columns
from .predictions import Predictions

CHUNK = 10_000  # rows at once; their numbers fit into the caches of a processor
PART = 10  # chunks between two states that a later run goes on from
BUFFER = 1 << 20  # bytes of a column that are read at once
REASON = "reason"


def predict(table: pd.DataFrame, champion: Bundle) -> pd.DataFrame:
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


def _arrow_ready(table: pd.DataFrame) -> pd.DataFrame:
    """Write as text what Arrow has no type for, such as a column of texts and numbers."""
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
    columns: dict[str, Any] = {"prediction": predictions.labels}
    if predictions.classes is None:
        ends = champion.scorer.region.interval(predictions.values)
        columns["low"], columns["high"] = ends[:, 0], ends[:, 1]
    for position, label in enumerate(predictions.classes or ()):
        columns[f"probability of {label}"] = predictions.values[:, position]
    arrays = [pa.array(values) for values in columns.values()]
    reasons = pa.nulls(len(predictions.values), pa.string())
    return pa.table([*arrays, reasons], names=[*columns, REASON])


def _reasons(reasons: pd.Series, schema: pa.Schema) -> pa.Table:
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
    champion = bundle.load(files.CHAMPION)
    sources.require(source)
    beside = sources.require_output(output)
    work = beside.with_name(f".{beside.name}.parts")
    with files.writing(beside), files.alone(work):
        _clear(work, [source, champion.digest, CHUNK * PART, *_state(source)])
        table = _here(source, work)
        require_columns(champion.contract.features, table.schema_arrow.names)
        parts = list(_scored(table, champion, work))
        bad = sum(len(part) - part[REASON].null_count for part in _tables(parts))
        rejected = work / "rejected.csv"
        batches = _joined(table, parts, rejected)
        sources.send(next(batches).slice(0, 0).schema, batches, output, work / "output")
        side = beside.with_name(f"{beside.stem}.rejected.csv")
        if bad:
            rejected.replace(side)
        else:
            side.unlink(missing_ok=True)
        shutil.rmtree(work)
    return table.metadata.num_rows, bad, side if bad else None


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


def _scored(table: pq.ParquetFile, champion: Bundle, work: Path) -> Iterator[Path]:
    """Score what is not scored yet; yields the files with the predictions, in order."""
    shown = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    batches = table.iter_batches(CHUNK, columns=list(champion.contract.features))
    with Progress(*shown, transient=True) as progress:  # it stops its thread also in an error
        task = progress.add_task("predict", total=table.metadata.num_rows)
        for number in itertools.count():
            chunk = list(itertools.islice(batches, PART))
            if not chunk and number:
                return
            path = work / f"part-{number:06}.parquet"
            if not path.exists():
                empty = pa.RecordBatch.from_pylist([], schema=table.schema_arrow)
                said = [score(batch, champion) for batch in chunk or [empty]]
                with files.replacing(path) as scratch:
                    pq.write_table(pa.concat_tables(said), scratch, write_statistics=False)
            progress.advance(task, sum(batch.num_rows for batch in chunk))
            yield path


def _tables(parts: list[Path]) -> Iterator[pa.Table]:
    return (pq.read_table(path) for path in parts)


def _joined(table: pq.ParquetFile, parts: list[Path], rejected: Path) -> Iterator[pa.RecordBatch]:
    """Yield rows with their predictions, first none of them; write the bad ones to a file."""
    said = pq.read_schema(parts[0])
    kept = [name for name in table.schema_arrow.names if name not in said.names]
    fields = [*(table.schema_arrow.field(name) for name in kept), *said]
    schema = pa.schema([pa.field(f.name, f.type) for f in fields])
    yield pa.RecordBatch.from_pylist([], schema=schema)
    batches = table.iter_batches(CHUNK, columns=kept)
    with csv.CSVWriter(rejected, sources.plain_texts(schema)) as writer:
        for part in _tables(parts):
            done = 0
            while done < len(part):
                batch = next(batches)
                found = part.slice(done, batch.num_rows).combine_chunks().to_batches()[0]
                joined = pa.RecordBatch.from_arrays([*batch.columns, *found.columns], schema=schema)
                bad = joined.filter(found.column(REASON).is_valid())
                if bad.num_rows:
                    writer.write(bad.cast(sources.plain_texts(schema)))
                yield joined
                done += batch.num_rows
