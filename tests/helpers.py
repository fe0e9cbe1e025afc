"""Words that several tests use."""

import compileall
import json
import os
import signal
import socket
import subprocess
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[1]
EXAMPLES = ["healthcare", "finance", "ecommerce", "technology"]

# What the fixtures of the same names are.
Bake = Callable[..., Path]
Refusal = Callable[..., str | None]
RunCookiecutter = Callable[..., subprocess.CompletedProcess[str]]


def as_typed(text: str) -> str:
    """cookiecutter renders the answers given with --no-input, unless they say that they are raw."""
    return "{% raw %}" + text + "{% endraw %}"


def everything_in(folder: Path) -> dict[Path, bytes | None]:
    """Each path below the folder with its content."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_is_one_sentence_with_a_remedy(text: str) -> None:
    fault, _, remedy = text.partition(": ")
    assert fault and remedy.endswith(".\n"), text
    assert text.count("\n") == 1, text


def assert_is_a_project_with(project: Path, **answers: str) -> None:
    """The project parses and compiles, and its files say what was answered."""
    described = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    author = described["authors"][0]
    told = {
        "project_slug": described["name"],
        "description": described["description"],
        "author_name": author["name"],
        "author_email": author["email"],
    }
    told["project_name"], _, rest = (
        (project / "README.md").read_text("utf-8").removeprefix("# ").partition("\n")
    )
    assert told == told | answers
    assert told["description"] in rest
    assert told["author_name"] in (project / "LICENSE").read_text("utf-8")
    for path in [*project.rglob("*.yml"), *project.rglob("*.yaml")]:
        yaml.safe_load(path.read_text("utf-8"))
    for path in project.rglob("*.json"):
        json.loads(path.read_text("utf-8"))
    assert compileall.compile_dir(project, quiet=1)


def make(project: Path, *arguments: str, code: int = 0) -> str:
    """Run make in a project and return what it printed; it must end with the code."""
    ran = subprocess.run(
        ["make", *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    assert ran.returncode == code, f"make {' '.join(arguments)}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout + ran.stderr


def get(url: str, body: Any = None) -> Any:
    """Send a request; returns the JSON of the answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@contextmanager
def running(command: list[str], project: Path, ready: str) -> Iterator[None]:
    """Run a server for as long as the block; it must answer at `ready` within a minute."""
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            deadline = time.monotonic() + 60
            while True:
                assert server.poll() is None, f"{command} ended with {server.returncode}"
                assert time.monotonic() < deadline, f"{command} does not answer at {ready}"
                try:
                    with urllib.request.urlopen(ready, timeout=5):
                        break
                except OSError:
                    time.sleep(0.2)
            yield
        finally:
            os.killpg(server.pid, signal.SIGTERM)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(project: Path) -> Iterator[str]:
    """Serve a project's champion on a free port; yields the address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(["make", "serve", f"PORT={port}"], project, f"{url}/health/ready"):
        yield url
