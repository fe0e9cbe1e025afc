"""Where every file of the project lies, and how one is written: whole, or not at all."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import InputError

PARAMS = Path("params.yaml")
CONTRACT = Path("contract.yaml")
PIPELINE = Path("dvc.yaml")
PIPELINE_LOCK = Path("dvc.lock")
DVC_CLAIMS = Path(".dvc/tmp/rwlock")  # who reads and writes what, while it runs
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
HISTORY = VERSIONS / "history.jsonl"
REGISTERED = VERSIONS / "registered.json"
RELEASE_LOCK = Path("models/.release.lock")

REPORTS = Path("reports")
LEADERBOARD = REPORTS / "leaderboard.csv"
TRIALS = REPORTS / "trials.csv"
METRICS = REPORTS / "metrics.json"
FIGURES = REPORTS / "figures"
PROFILE = REPORTS / "profile.html"
REPORT = REPORTS / "report.html"
SHARED_REPORT = REPORTS / "report_without_rows.html"  # the copy that leaves the project
CARD = REPORTS / "model_card.md"
VERDICT = REPORTS / "release.json"

SCRATCH = ".scratch"
WRITTEN_TO = (Path(), RAW.parent, CHAMPION.parent, VERSIONS, REPORTS)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EBUSY)


@contextmanager
def writing(path: Path | None = None) -> Iterator[None]:
    """Say in one sentence that something cannot be written.

    Args:
        path: what; None is what the system names.

    Raises:
        InputError: the disk is full or read-only, or the rights do not suffice, in the block.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, shutil.Error):  # of a whole folder; the first of its files will do
            _, where, reason = error.args[0][0]
        elif error.errno in FULL + FORBIDDEN:
            where, reason = error.filename2 or error.filename, os.strerror(error.errno)
        elif str(error.strerror).startswith("No usable temporary directory"):  # tempfile tried all
            where, reason = None, error.strerror
        else:
            raise
        parts = Path(path or where or "the disk").parts
        shown = Path(*(part for part in parts if not part.endswith(SCRATCH)))
        raise InputError(
            f"{shown}: cannot be written ({reason}); make room or see to the permissions. "
            "What was there before stays"
        ) from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a scratch path beside `path`; when the block succeeds, it takes the place of `path`.

    Works for files and folders. When the block raises, `path` stays as it was.
    """
    with writing(path), _scratch_folder(path) as folder:
        scratch = folder / path.name
        yield scratch
        if path.is_dir() and not path.is_symlink():
            path.rename(folder / "old")
        scratch.replace(path)


@contextmanager
def _scratch_folder(path: Path) -> Iterator[Path]:
    """Make a folder beside `path` that is locked while this process lives; see `sweep`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=path.parent, prefix=f".{path.name}.", suffix=SCRATCH
    ) as name:
        held = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(held)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make a folder that no other process has as long as the block lasts.

    Raises:
        InputError: another one has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Unless the other one has just removed it.
            ours = folder.exists() and os.path.samestat(folder.stat(), os.fstat(held))
        except BlockingIOError:
            ours = False
        if not ours:
            raise InputError(f"another run is at work in {folder}; wait for it to end")
        yield
    finally:
        os.close(held)


def sweep() -> list[Path]:
    """Remove the scratch folders of killed processes; returns them."""
    swept = []
    for folder in (one for place in WRITTEN_TO for one in place.glob(f".*{SCRATCH}")):
        with suppress(OSError):  # in use, or gone by now
            held = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                swept.append(folder)
            finally:
                os.close(held)
    return swept


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


def settle(folder: Path) -> None:
    """Wait until the files of a folder are on the disk, so that a power cut cannot empty them."""
    for path in [*folder.iterdir(), folder]:
        held = os.open(path, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)


def point(link: Path, target: Path) -> None:
    """Make `link` a symbolic link to `target`, in one atomic step."""
    with writing(link), _scratch_folder(link) as folder:
        scratch = folder / link.name
        scratch.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
        scratch.replace(link)
