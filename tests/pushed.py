"""What happens to a project once it is pushed: the commands of its CI, on what is committed."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

GITHUB = Path(".github", "workflows", "ci.yml")
GITLAB = Path(".gitlab-ci.yml")

# What makes a bare container able to run `make`. All other commands are executed by tests.
SETUP = [
    "apt-get update -qq",
    "apt-get install -qq --yes --no-install-recommends git make",
]


def commands(project: Path) -> list[str]:
    """Each distinct command of the project's CI, in order, but those that set up a container."""
    distinct = dict.fromkeys(command.strip() for command in every_command(project))
    return [command for command in distinct if command not in SETUP]


def every_command(project: Path) -> Iterator[str]:
    """What the project's CI hands to a shell."""
    for section in sections(project):
        for step in section.get("steps", []):
            if "run" in step:
                yield step["run"]
        for part in ("before_script", "script", "after_script"):
            yield from section.get(part, [])


def sections(project: Path) -> list[dict[str, Any]]:
    """The jobs, and what GitLab adds to each of them."""
    if (project / GITHUB).exists():
        return list(yaml.safe_load((project / GITHUB).read_text("utf-8"))["jobs"].values())
    described = yaml.safe_load((project / GITLAB).read_text("utf-8"))
    return [part for part in described.values() if part.keys() & {"script", "before_script"}]


def run(command: str, project: Path, base: str = "HEAD") -> subprocess.CompletedProcess[str]:
    """Run a command as CI does, comparing with `base`; the project must have a commit."""
    provider = {
        "BASE": base,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "GITHUB_STEP_SUMMARY": str(project / "reports" / "changes.md"),
    }
    return subprocess.run(
        ["bash", "-e", "-c", command], cwd=project, env=surroundings() | provider,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip


def commit(project: Path) -> str:
    """Commit whatever is in the project, and return the commit's name."""
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for command in (["add", "--all"], [*author, "commit", "--quiet", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *command], cwd=project, env=surroundings(), check=True)
    name = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(
        name, cwd=project, env=surroundings(), capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def surroundings() -> dict[str, str]:
    """The environment, without what a git hook that runs the tests says of its own repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
