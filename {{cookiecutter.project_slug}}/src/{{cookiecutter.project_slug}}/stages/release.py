"""release: the gate. Promotes the candidate to champion when it passes every rule."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from rich import print
from rich.text import Text

from .. import bundle, files, gate, lineage, probe, tracking, versions
from ..bundle import Bundle
from ..config import Params
from ..errors import GateRefused, InputError
from ..gate import Rule
from ..probe import Measured


def results_of(candidate: Bundle) -> dict[str, Any]:
    """Return the results of evaluate, which must be about the candidate and today's champion.

    Raises:
        InputError: they are not.
    """
    results: dict[str, Any] = files.read_json(files.METRICS)
    if results["candidate"] != candidate.digest:
        raise InputError(
            f"{files.METRICS} is about another model than {files.CANDIDATE}; evaluate it first "
            "with `dvc repro evaluate`"
        )
    compared = results.get("comparisons", {}).get("champion") or results.get("unmeasured")
    now, version = versions.current(), compared["version"] if compared else None
    if version != now and not is_champion(candidate):
        raise InputError(
            f"{files.METRICS} compares with {f'version {version}' if version else 'no champion'}, "
            f"but {f'version {now}' if now else 'none'} is the champion; evaluate again with "
            "`dvc repro --force --single-item evaluate`"
        )
    return results


def is_champion(candidate: Bundle) -> bool:
    """Whether the candidate is the model that is the champion already, and not damaged."""
    digest = versions.manifest(files.CHAMPION).get("files", {}).get(bundle.MODEL)
    same = digest == candidate.manifest["files"][bundle.MODEL]
    return same and not versions.changed(files.CHAMPION)


def measure(candidate: Bundle) -> Measured:
    """Return what the candidate costs in a fresh process, and whether it was rolled back."""
    left = versions.left(candidate.manifest["files"][bundle.MODEL])
    return replace(probe.measure(files.CANDIDATE), left=left)


def register(candidate: Bundle, rules: list[Rule], verdict: str) -> str:
    """Log the candidate to MLflow and register it with its verdict; returns its version there."""
    failed = [rule for rule in rules if not rule.passed]
    reasons = "; ".join(f"refused: {rule.name} ({rule.why})" for rule in failed)
    tags = {"verdict": verdict} | {
        f"rule.{rule.name}": "passed" if rule.passed else "failed" for rule in rules
    }
    with tracking.resume(candidate.manifest["run_id"]) as run_id:
        tracking.log_files([path for path in [files.PIPELINE_LOCK] if path.exists()])
        uri = tracking.log_bundle(files.CANDIDATE, candidate.contract)
        return tracking.register(uri, run_id, reasons or "no rule was broken", tags)


def add(
    number: str, why: str, said: Mapping[str, Any], results: Mapping[str, Any]
) -> dict[str, Any]:
    """Copy the candidate into the versions, verified; returns the line for the history."""
    version = versions.next_name(number)
    line = versions.entry(version, why, **tracking.commit())
    with files.replacing(files.VERSIONS / version) as scratch:
        scratch.mkdir()
        for path in files.CANDIDATE.iterdir():
            shutil.copy(path, scratch)
        for document, name in zip((files.SHARED_REPORT, files.CARD), bundle.DOCUMENTS, strict=True):
            shutil.copy(document, scratch / name)
        facts = {
            "name": tracking.NAME,
            "version": version,
            "registered": number,
            "promotion": line,
            "verdict": said,
            "pipeline": lineage.pipeline_digest(),
            "released": line["when"],
            "metrics": results["metrics"],
            "coverage": results["coverage"]["nominal"],
        }
        bundle.seal(scratch, versions.manifest(scratch) | facts)
        bundle.load(scratch)
        files.settle(scratch)
    return line


def promote(
    candidate: Bundle, rules: list[Rule], results: Mapping[str, Any], forced: str | None
) -> str:
    """Make a verified copy of the candidate the champion, in one step; returns its version."""
    why = f"forced: {forced}" if forced else "passed the gate"
    number = register(candidate, rules, tracking.PENDING)
    line = add(number, why, verdict(rules, forced), results)
    versions.switch(line)
    announce()
    return str(line["version"])


def announce() -> None:
    """Tell the registry the verdict on the champion, and point the alias at it."""
    version, known = versions.current(), versions.manifest(files.CHAMPION)
    number = known.get("registered")
    if version and number:
        tracking.pronounce(number, known["promotion"]["why"])
        tracking.point(number, tracking.CHAMPION)
        versions.tell(version)


def repair() -> None:
    """Finish a promotion, or a rollback, that was killed or could not reach the registry.

    One that was killed before the switch is given up.
    """
    versions.mend()
    if versions.told() != versions.current():
        announce()
    tracking.give_up()


def verdict(rules: list[Rule], forced: str | None) -> dict[str, Any]:
    """Return what the gate said, as JSON values."""
    passed = all(rule.passed for rule in rules)
    return {"passed": passed, "forced": forced, "rules": [asdict(rule) for rule in rules]}


def refuse(candidate: Bundle, rules: list[Rule]) -> None:
    """Register a model that broke a rule as the challenger.

    Raises:
        GateRefused: always; the champion stays.
    """
    failed = ", ".join(rule.name for rule in rules if not rule.passed)
    number = register(candidate, rules, f"{tracking.REFUSED}: {failed}")
    tracking.point(number, tracking.CHALLENGER)
    files.write_json(files.VERDICT, {**verdict(rules, None), "version": number})
    raise GateRefused(f"version {number} was refused ({failed}); the champion stays")


def main(force: str | None = None) -> None:
    """Judge the candidate, register it, and promote it if it passed.

    Args:
        force: why a refused model is promoted all the same; None refuses it.

    Raises:
        GateRefused: the candidate broke a rule; the champion stays.
    """
    if force is not None and not force.strip():
        raise InputError("--force: the reason is empty; say why the rules do not count this time")
    params, candidate = Params.load(), bundle.load(files.CANDIDATE)
    with versions.lock():
        repair()
        results = results_of(candidate)
        rules = gate.judge(results, params, measure(candidate))
        print(gate.show(rules))
        failed = [rule for rule in rules if not rule.passed]
        for rule in failed:
            print(Text(f"{rule.name}: {rule.why}"))
        held = versions.manifest(files.CHAMPION) if is_champion(candidate) else {}
        forced = (force or held.get("verdict", {}).get("forced")) if failed else None
        if failed and (not forced or any(rule.safety for rule in failed)):
            refuse(candidate, rules)
        version = held["version"] if held else promote(candidate, rules, results, forced)
        files.write_json(files.VERDICT, {**verdict(rules, forced), "version": version})
    print(f"version {version} is the champion: {files.CHAMPION}")
