"""collect: bring the table from its source into the project, as it is."""

from datetime import UTC, datetime

import pandas as pd

from .. import files, sources
from ..config import Params
from ..errors import InputError


def describe(table: pd.DataFrame, source: str) -> dict[str, object]:
    """Return the record of a collected table."""
    return {
        "source": source,
        "rows": len(table),
        "columns": {str(name): str(dtype) for name, dtype in table.dtypes.items()},
        "collected": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main() -> None:
    """Read the source that params.yaml names and write it as Parquet."""
    source = Params.load().collect.source
    try:
        table = sources.read(source)
    except InputError as error:
        raise InputError(f"params.yaml: collect.source: {error}") from None
    if table.empty:
        raise InputError(f"params.yaml: collect.source: {source} has no rows")
    with files.replacing(files.RAW_TABLE) as scratch:
        table.to_parquet(scratch, index=False)
    digest = files.sha256(files.RAW_TABLE)
    files.write_json(files.RAW_RECORD, {**describe(table, source), "sha256": digest})
    print(f"{len(table):,} rows and {table.shape[1]} columns from {source}")
