"""The hook knows every name that the project's lock installs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import TEMPLATE

LOCK = TEMPLATE / "{{cookiecutter.project_slug}}" / "requirements.lock"


@pytest.fixture(scope="module")
def reserved() -> list[str]:
    hook = (TEMPLATE / "hooks" / "pre_gen_project.py").read_text("utf-8")
    _, _, block = hook.partition("# reserved names: begin\n")
    return block.partition("# reserved names: end\n")[0].split('"""')[1].split()


def test_no_project_is_called_like_a_package_in_the_lock(reserved: list[str]) -> None:
    locked = re.findall(r"^([\w.-]+)==", LOCK.read_text("utf-8"), re.MULTILINE)
    assert locked
    assert {re.sub("[-.]", "_", name.lower()) for name in locked} <= set(reserved)


@pytest.mark.slow
def test_no_project_is_called_like_a_module_that_the_lock_installs(
    reserved: list[str], environment: Path
) -> None:
    (site_packages,) = environment.glob("lib/python3*/site-packages")
    script = TEMPLATE / "scripts" / "reserved_names.py"
    command = [sys.executable, str(script), str(site_packages), str(LOCK)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert set(listed) <= set(reserved), "run scripts/reserved_names.py with --write"
