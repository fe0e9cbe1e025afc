"""The params, contract and data of this project, made small, and what is made of them once."""

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import made_up
import numpy as np
import pandas as pd
import pytest
import released
from fastapi.testclient import TestClient
from ruamel.yaml import YAML
from threadpoolctl import threadpool_limits

from {{cookiecutter.project_slug}} import (
    __main__,
    bundle,
    config,
    errors,
    sources,
    versions,
)
from {{cookiecutter.project_slug}}.contract import definition, table
from {{cookiecutter.project_slug}}.serving import app, settings

ROOT = Path(__file__).parent.parent
ROWS = 360
HINT = "hint of the tests"
STAGES = ("collect", "preprocess", "train", "tune", "evaluate", "release")
SHRUNK: dict[str, Any] = {
    "collect.source": "data/rows.parquet",
    "train.folds": 2,
    "train.models": ["dummy", "linear", "tree"],
    "tune.models": 2,
    "tune.trials": 4,
    "tune.seconds": None,
    "tune.prefer": "accuracy",
    "tune.max_milliseconds": 1_000,
    "evaluate.resamples": 100,
    "evaluate.directions": None,
    "release.min_metric": None,
    "release.min_gain": 0,
    "release.max_calibration_error": 1,
    "release.max_slice_gap": 10,
    "release.max_group_gap": 10,
    "release.max_milliseconds": 1_000,
    "compute.workers": 1,
}


def edit(path: Path, key: str, value: Any) -> None:
    """Change one key, such as `tune.trials`, of a YAML file; None removes it."""
    tree = YAML().load(path)
    *sections, last = key.split(".")
    part = tree
    for section in sections:
        part = part[section]
    part[last] = value
    if value is None:
        del part[last]
    YAML().dump(tree, path)


@pytest.fixture(name="edit", scope="session")
def _edit() -> Callable[[Path, str, Any], None]:
    return edit


@contextlib.contextmanager
def refused(*fragments: str) -> Iterator[pytest.ExceptionInfo[errors.InputError]]:
    """Expect a mistake of the user to be refused with a message that holds the fragments."""
    with pytest.raises(errors.InputError) as caught:
        yield caught
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.fixture(name="refused", scope="session")
def _refused() -> Callable[..., contextlib.AbstractContextManager[None]]:
    return refused


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(autouse=True, scope="session")
def _tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests' runs out of the project's own MLflow."""
    with pytest.MonkeyPatch.context() as patch:
        store = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Fit such small models on one core: more would only wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def params(bare: Path) -> config.Params:
    """The project's params.yaml with less work in it."""
    return config.Params.load(bare / "params.yaml")


@pytest.fixture(scope="session")
def original() -> pd.DataFrame:
    """The table that params.yaml names, as it is read."""
    with contextlib.chdir(ROOT):
        return sources.read(config.Params.load().collect.source)


@pytest.fixture(scope="session")
def contract() -> definition.Contract:
    """The project's contract.yaml with one more column, which makes any table worth learning."""
    tree = definition.Contract.load(ROOT / "contract.yaml").model_dump()
    tree["columns"][HINT] = {"type": "number"}
    return definition.Contract.model_validate(tree)


@pytest.fixture(scope="session")
def raw(original: pd.DataFrame) -> pd.DataFrame:
    """Some hundred valid and different rows of the project's table, untyped, and the hint."""
    real = definition.Contract.load(ROOT / "contract.yaml")
    some = original.sample(min(len(original), 20_000), random_state=0)
    some = some.reset_index(drop=True)
    checked = table.check(some, real)
    some = some.drop(index=checked.invalid.index).reset_index(drop=True)
    typed = checked.valid.dropna(subset=[real.target]).drop_duplicates()
    y = typed[real.target]
    if real.classes:
        y = y.map({label: code for code, label in enumerate(real.classes)})
        chosen = y.groupby(y).head(ROWS // len(real.classes)).index
    else:
        chosen = y.head(ROWS).index
    y = y[chosen].to_numpy(dtype=float)
    noise = np.random.default_rng(0).normal(0, 0.4 * y.std(), len(y))
    return some.loc[chosen].assign(**{HINT: y + noise}).reset_index(drop=True)


@pytest.fixture(scope="session")
def typed(raw: pd.DataFrame, contract: definition.Contract) -> pd.DataFrame:
    return table.check(raw, contract).valid


@pytest.fixture(scope="session")
def row(typed: pd.DataFrame, contract: definition.Contract) -> dict[str, Any]:
    """A row as a client sends it."""
    return made_up.requests(typed.head(1), contract)[0]


def make_project(folder: Path, raw: pd.DataFrame, contract: definition.Contract) -> None:
    """Make a folder that the stages can run in, with the shrunk params and data."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "dvc.yaml", "requirements-serve.lock", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    (folder / ".dvc").mkdir()
    for name in ("config", ".gitignore"):
        shutil.copy(ROOT / ".dvc" / name, folder / ".dvc")
    for key, value in SHRUNK.items():
        edit(folder / "params.yaml", key, value)
    YAML().dump(contract.model_dump(mode="json", exclude_defaults=True), folder / "contract.yaml")
    (folder / "data").mkdir()
    raw.to_parquet(folder / "data/rows.parquet", index=False)


@pytest.fixture(name="make_project", scope="session")
def _make_project() -> Callable[[Path, pd.DataFrame, definition.Contract], None]:
    return make_project


@pytest.fixture(scope="session")
def bare(
    tmp_path_factory: pytest.TempPathFactory, raw: pd.DataFrame, contract: definition.Contract
) -> Path:
    """A shrunk project in which nothing has run."""
    folder = tmp_path_factory.mktemp("bare")
    make_project(folder, raw, contract)
    return folder


def call(*arguments: str) -> int:
    """Run the command line as `python -m <project>` does; returns the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["project", *arguments])
        with pytest.raises(SystemExit) as end:
            __main__.main()
    return int(end.value.code or 0)


@pytest.fixture(scope="session")
def command() -> Callable[..., int]:
    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, bare: Path) -> Path:
    """A shrunk project in which every stage has run, in this process."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(bare, folder)
    with contextlib.chdir(folder):
        assert [call(stage) for stage in STAGES] == [0] * len(STAGES)
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished project, as the working directory."""
    shutil.copytree(finished, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture(scope="session")
def released_twice(tmp_path_factory: pytest.TempPathFactory, finished: Path) -> Path:
    """The finished project with one more version, which is the champion."""
    folder = tmp_path_factory.mktemp("released") / "project"
    shutil.copytree(finished, folder, symlinks=True)
    with contextlib.chdir(folder):
        released.another_candidate(folder)
        assert call("release") == 0
    return folder


@pytest.fixture
def second(released_twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project with two versions, as the working directory."""
    shutil.copytree(released_twice, tmp_path / "second", symlinks=True)
    monkeypatch.chdir(tmp_path / "second")
    return tmp_path / "second"


@pytest.fixture
def two(second: Path) -> list[str]:
    """The names of its versions."""
    return versions.names()


@pytest.fixture(scope="session")
def champion(finished: Path) -> bundle.Bundle:
    return bundle.load(finished / "models/champion")


@pytest.fixture(scope="session")
def client(finished: Path) -> Iterator[TestClient]:
    """A client of the server of the finished project."""
    chosen = settings.Settings(champion=finished / "models/champion", max_rows=500)
    with TestClient(app.create_app(chosen)) as found:
        yield found
