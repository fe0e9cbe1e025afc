"""Locks the generated project: bakes one, runs its `make lock` and keeps the result.

python scripts/lock_project.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-serve.lock", "requirements-uv.lock")


def main() -> None:
    """Resolve anew and write the locks and the names they reserve into the template."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(cookiecutter(str(TEMPLATE), no_input=True, output_dir=folder))
        subprocess.run(["make", "lock", "setup"], cwd=project, check=True)
        for lock in LOCKS:
            (TEMPLATE / "{{cookiecutter.project_slug}}" / lock).write_bytes(
                (project / lock).read_bytes()
            )
        python = project / ".venv" / "bin" / "python"
        where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        packages = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
        names = [sys.executable, str(TEMPLATE / "scripts" / "reserved_names.py")]
        subprocess.run([*names, packages, str(project / LOCKS[0]), "--write"], check=True)


if __name__ == "__main__":
    main()
