"""score: the ML Test Score of this project, each check with what proves it."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rich.table import Column, Table

from . import files, versions
from .checks import CHECKS, SECTIONS, Check

IDLE = "there was nothing to measure, so half a point at most"
LEVELS = (
    (5.0, "exceptional"),
    (3.0, "strongly tested, with much of it automated"),
    (2.0, "reasonably tested"),
    (1.0, "a first pass at what production needs"),
    (0.0, "not untested, but with serious holes likely"),
)
"""What a total above each number means, by Breck et al."""


MANUAL = 0.5  # what a check is worth, at most, that a person has to do, or had nothing to measure


@dataclass(frozen=True)
class Scored:
    """A check with its points, and what is missing."""

    check: Check
    points: float
    missing: tuple[str, ...]


def judge(passed: Mapping[str, bool] | None = None) -> list[Scored]:
    """Score every check; one with a proof that is missing gets nothing.

    Args:
        passed: whether each test passed; None trusts the tests that are there.
    """
    scored = []
    for check in CHECKS:
        faults = [(proof, fault(proof, passed)) for proof in check.proofs]
        missing = tuple(f"{proof}: {what}" for proof, what in faults if what)
        idle = tuple(f"{proof}: {IDLE}" for proof in check.proofs if _is_idle(proof))
        points = min(check.points, MANUAL) if idle else check.points
        proven = bool(check.proofs) and not missing
        scored.append(Scored(check, points if proven else 0.0, missing + idle))
    return scored


def fault(proof: str, passed: Mapping[str, bool] | None = None) -> str:
    """Return why a proof does not hold; empty if it does."""
    if proof.startswith("gate: "):
        return _of_the_gate(proof.removeprefix("gate: "))
    if proof.startswith("file: "):
        return "" if Path(proof.removeprefix("file: ")).is_file() else "there is no such file"
    file, _, name = proof.partition("::")
    if name not in _tests_of(Path(file)):
        return "there is no such test"
    return "" if passed is None or passed.get(proof) else "it fails"


def _of_the_gate(rule: str) -> str:
    if not versions.manifest(files.CHAMPION).get("verdict"):
        return "no champion has been released; `make run`"
    found = _applied(rule)
    if found is None:
        return "no such rule"
    return "" if found["passed"] else "the champion did not pass it"


def _applied(rule: str) -> dict[str, Any] | None:
    """Return a rule as it was applied to the champion."""
    rules = versions.manifest(files.CHAMPION).get("verdict", {}).get("rules", [])
    return next((one for one in rules if one["name"] == rule), None)


def _is_idle(proof: str) -> bool:
    """Whether a proof is a rule that had a limit, but nothing to measure."""
    rule = _applied(proof.removeprefix("gate: "))
    return rule is not None and rule["value"] is None and rule["limit"] is not None


@cache
def _tests_of(path: Path) -> set[str]:
    """Return the tests in a file that run: those of its top level that nothing skips."""
    if not path.is_file():
        return set()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    found = [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {
        one.name
        for one in found
        if not any("skip" in ast.unparse(mark) for mark in one.decorator_list)
    }


def run_tests() -> dict[str, bool]:
    """Run the tests that prove something; returns whether each passed."""
    proofs = sorted({proof for check in CHECKS for proof in check.proofs if "::" in proof})
    there = [proof for proof in proofs if not fault(proof)]
    command = [sys.executable, "-m", "pytest", "--no-cov", "-q", "-rA", "--color=no", *there]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split(" ", 1) for line in ran.stdout.splitlines() if " " in line]
    cases = {"PASSED": set[str](), "FAILED": set[str](), "ERROR": set[str]()}
    for word, rest in lines:
        cases.get(word, set()).add(rest.partition(" - ")[0].partition("[")[0])
    bad = cases["FAILED"] | cases["ERROR"]
    return {proof: proof in cases["PASSED"] and proof not in bad for proof in there}


def totals(scored: list[Scored]) -> dict[str, float]:
    """Return the points of each section."""
    return {
        section: sum(one.points for one in scored if one.check.section == section)
        for section in SECTIONS
    }


def show(scored: list[Scored]) -> Table:
    """Return the checks as a table for the terminal."""
    proof = Column("proof, or what is missing", overflow="fold")
    shown = Table("", "check", proof, title="ML Test Score (Breck et al. 2017)")
    sums = totals(scored)
    for section in SECTIONS:
        shown.add_section()
        shown.add_row(f"[bold]{sums[section]:g}", f"[bold]{section}", "")
        for one in scored:
            if one.check.section == section:
                told = [*(one.missing or one.check.proofs), one.check.later]
                shown.add_row(f"{one.points:g}", one.check.name, "\n".join(filter(None, told)))
    total = min(sums.values())
    shown.add_section()
    shown.add_row(f"[bold]{total:g}", "[bold]the least of the sections", meaning(total))
    return shown


def meaning(total: float) -> str:
    """Return what a total stands for."""
    return next((words for above, words in LEVELS if total > above), "more research than product")
