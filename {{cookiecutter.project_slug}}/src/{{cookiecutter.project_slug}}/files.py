"""Where every file of the project lies, and how one is written: whole, or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PARAMS = Path("params.yaml")
CONTRACT = Path("contract.yaml")
PIPELINE = Path("dvc.yaml")
PREVIOUS_CONTRACT = Path("contract.previous.yaml")

RAW = Path("data/raw")
RAW_TABLE = RAW / "table.parquet"
RAW_RECORD = RAW / "record.json"

SPLIT = Path("data/split")
TRAIN = SPLIT / "train.parquet"
TEST = SPLIT / "test.parquet"
QUARANTINE = SPLIT / "quarantine.csv"
SPLIT_RECORD = SPLIT / "record.json"

DEFAULTS = Path("models/defaults")
SEARCH = Path("models/search")
CANDIDATE = Path("models/candidate")
CHAMPION = Path("models/champion")
VERSIONS = Path("models/versions")

REPORTS = Path("reports")
LEADERBOARD = REPORTS / "leaderboard.csv"
TRIALS = REPORTS / "trials.csv"
METRICS = REPORTS / "metrics.json"
FIGURES = REPORTS / "figures"
PROFILE = REPORTS / "profile.html"
REPORT = REPORTS / "report.html"
CARD = REPORTS / "model_card.md"
VERDICT = REPORTS / "release.json"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a scratch path beside `path`; when the block succeeds, it takes the place of `path`.

    Works for files and folders. When the block raises, `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        scratch = Path(folder) / path.name
        yield scratch
        if path.is_dir() and not path.is_symlink():
            path.rename(Path(folder) / "old")
        scratch.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON; NaN and infinity are refused, since JSON has no such numbers."""
    with replacing(path) as scratch:
        scratch.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder so that `target` appears whole."""
    with replacing(target) as scratch:
        shutil.copytree(source, scratch)


def point(link: Path, target: Path) -> None:
    """Make `link` a symbolic link to `target`, in one atomic step."""
    with tempfile.TemporaryDirectory(dir=link.parent, prefix=f".{link.name}.") as folder:
        scratch = Path(folder) / link.name
        scratch.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
        scratch.replace(link)
