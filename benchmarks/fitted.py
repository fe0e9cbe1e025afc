"""What serving.py and batch.py measure: the champion of a project for each family of models."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parents[1]
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SLUG = "benched"
# What each family changes in params.yaml; None: all families, and the best blend of them.
FAMILIES: dict[str, list[str] | None] = {
    "linear": ["dummy", "linear"],
    "boosting": ["dummy", "boosting"],
    "forest": ["dummy", "forest"],
    "mlp": ["dummy", "mlp"],
    "blend": None,
}
TREES = "QuickForestClassifier(100", "QuickForestClassifier(200"


def environment(folder: Path) -> Path:
    """Return the Python of an environment with a generated project's lock; makes it if needed."""
    if not (folder / "bin/python").exists():
        lock = TEMPLATE / "{{cookiecutter.project_slug}}" / "requirements.lock"
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", str(folder)], check=True)
        options = ["--quiet", "--require-hashes", "--python", str(folder)]
        subprocess.run([*uv, "pip", "sync", *options, str(lock)], check=True)
    return folder / "bin" / "python"


def variables(project: Path, **more: str) -> dict[str, str]:
    """Return the environment variables of a program that runs in a project."""
    store = f"sqlite:///{project / 'mlflow.db'}"
    told = {"PYTHONPATH": str(project / "src"), "MLFLOW_TRACKING_URI": store, **THREADS}
    # Modules are compiled once, as they are where nothing forbids it.
    rest = {n: value for n, value in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    return {**rest, **told, **more}


def run(command: Sequence[object], project: Path) -> str:
    """Run a program in a project; returns what it printed, or ends with what went wrong."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=project, env=variables(project), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def bake(work: Path, python: Path) -> Path:
    """Return a project of the finance example with its data split; generates it if needed."""
    project = work / SLUG
    if not project.exists():
        answers = {"project_slug": SLUG, "example": "finance"}
        options = {"output_dir": str(work), "extra_context": answers}
        cookiecutter(str(TEMPLATE), no_input=True, default_config=True, **options)
        catalogue = project / f"src/{SLUG}/models/catalogue.py"
        text = catalogue.read_text("utf-8")
        assert TREES[0] in text, f"{catalogue} has no forest of 100 to make one of 200"
        catalogue.write_text(text.replace(*TREES), "utf-8")
    if not (project / "data/split/train.parquet").exists():
        for stage in ("collect", "preprocess"):
            run([python, "-m", SLUG, stage], project)
    return project


def fit(project: Path, python: Path, family: str, seconds: float) -> Path:
    """Return the bundle of a family; trains and tunes it if needed."""
    bundle = project / "models" / family
    if not bundle.exists():
        path = project / "params.yaml"
        params: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        params["train"]["models"] = FAMILIES[family]
        if FAMILIES[family] is None:
            del params["train"]["models"]
        blended = family == "blend"
        params["tune"]["seconds"] = seconds if blended else 1  # alone: the defaults of the family
        params["tune"]["prefer"] = "accuracy" if blended else "balanced"
        params["tune"].update(max_milliseconds=1000, max_megabytes=1000)
        path.write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")
        for stage in ("train", "tune"):
            run([python, "-m", SLUG, stage], project)
        (project / "models/candidate").rename(bundle)
    return bundle
