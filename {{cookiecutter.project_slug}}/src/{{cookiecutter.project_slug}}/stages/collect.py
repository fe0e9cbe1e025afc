"""collect: bring the table from its source into the project, as it is."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .. import files, sources
from ..config import Collect, Params
from ..contract import Contract
from ..errors import InputError

GROUP = 32 << 20  # bytes that are written at once; also what one part in memory may take


def write(tables: Iterable[pa.Table], path: Path) -> pa.Schema:
    """Write tables, one after the other, as one Parquet file.

    A table whose types the earlier ones cannot hold starts a file of its own; these are joined in
    the end, so that memory stays bounded.

    Returns:
        The schema that holds the cells of all.

    Raises:
        InputError: types of a column do not go together.
    """
    pieces: list[Path] = []
    schema, writer = pa.schema([]), None
    try:
        for table in _grouped(tables):
            wider = sources.unify(schema, table.schema) if writer else table.schema
            if writer is None or not wider.equals(schema):
                if writer:
                    writer.close()
                pieces.append(path.with_name(f"{len(pieces)}.parquet"))
                schema, writer = wider, pq.ParquetWriter(pieces[-1], wider, compression="lz4")
            writer.write_table(sources.fit(table, schema))
    finally:
        if writer:
            writer.close()
    if len(pieces) > 1:
        write(_read(pieces, schema), path)
    else:
        pieces[0].rename(path)
    return schema


def _grouped(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join small tables of the same schema: Parquet wants few large groups of rows."""
    group: list[pa.Table] = []
    for table in tables:
        full = sum(part.nbytes for part in group) > GROUP
        if group and (full or not table.schema.equals(group[0].schema)):
            yield pa.concat_tables(group)
            group = []
        group.append(table)
    yield pa.concat_tables(group)


def _read(pieces: list[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    for piece in pieces:
        with pq.ParquetFile(piece) as parquet:
            for index in range(parquet.num_row_groups):
                yield sources.fit(parquet.read_row_group(index), schema)
        piece.unlink()


def shown(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Pass tables on and show how much there was."""
    columns = (SpinnerColumn(), TextColumn("collecting {task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        task, rows, size = progress.add_task(""), 0, 0
        for table in tables:
            yield table
            rows, size = rows + len(table), size + table.nbytes
            progress.update(task, description=f"{rows:,} rows, {size / 1e6:,.0f} MB")


def compare(rows: int, columns: Iterable[str], previous: dict[str, Any], max_shrink: float) -> None:
    """Refuse a table that has lost much of what its source had before.

    Raises:
        InputError: columns that contract.yaml names are gone, or too many rows.
    """
    gone = [name for name in previous["columns"] if name not in {*columns} and _needed(name)]
    if gone:
        new = [name for name in columns if name not in previous["columns"]]
        close = {name: difflib.get_close_matches(name, new, n=1, cutoff=0.5) for name in gone}
        told = ", ".join(f"{name} (now {c[0]}?)" if c else name for name, c in close.items())
        raise InputError(
            f"columns are gone since {previous['collected']}: {told}. If that is meant, bring "
            "contract.yaml up to date (`make adopt` does) and run again"
        )
    if rows < previous["rows"] * (1 - max_shrink):
        raise InputError(
            f"{rows:,} rows where there were {previous['rows']:,} on {previous['collected']}, "
            f"fewer than collect.max_shrink ({max_shrink:g}) in params.yaml allows. If that is "
            "meant, set it to 1 for one run"
        )


def _needed(name: str) -> bool:
    with suppress(InputError):
        return name in Contract.load().kept
    return True  # no contract to say otherwise


def _previous(source: str) -> dict[str, Any] | None:
    """Return the record of the table in place, if it came from the same source."""
    if not (files.RAW_RECORD.is_file() and files.RAW_TABLE.is_file()):
        return None
    record = files.read_json(files.RAW_RECORD)
    return record if record["source"] == source else None


def collect(source: str, max_shrink: float) -> dict[str, Any]:
    """Bring a table from its source to `data/raw`; returns its record.

    Raises:
        InputError: the source cannot be read, is empty, or has lost what it had; what was
            collected before then stays.
    """
    name = sources.without_secrets(source)
    previous = _previous(name)
    with files.replacing(files.RAW) as scratch:
        scratch.mkdir()
        path = scratch / files.RAW_TABLE.name
        schema = write(shown(sources.stream(source)), path)
        rows = pq.read_metadata(path).num_rows
        if not rows:
            raise InputError(f"{name}: there are no rows; check the source")
        if previous:
            compare(rows, schema.names, previous, max_shrink)
        record = {
            "source": name,
            "rows": rows,
            "columns": {field.name: str(field.type) for field in schema},
            "collected": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": files.sha256(path),
        }
        files.write_json(scratch / files.RAW_RECORD.name, record)
    return record


def require_watch(params: Collect) -> None:
    """Check that DVC notices when a local source is edited.

    Raises:
        InputError: DVC watches another file.
    """
    if sources.is_local(params.source) and params.watch != params.source.removeprefix("file://"):
        raise InputError(
            f"params.yaml: collect.watch: {params.watch} is another file than collect.source, "
            f"{params.source}, whose edits would go unnoticed; set both to the same file"
        )


def main() -> None:
    """Collect the table of the source that params.yaml names."""
    params = Params.load().collect
    try:
        record = collect(params.source, params.max_shrink)
    except InputError as error:
        kept = ". The table collected before stays in place" if files.RAW_TABLE.is_file() else ""
        raise InputError(f"params.yaml: collect.source: {error}{kept}") from None
    print(f"{record['rows']:,} rows, {len(record['columns'])} columns from {record['source']}")
