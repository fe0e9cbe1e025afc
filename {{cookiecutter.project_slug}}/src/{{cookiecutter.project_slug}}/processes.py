"""This process, told apart from every other one, and whether another one lives."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def tags() -> dict[str, str]:
    """Return what tells this process from every other one."""
    return {"host": socket.gethostname(), "pid": str(os.getpid()), "started": _started(os.getpid())}


def alive(tags: Mapping[str, str]) -> bool:
    """Return whether a process of this machine lives.

    Args:
        tags: that it gave itself; without the moment it began, its pid has to do.
    """
    pid = int(tags["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's, so it is there
        pass
    return _started(pid) == tags.get("started", "")


def _started(pid: int) -> str:
    """Return when a process began, in ticks since the machine did; empty if nobody knows.

    Linux says it in field 22 of /proc/PID/stat (proc_pid_stat(5)).
    """
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""
