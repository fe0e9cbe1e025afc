"""Runs and versions in MLflow. The only module that imports mlflow."""

import os
import re
import socket
import sqlite3
import subprocess
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Quiet before the import: otherwise every stage prints the store's migrations, and an error that
# is raised comes with a traceback as well.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")

import mlflow
import pandas as pd
from filelock import FileLock
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from sqlalchemy.exc import SQLAlchemyError

from . import files, processes
from .contract import Contract
from .contract.row import example_row
from .errors import InputError

NAME = __name__.partition(".")[0]
"""The experiment and the registered model are called like the project."""

STORE = "sqlite:///mlflow.db"
CHAMPION, CHALLENGER = "champion", "challenger"
PENDING, GIVEN_UP, REFUSED = "pending", "given up: its promotion was killed", "refused"
"""Verdicts on a version beside those of the gate; one of a refusal begins so."""


def address() -> str:
    """Return where tracking goes: MLFLOW_TRACKING_URI, or SQLite in the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or STORE


@contextmanager
def asking() -> Iterator[None]:
    """Say in one sentence what the tracking server, or its store, could not do.

    Raises:
        InputError: it failed inside the block.
    """
    try:
        with files.writing():
            yield
    except (MlflowException, SQLAlchemyError) as error:
        reason = str(_cause(error)).splitlines()[0]
        raise InputError(
            f"MLFLOW_TRACKING_URI: {address()} does not work ({reason}); start the server or see "
            "to the disk, or unset the variable to track in the project"
        ) from None


def _cause(error: BaseException) -> BaseException:
    """Return what SQLite said, if it did: MLflow and SQLAlchemy may say what they tried then."""
    chain = [error]
    while under := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(under)
    return next((one for one in chain if isinstance(one, sqlite3.Error)), error)


def _alone(uri: str) -> AbstractContextManager[Any]:
    """Processes that make a new SQLite store at the same time would break it for good."""
    path = uri.removeprefix("sqlite:///")
    return nullcontext() if path == uri else FileLock(f"{path}.lock")


def connect() -> str:
    """Choose the tracking server.

    Returns:
        The id of the project's experiment, which is made if need be.

    Raises:
        InputError: the server does not answer.
    """
    with asking(), _alone(address()):
        mlflow.set_tracking_uri(address())
        return str(mlflow.set_experiment(NAME).experiment_id)


def reap(experiment: str) -> list[str]:
    """Close the runs of killed processes of this machine; returns their ids."""
    client = mlflow.MlflowClient()
    here = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
    running = client.search_runs([experiment], here)
    dead = [run for run in running if not processes.alive(run.data.tags)]
    for run in dead:
        client.set_terminated(run.info.run_id, "KILLED")
    return [run.info.run_id for run in dead]


@contextmanager
def run(name: str, params: Mapping[str, Any]) -> Iterator[str]:
    """Record what happens inside as a run; yields its id."""
    experiment = connect()
    tags = {"stage": name, **processes.tags(), **commit()}
    with asking():
        reap(experiment)
        with mlflow.start_run(run_name=name, tags=tags) as active:
            mlflow.log_params(flatten(params))
            yield active.info.run_id


@contextmanager
def resume(run_id: str) -> Iterator[str]:
    """Add to an earlier run; starts one when the tracking server does not know it."""
    experiment = connect()
    with asking():
        reap(experiment)
        try:
            mlflow.get_run(run_id)
        except MlflowException:
            run_id = mlflow.MlflowClient().create_run(experiment).info.run_id
        with mlflow.start_run(run_id=run_id, tags=processes.tags()) as active:
            yield active.info.run_id


@dataclass(frozen=True)
class Alias:
    """An alias of a registered model, which the server may follow."""

    uri: str
    name: str
    alias: str

    @classmethod
    def of(cls, uri: str) -> "Alias":
        """Read an address such as `models:/NAME@champion`.

        Raises:
            InputError: it is not of this form.
        """
        found = re.fullmatch(r"models:/([^/@]+)@([^/@]+)", uri)
        if not found:
            raise InputError(f"PROJECT_CHAMPION: {uri} is not of the form models:/NAME@ALIAS")
        mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI") or STORE)
        return cls(uri, found[1], found[2])

    def version(self) -> str:
        """Return the version that has the alias.

        Raises:
            InputError: none has, or the registry does not answer.
        """
        try:
            found = mlflow.MlflowClient().get_model_version_by_alias(self.name, self.alias)
        except MlflowException as error:
            raise InputError(
                f"{self.uri}: MLflow's registry has no such model ({str(error).splitlines()[0]}); "
                "check MLFLOW_TRACKING_URI, or release with `make run`"
            ) from None
        return str(found.version)

    def download(self, version: str, folder: Path) -> Path:
        """Bring the bundle of a version into a folder; returns where it lies in there.

        Raises:
            InputError: the gate refused the version, or it has no bundle.
        """
        source = f"models:/{self.name}/{version}"
        try:
            tags = mlflow.MlflowClient().get_model_version(self.name, version).tags
            verdict = tags.get("verdict", "")
            if verdict.startswith(REFUSED):
                raise InputError(
                    f"{source}: the gate says {verdict}; give the alias to another version, or "
                    "release this one with `release --force`"
                )
            mlflow.artifacts.download_artifacts(source, dst_path=str(folder))
        except (MlflowException, OSError) as error:
            raise InputError(f"{source} cannot be downloaded ({error})") from None
        manifests = sorted(folder.rglob("manifest.json"))
        if not manifests:
            raise InputError(f"{source}: no bundle of this project; release with `make run`")
        return manifests[0].parent


def commit() -> dict[str, str]:
    """Return the git commit as a tag, and whether files differ from it; nothing without git.

    What the pipeline itself writes does not count.
    """
    git = ["git", "--no-optional-locks"]
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode:
        return {}
    ours = ["--", ":/", f":!{files.PIPELINE_LOCK}", f":!{files.REPORTS}"]
    status = subprocess.run(
        [*git, "status", "--porcelain", *ours], capture_output=True, check=False
    )
    return {"git_commit": head.stdout.strip(), "git_dirty": str(bool(status.stdout)).lower()}


def flatten(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested sections into names with dots."""
    flat: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def log_metrics(metrics: Mapping[str, float]) -> None:
    """Add metrics to the current run."""
    mlflow.log_metrics(dict(metrics))


