"""Keeps the chosen example and CI files, drops the others, and starts a git repository."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

# No answer can end this string: see pre_gen_project.py.
ANSWERS = json.loads(r"""{{ cookiecutter | jsonify }}""")

# Files of an example that do not go to the same place under the project's root.
PLACES = {"engineered.py": Path("src", ANSWERS["project_slug"], "features", "engineered.py")}
FILES_OF_CI = {"github": Path(".github"), "gitlab": Path(".gitlab-ci.yml")}


def keep_example(chosen: str) -> None:
    """Moves the files of the chosen example to the project's root; the others go."""
    example = Path("examples", chosen)
    for file in sorted(path for path in example.rglob("*") if path.is_file()):
        place = PLACES.get(file.name) or file.relative_to(example)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
    shutil.rmtree("examples")


def keep_ci(chosen: str) -> None:
    """Drops the files of every CI provider but the chosen one."""
    for provider, path in FILES_OF_CI.items():
        if provider == chosen:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def start_repository() -> None:
    """`git init`; a project without git is a project all the same."""
    # A git hook that bakes a project exports GIT_DIR and the like, which mean its own repository.
    surroundings = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    command = ["git", "-c", "init.defaultBranch=main", "init", "--quiet"]
    try:
        subprocess.run(command, env=surroundings, check=True)
    except (OSError, subprocess.CalledProcessError):
        print("git init did not work: run it in the project once git does.", file=sys.stderr)


if __name__ == "__main__":
    keep_example(ANSWERS["example"])
    keep_ci(ANSWERS["ci"])
    start_repository()
