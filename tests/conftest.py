"""What the tests share: projects baked from this template, apart from the user's own settings."""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter
from helpers import EXAMPLES, TEMPLATE, Bake, Refusal, RunCookiecutter, make
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class ByProject(LoadScopeScheduling):  # type: ignore[misc]  # it publishes no types
    """Gives one process all tests that share a run project; other files as they are.

    `--dist=loadgroup` is for this, but groups nothing under pytest 9.2 (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if Path(file).stem not in RUN_PROJECTS:
            return file
        parameters = re.split(r"[\[\]-]", nodeid)
        return next((example for example in EXAMPLES if example in parameters), EXAMPLES[0])


RUN_PROJECTS = (
    "test_adopt",
    "test_benchmarks",
    "test_ci",
    "test_clients",
    "test_deploy",
    "test_extend",
    "test_first_runs",
    "test_full_disk",
    "test_generated",
    "test_page",
    "test_kill",
    "test_readme",
)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByProject:
    """Tell pytest-xdist how to spread the tests."""
    return ByProject(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process waits in the end for the other."""
    items.sort(key=lambda item: "slow" not in item.keywords)


@pytest.fixture(scope="session", autouse=True)
def no_announced_environment() -> Iterator[None]:
    """uv and pip would install into the environment that runs the tests, were it announced."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("VIRTUAL_ENV", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def types_of_packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let mypy read the same packages once, not in every project anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
        yield


@pytest.fixture(scope="session")
def user_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cookiecutter configuration that neither reads nor writes the home folder."""
    home = tmp_path_factory.mktemp("cookiecutter")
    config = home / "config.yaml"
    config.write_text(f"replay_dir: {home / 'replay'}\ncookiecutters_dir: {home / 'templates'}\n")
    return config


@pytest.fixture(scope="session")
def bake(tmp_path_factory: pytest.TempPathFactory, user_config: Path) -> Bake:
    """`bake(**answers)` generates a project, in a folder of its own unless told where."""

    def bake_project(output: Path | None = None, overwrite: bool = False, **answers: str) -> Path:
        project = cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers,
            overwrite_if_exists=overwrite,
            output_dir=str(output or tmp_path_factory.mktemp("baked")),
            config_file=str(user_config),
        )
        return Path(project)

    return bake_project


@pytest.fixture(scope="session")
def bake_default(bake: Bake) -> Path:
    """The project of somebody who presses Enter at every question."""
    return bake()


@pytest.fixture(scope="session")
def environment(bake_default: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the project's lock, shared by all projects and processes of the tests."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    shared = place / "venv"
    with (place / "venv.lock").open("w") as claimed:
        fcntl.flock(claimed, fcntl.LOCK_EX)
        if not (shared / "ready").exists():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(shared)], check=True)
            (bake_default / ".venv").symlink_to(shared)
            make(bake_default, "setup")
    return shared


@pytest.fixture(scope="session")
def project(bake: Bake, environment: Path) -> Callable[[str], Path]:
    """`project(example)` is a project of that example which has been run."""

    @cache
    def run(example: str) -> Path:
        folder = bake(project_slug=f"{example}_project", example=example)
        (folder / ".venv").symlink_to(environment)
        # What `make setup` does at last; its first part would remove the other projects.
        install = ["uv", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
        install += ["--python", str(environment), "--editable", str(folder)]
        subprocess.run(install, check=True)
        (environment / "ready").touch()
        make(folder, "run")
        return folder

    return run


@pytest.fixture
def refusal(bake: Bake, capfd: pytest.CaptureFixture[str]) -> Refusal:
    """`refusal(output, **answers)` is what the hook says when it refuses, None if it does not."""

    def said(output: Path, **answers: str) -> str | None:
        capfd.readouterr()
        try:
            bake(output, **answers)
        except FailedHookException:
            return capfd.readouterr().err
        return None

    return said


@pytest.fixture(scope="session")
def run_cookiecutter(user_config: Path) -> RunCookiecutter:
    """`run_cookiecutter(output, *arguments)` runs the real command line."""

    def run(output: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cookiecutter", "--config-file", str(user_config)]
        command += ["--output-dir", str(output), str(TEMPLATE), *arguments]
        return subprocess.run(command, input=typed, capture_output=True, text=True, check=False)

    return run