def log_files(paths: Iterable[Path]) -> None:
    """Add files and folders to the current run's artefacts."""
    for path in paths:
        if path.is_dir():
            mlflow.log_artifacts(str(path), path.name)
        else:
            mlflow.log_artifact(str(path))


def log_table(table: pd.DataFrame, name: str, source: str) -> None:
    """Record that the current run used a table."""
    with warnings.catch_warnings():  # of integers, and of a path that could be two kinds of source
        warnings.simplefilter("ignore", UserWarning)
        dataset = from_pandas(table, source=source, name=name)
        # Of all rows MLflow would ask each cell for its type.
        dataset.schema = from_pandas(table.head(1_000), source=source).schema
        mlflow.log_input(dataset, context=name)


def log_trials(trials: pd.DataFrame, metric: str, parent: str) -> None:
    """Add a child run to the parent run for each trial, in one go after the search."""
    client = mlflow.MlflowClient()
    experiment = client.get_run(parent).info.experiment_id
    for trial in trials.to_dict("records"):
        tags = {MLFLOW_PARENT_RUN_ID: parent, **processes.tags()}
        child = client.create_run(experiment, run_name=trial["model"], tags=tags).info.run_id
        names = {"mean": f"cv_{metric}"} | {n: n for n in ("row_milliseconds", "megabytes")}
        client.log_batch(
            child,
            metrics=[
                Metric(shown, trial[name], 0, 0)
                for name, shown in names.items()
                if not pd.isna(trial[name])
            ],
            params=[Param("model", trial["model"]), Param("parameters", trial["parameters"])],
            tags=[RunTag("stage", "trial")],
        )
        client.set_terminated(child)


# MLflow's name of each type, and pandas'. Integers are doubles, since MLflow refuses a column of
# integers in which a value is missing.
_TYPES = {
    "integer": ("double", "float64"),
    "number": ("double", "float64"),
    "boolean": ("boolean", "bool"),
    "category": ("string", "str"),
    "text": ("string", "str"),
    "datetime": ("datetime", "datetime64[ns]"),
}


def log_bundle(folder: Path, contract: Contract) -> str:
    """Add a bundle to the current run as an MLflow model; returns where it lies.

    MLflow loads it through `bundle._load_pyfunc`, so no code from the artefact runs. Its example
    of an input is made up from the contract.
    """
    example = pd.DataFrame([example_row(contract)])
    columns, dtypes = [], {}
    for name, column in contract.features.items():
        kind, dtypes[name] = _TYPES[column.type]
        columns.append(ColSpec(kind, name, required=not column.nullable))
    info = mlflow.pyfunc.log_model(
        name="bundle",
        loader_module=f"{NAME}.bundle",
        data_path=str(folder),
        signature=ModelSignature(inputs=Schema([*columns])),
        input_example=example.astype(dtypes),
        pip_requirements="requirements-serve.lock",
    )
    return str(info.model_uri)


def register(model_uri: str, run_id: str, description: str, tags: Mapping[str, str]) -> str:
    """Register a logged model; returns its version."""
    client = mlflow.MlflowClient()
    with suppress(MlflowException):  # it is there
        client.create_registered_model(NAME)
    version = client.create_model_version(
        NAME, model_uri, run_id=run_id, description=description, tags=dict(tags)
    )
    return str(version.version)


def pronounce(version: str, verdict: str) -> None:
    """Write the verdict on a registered version.

    Raises:
        InputError: the registry does not answer, or does not know the version.
    """
    connect()
    with asking():
        mlflow.MlflowClient().set_model_version_tag(NAME, version, "verdict", verdict)


def give_up() -> None:
    """Say of versions whose promotion is pending that it was killed; the caller holds the lock.

    Raises:
        InputError: the registry does not answer.
    """
    connect()
    with asking():
        client = mlflow.MlflowClient()
        pending = f"name = '{NAME}' and tags.verdict = '{PENDING}'"
        for found in client.search_model_versions(pending):
            client.set_model_version_tag(NAME, str(found.version), "verdict", GIVEN_UP)


def point(version: str, alias: str) -> None:
    """Give an alias to a registered version.

    Raises:
        InputError: the registry does not answer, or does not know the version.
    """
    connect()
    with asking():
        mlflow.MlflowClient().set_registered_model_alias(NAME, alias, version)


def registered(version: str) -> dict[str, Any]:
    """Return what the registry knows of a version: aliases, description, tags, run and its state.

    Raises:
        InputError: the registry does not answer, or does not know the version.
    """
    connect()
    with asking():
        client = mlflow.MlflowClient()
        found = client.get_model_version(NAME, version)
        run = client.get_run(str(found.run_id))
        return {
            "version": str(found.version),
            "aliases": list(found.aliases),
            "description": found.description,
            "tags": dict(found.tags),
            "run": found.run_id,
            "status": run.info.status,
        }
