"""run: the whole pipeline, from the source to a released model, and what came of it."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pandas as pd
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from . import bundle, calibration, files, gate, metrics, models, sources, versions
from .config import Params
from .contract import Contract
from .errors import InputError

WATCHED = "${collect.source}"  # as dvc.yaml says it
EXIT_CODE = re.compile(r"failed to run: .*, exited with (-?\d+)")


def check_files() -> None:
    """Find the mistakes that can be found before anything runs.

    Raises:
        InputError: in params.yaml or contract.yaml.
    """
    params, contract = Params.load(), Contract.load()
    contract.require(params.task)
    metrics.find(params.metric, params.task)
    models.find(params.train.models, params.task)
    if params.tune.costs:
        calibration.cost_matrix(params.tune.costs, contract.classes or ())
    try:
        sources.require(params.collect.source)
    except InputError as error:
        raise InputError(f"params.yaml: collect.source: {error}") from None


def watch(source: str) -> None:
    """Have DVC watch the source if it is a file; it cannot watch an address."""
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 1_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    pipeline = yaml.load(files.PIPELINE.read_text(encoding="utf-8"))
    watched = pipeline["stages"]["collect"]["deps"]
    if sources.is_local(source) == (WATCHED in watched):
        return
    if sources.is_local(source):
        watched.insert(0, Quoted(WATCHED))
    else:
        watched.remove(WATCHED)
    with files.replacing(files.PIPELINE) as scratch:
        yaml.dump(pipeline, scratch)


def mend() -> None:
    """Remove what DVC had half written when it was killed, and would stumble over.

    It makes both files anew; what it knew of finished stages is in its cache as well.
    """
    with suppress(FileNotFoundError):
        if not _is_json(files.DVC_CLAIMS.read_text(encoding="utf-8")):
            files.DVC_CLAIMS.unlink()
    with suppress(FileNotFoundError):
        text = files.PIPELINE_LOCK.read_text(encoding="utf-8")
        if "<<<<<<<" not in text and not _is_whole(text):  # a conflict is for a person to resolve
            files.PIPELINE_LOCK.unlink()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_whole(text: str) -> bool:
    """Whether a dvc.lock ends where one may, and has all that each of its entries must have."""
    if not text.endswith("\n") or text.endswith(":\n"):
        return False
    try:
        stages = YAML(typ="safe", pure=True).load(text)["stages"].values()
        entries = [one for s in stages for part in ("deps", "outs") for one in s.get(part, [])]
        return all("path" in one and len(one) > 1 for one in entries)
    except (YAMLError, TypeError, KeyError, AttributeError):
        return False


def repro(*arguments: str) -> int:
    """Run `dvc repro` with this Python.

    Returns:
        0, or the exit code of the stage that failed (DVC's own is the same for every failure);
        128 + n where signal n ended it, as shells say it.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "dvc", "repro", *arguments]
    failed = None
    # Ctrl-C reaches the stage as well, which ends in its own way and says so by its code.
    previous = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with subprocess.Popen(
            command, env={**os.environ, "PATH": path}, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                sys.stderr.write(line)
                failed = EXIT_CODE.search(line) or failed
    finally:
        signal.signal(signal.SIGINT, previous)
    code = int(failed[1]) if failed and process.returncode else process.returncode
    return code if code >= 0 else 128 - code


def run() -> int:
    """Check the configuration and reproduce the pipeline; returns an exit code.

    What an earlier run left undone when it was killed is done first.

    Raises:
        InputError: a mistake in the configuration, or another run is at work.
    """
    check_files()
    with files.alone(files.CHAMPION.parent):
        return _run()


def _run() -> int:
    files.sweep()
    mend()
    if versions.unfinished():
        from .stages import release  # a second, for MLflow, that hardly any run needs

        with versions.lock():
            release.repair()
    watch(Params.load().collect.source)
    code = repro()
    if code == 0 and not files.CHAMPION.exists():  # a fresh clone with pulled results
        code = repro("--single-item", "--force", "release")
    return code


def retrain() -> int:
    """Collect the table anew, changed or not, then do the whole; returns an exit code.

    Raises:
        InputError: as `run`.
    """
    check_files()
    with files.alone(files.CHAMPION.parent):
        mend()
        watch(Params.load().collect.source)
        return repro("--force", "--single-item", "collect") or _run()


def summary() -> Panel:
    """Return what the last run came to, for the terminal."""
    params, champion = Params.load(), bundle.load(files.CHAMPION)
    results = files.read_json(files.METRICS)
    known = metrics.reported(params.metric, params.task)
    board = Table("model", params.metric, "± s.e.", "fit s", title="Leaderboard (cross-validated)")
    for row in pd.read_csv(files.LEADERBOARD).to_dict("records"):
        cells = (row["mean"], row["standard_error"], row["fit_seconds"])
        board.add_row(row["model"], *(f"{value:.4g}" for value in cells))
    tests = Table(
        "metric",
        "value",
        f"{params.evaluate.confidence:.0%} interval",
        "baseline",
        title=f"{results['model']} on {results['rows']:,} test rows",
    )
    for name, found in results["metrics"].items():
        tests.add_row(
            known[name].title,
            f"{found['value']:.4g}",
            f"{found['low']:.4g} – {found['high']:.4g}",
            f"{results['baseline'][name]:.4g}",
        )
    rules = [gate.Rule(**rule) for rule in files.read_json(files.VERDICT)["rules"]]
    version = champion.manifest["version"]
    ends = Text(
        f"\nmodel    {files.CHAMPION} (version {version})\n"
        f"report   {files.REPORT}\nserve    make serve",
    )
    return Panel(
        Group(board, tests, gate.show(rules), ends),
        title=champion.manifest["name"],
        expand=False,
    )
