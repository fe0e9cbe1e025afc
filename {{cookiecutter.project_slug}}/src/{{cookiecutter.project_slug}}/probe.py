"""probe: load a bundle in a process of its own, as a server would, and say what that costs."""

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from . import bundle, files
from .deadline import Deadline, OutOfTime, until

ROWS = 200
SECONDS = 120


@dataclass(frozen=True)
class Measured:
    """What a bundle cost when a fresh process loaded it."""

    megabytes: float
    milliseconds: float | None
    """To score one row; None when it could not be loaded."""
    fault: str = ""
    """Why it could not be loaded."""
    left: str | None = None
    """The version as which it was the champion, until a rollback."""


def milliseconds(folder: Path) -> float:
    """Load a bundle, which verifies it, and return the median time to score one row."""
    loaded = bundle.load(folder)
    rows = [tuple(row) for row in files.read_json(folder / bundle.GOLDEN)["rows"]]
    times = []
    for position in range(ROWS):
        start = time.perf_counter()
        loaded.score([rows[position % len(rows)]])
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def measure(folder: Path, seconds: float = SECONDS) -> Measured:
    """Return what a fresh process finds; one that fails or hangs is a fault.

    So is a fitted model that does where a compiled one is scored: it is asked here, since a server
    does not read it, and a fresh process would take seconds to import scikit-learn.
    """
    late = f"not done after {seconds:g} seconds"
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    command = [sys.executable, "-m", __name__, str(folder)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Measured(megabytes, None, late)
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or [f"it ended with {ran.returncode}"]
        return Measured(megabytes, None, said[-1])
    try:
        with until(Deadline(time.time() + seconds)):
            bundle.load(folder).require_model()
    except OutOfTime:
        return Measured(megabytes, None, late)
    except Exception as error:  # whatever a model raises is a fault of the candidate
        return Measured(megabytes, None, str(error) or type(error).__name__)
    return Measured(megabytes, float(json.loads(ran.stdout)))


if __name__ == "__main__":
    print(json.dumps(milliseconds(Path(sys.argv[1]))))
