"""release: the gate. Promotes the candidate to champion when it passes every rule."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from rich import print
from rich.table import Table

from .. import bundle, files, tracking
from ..bundle import Bundle
from ..config import Params
from ..errors import GateRefused, InputError

PARITY = 1e-9


@dataclass(frozen=True)
class Rule:
    """A rule of the gate, applied."""

    rule: str
    passed: bool
    value: float
    limit: float
    why: str


def judge(results: dict[str, Any], params: Params) -> list[Rule]:
    """Apply every rule to the results of evaluate."""
    low, limit = results["gain"]["low"], params.release.min_gain
    return [
        Rule(
            "better than the baseline",
            low > limit,
            low,
            limit,
            f"the gain in {params.metric} over a constant prediction must exceed the limit, at "
            "the lower end of its interval",
        ),
        Rule(
            "requests and tables agree",
            results["disagreement"] <= PARITY,
            results["disagreement"],
            PARITY,
            "a prediction over HTTP must be the one that was evaluated",
        ),
    ]


def show(rules: list[Rule]) -> Table:
    """Return the rules as a table for the terminal."""
    shown = Table("", "rule", "value", "limit", title="Gate", title_justify="left")
    for rule in rules:
        mark = "[green]pass" if rule.passed else "[red]fail"
        shown.add_row(mark, rule.rule, f"{rule.value:.4g}", f"{rule.limit:.4g}")
    return shown


def promote(candidate: Path, version: str) -> None:
    """Make a copy of the candidate the champion, in one step."""
    target = files.VERSIONS / version
    files.copy_folder(candidate, target)
    manifest = files.read_json(target / bundle.MANIFEST)
    bundle.seal(target, {**manifest, "name": tracking.NAME, "version": version})
    bundle.load(target)
    files.point(files.CHAMPION, target)


def register(candidate: Bundle, rules: list[Rule]) -> str:
    """Log the candidate to MLflow and register it; returns its version."""
    failed = [rule.rule for rule in rules if not rule.passed]
    with tracking.resume(candidate.manifest["run_id"]) as run_id:
        uri = tracking.log_bundle(files.CANDIDATE, candidate.contract)
        return tracking.register(
            uri,
            run_id,
            tracking.CHALLENGER if failed else tracking.CHAMPION,
            "; ".join(f"refused: {rule}" for rule in failed) or "passed the gate",
        )


def main() -> None:
    """Judge the candidate, register it, and promote it if it passed.

    Raises:
        GateRefused: the candidate broke a rule; the champion stays.
    """
    params, candidate = Params.load(), bundle.load(files.CANDIDATE)
    results = files.read_json(files.METRICS)
    if results["candidate"] != candidate.digest:
        raise InputError(
            f"{files.METRICS} is about another model than {files.CANDIDATE}; evaluate it first "
            "with `dvc repro evaluate`"
        )
    rules = judge(results, params)
    refused = [rule.rule for rule in rules if not rule.passed]
    try:
        with FileLock(files.CANDIDATE.with_name(".release.lock"), timeout=0):
            version = register(candidate, rules)
            if not refused:
                promote(files.CANDIDATE, version)
    except Timeout:
        raise InputError("another release is under way; wait for it to end") from None
    verdict = {"passed": not refused, "version": version, "rules": [asdict(r) for r in rules]}
    files.write_json(files.VERDICT, verdict)
    print(show(rules))
    if refused:
        raise GateRefused(
            f"version {version} was refused ({', '.join(refused)}); the champion stays"
        )
    print(f"version {version} is the champion: {files.CHAMPION}")
