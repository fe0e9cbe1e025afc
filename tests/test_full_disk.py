"""Without room on the disk, or the right to write, a command says so and writes nothing by half."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from shrunk import begin_anew, command, finish, shrink, table

pytestmark = pytest.mark.slow

KILOBYTES = (0, 12, 60, 200)  # that are left; what a command needs is somewhere in between
STAGES = ("collect", "preprocess", "train", "tune", "evaluate", "release")
COMMANDS = [
    *([stage] for stage in STAGES),
    ["rollback"],
    ["predict", "{data}", "scored.csv"],
    ["adopt", "{data}", "class"],
]
READ_ONLY = [
    ("data", "collect"),
    ("data/raw", "collect"),
    ("data/split", "preprocess"),
    ("models", "train"),
    ("reports", "evaluate"),
    ("mlruns", "train"),
    ("mlflow.db", "train"),
]
WRITTEN = ("data/*/*", "models/defaults/*", "models/[cv]*/**/*", "reports/**/*", "*.yaml", "*.csv")
ENDS = {".parquet": b"PAR1", ".png": b"IEND\xaeB`\x82", ".html": b"</html>", ".json": b"}"}


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount something on a folder for as long as the block."""
    root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    ran = subprocess.run(
        [*root, "mount", *options, str(folder)], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        why = ran.stderr.strip()
        pytest.skip(f"a small disk has to be mounted, for which the rights do not suffice: {why}")
    try:
        yield
    finally:
        subprocess.run([*root, "umount", "--lazy", str(folder)], check=True)


@contextmanager
def filled(disk: Path, kilobytes: int) -> Iterator[None]:
    """Leave no more room than that on a disk for as long as the block."""
    filler = disk / "filler"
    room = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - kilobytes * 1024)
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of its own, of which little is left when it is `filled`."""
    folder = tmp_path_factory.mktemp("disk")
    with mounted(folder, "-t", "tmpfs", "-o", f"size=100m,uid={os.getuid()}", "tmpfs"):
        yield folder


@pytest.fixture(scope="module", params=["technology"])
def small(request: pytest.FixtureRequest, project: Callable[[str], Path], disk: Path) -> Path:
    """A project on that disk that has been run and is given little to do."""
    origin = project(request.param)
    folder = disk / origin.name
    elsewhere = shutil.ignore_patterns("mlflow.db*", "mlruns", "champion", "versions")
    shutil.copytree(origin, folder, symlinks=True, ignore=elsewhere)
    shrink(folder)
    finish(folder)
    return folder


def written(project: Path) -> dict[Path, str]:
    """Return what the commands write, but for logs and caches, by its digest."""
    paths = {path for pattern in WRITTEN for path in project.glob(pattern) if path.is_file()}
    found = {path: sha256(path.read_bytes()).hexdigest() for path in paths}
    return found | {project / "models/champion": str((project / "models/champion").readlink())}


def assert_is_told(said: str, *reasons: str) -> None:
    """There is one line of error that names a path, the reason and the remedy."""
    assert "Traceback" not in said, said
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert any(reason in line for reason in reasons), said
    assert re.search(r": cannot be written \(.*\); make room|; start the server or see to", line)


def assert_is_whole(project: Path, before: dict[Path, str]) -> None:
    """Whatever is there is as it was, or new and complete."""
    after = written(project)
    assert set(before) <= set(after)
    for path in after:
        if after[path] != before.get(path) and path.is_file():
            assert path.read_bytes().rstrip().endswith(ENDS.get(path.suffix, b"")), path
    assert [*project.glob("**/.*.scratch")] == []


def test_a_full_disk_is_told_by_every_command_which_works_again_with_room(small: Path) -> None:
    begin_anew(small)
    data = str(table(small).relative_to(small))
    for arguments in COMMANDS:
        given = [one.format(data=data) for one in arguments]
        for kilobytes in KILOBYTES:
            before = written(small)
            with filled(small.parent, kilobytes):
                code, said = command(small, *given)
            if code == 0:
                break
            assert code == 2, said
            assert_is_told(said, "No space left on device", "disk is full")
            assert_is_whole(small, before)
        assert kilobytes, f"{arguments} needs no room"
        if code:  # a rollback that found room would go back once more
            code, said = command(small, *given)
        assert code == 0, said


def test_a_run_on_a_full_disk_is_green_again_with_room(small: Path) -> None:
    begin_anew(small)
    before = written(small)
    with filled(small.parent, kilobytes=300):  # enough for the first stages
        code, said = command(small, "run")
    assert code, said
    assert "Traceback" not in said, said
    assert "No space left on device" in said or "disk is full" in said, said
    assert_is_whole(small, before)
    finish(small)


@pytest.mark.parametrize(("path", "name"), READ_ONLY)
def test_a_place_that_cannot_be_written_is_told_and_nothing_is_half_written(
    small: Path, path: str, name: str
) -> None:
    begin_anew(small)
    before = written(small)
    with mounted(small / path, "--bind", "-o", "ro", str(small / path)):
        code, said = command(small, name)
    assert code == 2, said
    assert_is_told(said, "Read-only file system", "readonly database", "resource busy")
    assert path.split("/")[0] in said
    assert_is_whole(small, before)
    code, said = command(small, name)
    assert code == 0, said
