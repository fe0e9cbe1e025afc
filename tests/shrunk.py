"""A project that has been run, made small, and commands in it as real processes."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

ROWS = 600
SMALL = {
    "seconds: 30": "trials: 3",
    "  # models: .*": "  models: [dummy, linear]",
    "resamples: 1000": "resamples: 100",
    "max_shrink: 0.5": "max_shrink: 1",
    "max_loss_to_champion: 0.1": "max_loss_to_champion: 10",
    "max_slice_gap: 0.6": "max_slice_gap: 10",
    "min_metric: 0.8": "min_metric: 10",
    "max_calibration_error: 0.1": "max_calibration_error: 1",
}

# Prints the version of the champion and those that the history, the registry and MLflow have.
STATE = """
import json, sys
from {slug} import bundle, files, tracking, versions
champion = bundle.load(files.CHAMPION).manifest if files.CHAMPION.exists() else None
tracking.connect()
client = tracking.mlflow.MlflowClient()
models = client.search_registered_models()
found = client.search_model_versions()
runs = client.search_runs([tracking.connect()], "attributes.status = 'RUNNING'")
lines = versions.history()
print(json.dumps(dict(
    champion=champion and champion["version"], registered=champion and champion["registered"],
    history=lines[-1]["version"] if lines else None, unfinished=versions.unfinished(),
    alias=str(models[0].aliases.get("champion")) if models else None, running=len(runs),
    verdicts=[one.tags.get("verdict") for one in found],
)))
"""


def shrink(project: Path) -> None:
    """Give a project few rows, one family of models and a wide gate."""
    params = project / "params.yaml"
    text = params.read_text()
    for pattern, value in SMALL.items():
        assert re.search(pattern, text), pattern
        text = re.sub(pattern, value, text)
    params.write_text(text)
    data = table(project)
    header, *rows = data.read_text().splitlines(keepends=True)
    data.write_text("".join([header, *rows[:: len(rows) // ROWS]]))


def table(project: Path) -> Path:
    return next((project / "data").glob("*.csv"))


def begin_anew(project: Path) -> None:
    """Leave every stage something to do, the search too."""
    params = project / "params.yaml"
    text = params.read_text()
    trials = re.search(r"^  trials: (\d+)", text, re.MULTILINE)
    assert trials
    changed = text.replace(trials[0], f"  trials: {3 + (int(trials[1]) - 2) % 4}", 1)
    params.write_text(changed)
    data = table(project)
    lines = data.read_text().splitlines(keepends=True)
    data.write_text("".join(lines[:-1]))


def python(project: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start Python in a process group of its own."""
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    environment["PATH"] = f"{project / '.venv/bin'}{os.pathsep}{environment['PATH']}"
    return subprocess.Popen(
        [str(project / ".venv/bin/python"), *arguments],
        cwd=project, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def command(project: Path, *arguments: str) -> tuple[int, str]:
    """Run a command of a project; returns its exit code and what it said."""
    ran = python(project, "-m", project.name, *arguments)
    said, _ = ran.communicate()
    return ran.returncode, said


def finish(project: Path) -> None:
    code, said = command(project, "run")
    assert code == 0, said


def state(project: Path) -> Any:
    told, _ = python(project, "-c", STATE.format(slug=project.name)).communicate()
    assert told.startswith("{"), told
    return json.loads(told.splitlines()[0])
