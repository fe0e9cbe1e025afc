"""Compares `make predict` of generated projects with scikit-learn on an array, in rows a second.

Ours reads a Parquet table, checks it against the contract, encodes, scores and writes Parquet
(`python -m SLUG predict`, the whole process, imports included). scikit-learn is given all that as a
gift: predict_proba of the same estimator on rows that are encoded already, the same 10,000 again
and again, which stay in the caches. `pyarrow` is the limit: it reads the table and writes it with
two columns more, and scores nothing. All run on one core with one thread, in turns; the median of
the rounds counts, in seconds of the wall and of the processor (`cpu`), which hardly depends on what
else runs.

    make bench-batch                                    # linear and boosting, a million rows
    make bench-batch BENCH="--families blend --rows 100000"
    make bench-batch BENCH=--quick                      # does it work at all?

It needs Linux. Models are fitted once, and kept in --work; remove that folder to fit them anew.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import fitted

PEER = Path(__file__).with_name("batch_peer.py")


@dataclass(frozen=True)
class Cost:
    """What a way to score a table takes."""

    rows: int
    seconds: float
    cpu: float
    megabytes: float = 0.0


def ours(project: Path, python: Path, source: Path, core: int) -> Cost:
    """Score a table with the champion, as `make predict` does."""
    target = source.with_name("scored.parquet")
    target.unlink(missing_ok=True)
    words = ["taskset", "-c", str(core), str(python), "-m", fitted.SLUG, "predict"]
    began, log = time.perf_counter(), source.with_name("predict.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*words, str(source), str(target)],
            cwd=project,
            env=fitted.variables(project),
            stdout=output,
            stderr=output,
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"predict: exit {process.returncode}\n{log.read_text('utf-8')}")
    count = "import sys, pyarrow.parquet as p; print(p.read_metadata(sys.argv[1]).num_rows)"
    rows = int(fitted.run([python, "-c", count, target], project))
    return Cost(rows, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def theirs(project: Path, python: Path, core: int, *task: object) -> Cost:
    """Let a peer do a task."""
    words = ["taskset", "-c", core, python, PEER, fitted.SLUG, *task]
    return Cost(**json.loads(fitted.run(words, project)))


def compare(
    family: str, project: Path, python: Path, source: Path, args: argparse.Namespace
) -> None:
    """Print the lines of one family."""
    bundle = fitted.fit(project, python, family, args.blend_seconds)
    champion = project / "models/champion"
    champion.unlink(missing_ok=True)
    champion.symlink_to(bundle.name)
    costs: dict[str, list[Cost]] = {"ours": [], "scikit-learn": [], "pyarrow": []}
    tasks: dict[str, list[object]] = {
        "scikit-learn": ["encoded", bundle, source, args.rows],
        "pyarrow": ["copied", source, source.with_name("copied.parquet")],
    }
    for _ in range(args.rounds):
        costs["ours"].append(ours(project, python, source, args.core))
        assert costs["ours"][-1].rows == args.rows, "predict lost rows"
        for name, task in tasks.items():
            costs[name].append(theirs(project, python, args.core, *task))
    wall = {name: median(c.rows / c.seconds for c in found) for name, found in costs.items()}
    cpu = {name: median(c.rows / c.cpu for c in found) for name, found in costs.items()}
    for name, found in costs.items():
        line = f"{family:10}{name:14}{wall[name]:12,.0f}{cpu[name]:14,.0f}"
        if name != "scikit-learn":
            peak = max(c.megabytes for c in found)  # measured of ours alone
            line += f"{peak:9,.0f}" if peak else " " * 9
            line += "".join(f"{one[name] / one['scikit-learn']:8.2f}" for one in (wall, cpu))
        print(line, flush=True)


def main() -> None:
    """Make the table, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, help="of a generated project; made if not given")
    parser.add_argument("--work", type=Path, default=Path("bench"), help="where models are kept")
    known = [*fitted.FAMILIES]
    parser.add_argument("--families", nargs="+", default=["linear", "boosting"], choices=known)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="of each; the median counts")
    parser.add_argument("--core", type=int, default=0, help="that both run on")
    parser.add_argument("--blend-seconds", type=float, default=20, help="that tune may search")
    parser.add_argument("--quick", action="store_true", help="linear, 20,000 rows, once")
    args = parser.parse_args()
    if args.quick:
        args.families, args.rows, args.rounds = ["linear"], 20_000, 1
    work = args.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    python = args.python.absolute() if args.python else fitted.environment(work / "environment")
    project = fitted.bake(work, python)
    source = work / f"rows-{args.rows}.parquet"
    if not source.exists():
        rows = project / "data/split/test.parquet"
        fitted.run([python, PEER, fitted.SLUG, "table", args.rows, rows, source], project)
    print(f"{args.rows:,} rows; ratios are to scikit-learn on an encoded array")
    print(f"{'':24}{'rows/s':>12}{'rows/cpu s':>14}{'peak MB':>9}{'wall':>8}{'cpu':>8}", flush=True)
    for family in args.families:
        compare(family, project, python, source, args)


if __name__ == "__main__":
    main()
