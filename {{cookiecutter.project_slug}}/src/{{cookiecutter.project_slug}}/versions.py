"""The released models: a folder for each, the champion among them, and who promoted what, when.

models/versions/<version>        a bundle, never changed again
models/versions/history.jsonl    a line for each time that the champion changed, with the SHA-256
                                 of its manifest
models/versions/registered.json  the version that the registry was last told of
models/champion                  a symbolic link to one of the versions

A promotion is a lock, a verified copy, one atomic step (`switch`), then the registry's alias.
A crash leaves the old or the new champion, complete; `mend` and `told` say what is missing.
"""

import getpass
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from . import files
from .errors import InputError

NAME = __name__.partition(".")[0]
MANIFEST = "manifest.json"
ROLLBACK = "rolled back"


@contextmanager
def lock() -> Iterator[None]:
    """Let one process at a time change the champion.

    Raises:
        InputError: another one is at it.
    """
    files.RELEASE_LOCK.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(files.RELEASE_LOCK, timeout=0):
            yield
    except Timeout:
        raise InputError("another release or rollback is under way; wait for it to end") from None


def names() -> list[str]:
    """Return the versions that are there, the earliest first."""
    found = [path.name for path in files.VERSIONS.glob("*") if path.name.isdigit()]
    return sorted(found, key=int)


def current() -> str | None:
    """Return the version of the champion; None when there is none."""
    return files.CHAMPION.resolve().name if files.CHAMPION.exists() else None


def manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a version's folder; empty when it cannot be read."""
    try:
        return dict(files.read_json(folder / MANIFEST))
    except (OSError, ValueError, TypeError):
        return {}


def find(version: str) -> Path:
    """Return the folder of a version.

    Raises:
        InputError: there is no such version; names those that there are.
    """
    if version not in names():
        there = ", ".join(names()) or "none; `make run` releases the first one"
        raise InputError(f"there is no version {version!r}; these are there: {there}")
    return files.VERSIONS / version


def next_name(registered: str) -> str:
    """Return what the next version is called: as in the registry, if that name is still free."""
    newest = int((names() or ["0"])[-1])
    return registered if int(registered) > newest else str(newest + 1)


def person() -> str:
    """Return who is at it: git's user, else the user of this machine."""
    git = subprocess.run(
        ["git", "config", "user.name"], capture_output=True, text=True, check=False
    )
    try:
        return git.stdout.strip() or getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"


def entry(version: str, why: str, **more: Any) -> dict[str, Any]:
    """Return a line of the history."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"version": version, "from": current(), "when": now, "who": person(), "why": why} | more


def history() -> list[dict[str, Any]]:
    """Return the promotions and rollbacks, the earliest first."""
    if not files.HISTORY.exists():
        return []
    return [json.loads(line) for line in files.HISTORY.read_text(encoding="utf-8").splitlines()]


@contextmanager
def recording(line: Mapping[str, Any]) -> Iterator[None]:
    """Add a line to the history, with the SHA-256 of the manifest, when the block succeeds."""
    sealed = _digest(files.VERSIONS / line["version"] / MANIFEST)
    lines = [*history(), {**line, "manifest": sealed}]
    with files.replacing(files.HISTORY) as scratch:
        text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines)
        scratch.write_text(text, encoding="utf-8")
        yield


def record(line: Mapping[str, Any]) -> None:
    """Add a line to the history."""
    with recording(line):
        pass


def switch(line: Mapping[str, Any]) -> None:
    """Make a version the champion, in one step, and record it; both, or neither without room."""
    with recording(line):
        files.point(files.CHAMPION, files.VERSIONS / line["version"])


def previous() -> str:
    """Return the version that was champion when the current one was promoted first.

    Raises:
        InputError: there is none.
    """
    now = current()
    earlier = next((line["from"] for line in history() if line["version"] == now), None)
    if earlier not in names():
        there = ", ".join(names()) or "none"
        raise InputError(
            f"no version was champion before {now or 'the first release'}; these are there: "
            f"{there}. Choose one with --to"
        )
    return str(earlier)


def left(digest: str) -> str | None:
    """Return the version that a rollback replaced and that holds the file; None if there is none.

    Args:
        digest: of the model's file.
    """
    replaced = {line["from"] for line in history() if line["why"] == ROLLBACK} - {current()}
    held = [one for one in names() if one in replaced]
    digests = {one: manifest(files.VERSIONS / one).get("files", {}).values() for one in held}
    return next((one for one in held if digest in digests[one]), None)


def verify(folder: Path) -> None:
    """Check that a version is what was released; slow only if the libraries are not the same.

    Raises:
        InputError: it is damaged, or does not give the predictions that it was released with.
    """
    known, damaged = manifest(folder), changed(folder)
    if damaged:
        raise InputError(
            f"{folder}: {', '.join(damaged)} is not what was released; choose another version "
            f"with --to: {', '.join(names())}"
        )
    if any(_installed(library) != number for library, number in known["libraries"].items()):
        from . import bundle

        bundle.load(folder)


def changed(folder: Path) -> list[str]:
    """Return the files of a version that are not what was released."""
    known, lines = manifest(folder), history()
    sealed = [line["manifest"] for line in lines if line["version"] == folder.resolve().name][:1]
    if not known or sealed not in ([], [_digest(folder / MANIFEST)]):
        return [MANIFEST]
    return [n for n, digest in known.get("files", {}).items() if digest != _digest(folder / n)]


def _installed(library: str) -> str | None:
    try:
        return installed(library)
    except PackageNotFoundError:  # a server does without some
        return None


def _digest(path: Path) -> str | None:
    return files.sha256(path) if path.is_file() else None


def mend() -> None:
    """Record the champion if a promotion, or a rollback, was killed before it could."""
    version, lines = current(), history()
    if version is None or (lines and lines[-1]["version"] == version):
        return
    if version in [line["version"] for line in lines]:  # only a rollback brings one back
        record(entry(version, ROLLBACK) | {"from": lines[-1]["version"]})
    else:
        record(manifest(files.CHAMPION).get("promotion") or entry(version, "found by repair"))


def told() -> str | None:
    """Return the version that the registry was last told of."""
    return files.read_json(files.REGISTERED)["version"] if files.REGISTERED.exists() else None


def tell(version: str) -> None:
    """Note that the registry knows the champion."""
    files.write_json(files.REGISTERED, {"version": version})


def unfinished() -> bool:
    """Whether the history or the registry lacks the champion, since a promotion was killed."""
    version, lines = current(), history()
    recorded = lines and lines[-1]["version"] == version
    return version is not None and not (recorded and told() == version)
