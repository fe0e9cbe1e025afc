"""probe: load a bundle in a process of its own, as a server would, and say what that costs."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from . import bundle, files
from .gate import Measured

ROWS = 200
SECONDS = 120


def milliseconds(folder: Path) -> float:
    """Load a bundle, which verifies it, and return the median time to score one row.

    After that the fitted model is verified too, which a compiled one is scored without.
    """
    loaded = bundle.load(folder)
    rows = [tuple(row) for row in files.read_json(folder / bundle.GOLDEN)["rows"]]
    times = []
    for position in range(ROWS):
        start = time.perf_counter()
        loaded.score([rows[position % len(rows)]])
        times.append(time.perf_counter() - start)
    loaded.require_model()
    return 1000 * statistics.median(times)


def measure(folder: Path, seconds: float = SECONDS) -> Measured:
    """Return what a fresh process finds; one that fails or hangs is a fault."""
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    command = [sys.executable, "-m", __name__, str(folder)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Measured(megabytes, None, f"not done after {seconds:g} seconds")
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or [f"it ended with {ran.returncode}"]
        return Measured(megabytes, None, said[-1])
    return Measured(megabytes, float(json.loads(ran.stdout)))


if __name__ == "__main__":
    print(json.dumps(milliseconds(Path(sys.argv[1]))))
