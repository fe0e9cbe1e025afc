"""The benchmarks run; what they find depends on the machine."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import EXAMPLES, TEMPLATE

FOLDER = TEMPLATE / "benchmarks"


def bench(name: str, *arguments: str) -> str:
    """Run a benchmark; returns what it printed."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", ["batch", "collect", "quality", "serving"])
def test_a_benchmark_explains_its_options(name: str) -> None:
    assert "--" in bench(name, "--help")


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES[:1])
def test_the_server_of_a_project_is_measured_without_errors(
    example: str, project: Callable[[str], Path]
) -> None:
    folder = str(project(example))
    told = bench("serving", "--quick", "--project", folder)
    figures = re.findall(r"^(ours|bare|raw) +1 +16 +([0-9,]+) ", told, re.MULTILINE)
    assert [name for name, _ in figures] == ["ours", "bare", "raw"]
    assert all(int(rate.replace(",", "")) > 0 for _, rate in figures), told
    assert re.findall(r"^(?:ours|bare|raw) +[0-9.]+ +[0-9,]+ +([0-9]+)$", told, re.MULTILINE) == [
        "0"
    ] * len(figures), told
