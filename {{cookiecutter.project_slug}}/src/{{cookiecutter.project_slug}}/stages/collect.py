"""collect: bring the table from its source into the project, as it is."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .. import files, sources
from ..config import Params
from ..errors import InputError


def describe(table: pq.ParquetFile, source: str) -> dict[str, Any]:
    """Return the record of a collected table."""
    return {
        "source": sources.without_secrets(source),
        "rows": table.metadata.num_rows,
        "columns": {field.name: _kind(field.type) for field in table.schema_arrow},
        "collected": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    return "datetime" if pa.types.is_temporal(kind) else "text"


def require_like(record: dict[str, Any], earlier: dict[str, Any], max_shrink: float) -> None:
    """Check that a table has what it had when it was collected before.

    Raises:
        InputError: columns are gone or of another kind, or more than a share of the rows is gone.
    """
    now, then = record["columns"], earlier["columns"]
    accept = "if that is right, run `make adopt` for the table as it is now"
    gone = [name for name in then if name not in now]
    if gone:
        new = [name for name in now if name not in then]
        raise InputError(
            f"columns that were there are gone: {', '.join(gone)}"
            + (f" (new: {', '.join(new)})" if new else "")
            + f"; the earlier data stays; {accept}"
        )
    changed = [
        f"{name} was {then[name]}, is {now[name]}" for name in then if now[name] != then[name]
    ]
    if changed:
        raise InputError(
            f"columns are of another kind: {', '.join(changed)}; the earlier data stays; {accept}"
        )
    if record["rows"] < (1 - max_shrink) * earlier["rows"]:
        raise InputError(
            f"{record['rows']:,} rows, where there were {earlier['rows']:,}: fewer than "
            f"collect.max_shrink in params.yaml allows ({max_shrink}); the earlier data stays; if "
            "that is right, raise the limit"
        )


def main() -> None:
    """Read the source that params.yaml names and write it as Parquet."""
    params = Params.load().collect
    shown = sources.without_secrets(params.source)
    with files.replacing(files.RAW) as folder:
        folder.mkdir()
        target = folder / files.RAW_TABLE.name
        try:
            sources.copy(params.source, target)
            record = describe(pq.ParquetFile(target), params.source)
            if not record["rows"]:
                raise InputError(f"{shown} has no rows")
            earlier = files.read_json(files.RAW_RECORD) if files.RAW_RECORD.exists() else {}
            if earlier.get("source") == record["source"]:
                require_like(record, earlier, params.max_shrink)
        except InputError as error:
            raise InputError(f"params.yaml: collect.source: {error}") from None
        record["sha256"] = files.sha256(target)
        if record | {"collected": ""} == earlier | {"collected": ""}:  # then nothing depends on it
            record = earlier
        files.write_json(folder / files.RAW_RECORD.name, record)
    print(f"{record['rows']:,} rows and {len(record['columns'])} columns from {shown}")
