"""Candidates, results and processes that the tests of release make."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from {{cookiecutter.project_slug}} import bundle, files, versions

NAME = bundle.__name__.partition(".")[0]


def results(**changes: Any) -> dict[str, Any]:
    """Return results of an evaluation that every task could have, all of them good."""
    even = {"value": 0.0, "low": -0.01, "high": 0.01}
    good = {"value": 0.4, "low": 0.3, "high": 0.5}
    return {
        "candidate": "0" * 12,
        "metrics": {name: {"value": 0.9, "low": 0.8, "high": 1.0} for name in ("roc_auc", "rmse")},
        "baseline": {"mae": 2.0},
        "gain": good,
        "comparisons": {"baseline": good, "linear": even, "champion": None},
        "unmeasured": None,
        "calibration": {"value": 0.03, "low": 0.01, "high": 0.06},
        "slices": [
            {"column": "city", "slice": "a", "rows": 30, "low": 0.7, "high": 0.95, "kept": 1.0}
        ],
        "fairness": {"sex": {"demographic_parity_difference": {**good, "low": 0.9}}},
        "behaviour": [
            {"test": "row order", "column": None, "passed": True, "value": 0.0, "limit": 1e-9}
        ],
        "disagreement": 0.0,
        "telling": {"column": "age", "value": 0.7},
        **changes,
    }


def rewrite(project: Path, **changes: Any) -> None:
    """Change results of the evaluation."""
    path = project / "reports/metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def another_candidate(project: Path) -> None:
    """Give the project a candidate of its own, and results that say it equals the champion."""
    old = bundle.load(project / "models/candidate")
    golden = files.read_json(project / "models/candidate/golden.json")["rows"]
    rows = [tuple(row) for row in reversed(golden)]
    members = {"members": old.manifest["members"], "rank": len(versions.names())}
    new = bundle.save(
        project / "models/candidate", old.model, old.contract, rows, **{**old.manifest, **members}
    )
    assert new.digest != old.digest
    even = {"value": 0.0, "low": 0.0, "high": 0.0, "version": versions.current()}
    compared = results()["comparisons"]
    rewrite(project, candidate=new.digest, comparisons={**compared, "champion": even})


def start(folder: Path, *code: str) -> "subprocess.Popen[str]":
    """Run Python code, in a process of its own, in a project's folder."""
    return subprocess.Popen(
        [sys.executable, *code],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
