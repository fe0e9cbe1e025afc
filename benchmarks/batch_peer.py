"""What `batch.py` runs inside a project's environment.

batch_peer.py SLUG table ROWS SOURCE TARGET | encoded BUNDLE SOURCE ROWS | copied SOURCE TARGET
"""

# mypy: disable-error-code="import-not-found,import-untyped"

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

SLUG = sys.argv[1]
CHUNK = 10_000  # rows that scikit-learn gets at a time


def table(rows: str, source: str, target: str) -> None:
    """Write a table of so many rows, drawn again and again from another."""
    import numpy as np
    import pyarrow.parquet as pq

    known = pq.read_table(source)
    drawn = np.random.default_rng(0).integers(0, len(known), int(rows))
    pq.write_table(known.take(drawn), target, row_group_size=100_000)


def used() -> float:
    """Return the processor time of this process in seconds."""
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime


def encoded(folder: str, source: str, rows: str) -> None:
    """Print what scikit-learn takes to predict so many rows that are encoded already."""
    import pyarrow.parquet as pq

    bundle = import_module(f"{SLUG}.bundle").load(Path(folder))
    check = import_module(f"{SLUG}.contract.table").check
    part = next(pq.ParquetFile(source).iter_batches(CHUNK)).to_pandas()
    cells = bundle.model.cells(check(part, bundle.contract, target=False).valid)
    work: list[tuple[Any, Any, Any]] = []
    for member in bundle.model.members:
        encoder, *between, last = [step for _, step in member.steps]
        matrix = encoder.encode(cells)
        for step in between:
            matrix = matrix if step == "passthrough" else step.transform(matrix)
        # Of scikit-learn itself, where ours has a quicker way for single rows.
        own = next(k for k in type(last).__mro__ if k.__module__.startswith("sklearn."))
        name = "predict_proba" if hasattr(last, "predict_proba") else "predict"
        work.append((getattr(own, name), last, matrix))
    done, began, before = 0, time.perf_counter(), used()
    while done < int(rows):
        for predict, estimator, matrix in work:
            predict(estimator, matrix)
        done += len(work[0][2])
    seconds, cpu = time.perf_counter() - began, used() - before
    print(json.dumps({"rows": done, "seconds": seconds, "cpu": cpu}))


def copied(source: str, target: str) -> None:
    """Print what pyarrow alone takes to read a table and write it with two columns of numbers."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    began, before = time.perf_counter(), used()
    table = pq.ParquetFile(source)
    numbers = pa.array(np.random.default_rng(0).random(table.metadata.num_rows))
    fields = [*table.schema_arrow, pa.field("p", pa.float64()), pa.field("q", pa.float64())]
    schema, done = pa.schema(fields), 0
    with pq.ParquetWriter(target, schema, use_dictionary=table.schema.names) as writer:
        for batch in table.iter_batches(10 * CHUNK):
            said = numbers.slice(done, batch.num_rows)
            writer.write_batch(pa.RecordBatch.from_arrays([*batch, said, said], schema=schema))
            done += batch.num_rows
    seconds, cpu = time.perf_counter() - began, used() - before
    print(json.dumps({"rows": done, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    globals()[sys.argv[2]](*sys.argv[3:])
