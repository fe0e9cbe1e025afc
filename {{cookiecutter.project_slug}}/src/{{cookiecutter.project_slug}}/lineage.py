"""lineage: where a version came from, from a response back to the data and the parameters."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.tree import Tree
from ruamel.yaml import YAML

from . import files, versions
from .errors import InputError


def pipeline_digest(path: Path = files.PIPELINE_LOCK) -> str | None:
    """Return the SHA-256 of what DVC locked up to evaluate; None where DVC ran nothing.

    Without release, whose lock is written when it is over.
    """
    if not path.exists():
        return None
    stages = YAML(typ="safe").load(path.read_text(encoding="utf-8"))["stages"]
    kept = {name: stage for name, stage in stages.items() if name != "release"}
    return sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def trace(version: str | None = None) -> dict[str, Any]:
    """Return all that is known of a version, the champion unless another one is named.

    Raises:
        InputError: there is no such version.
    """
    chosen = version or versions.current()
    if chosen is None:
        raise InputError(f"{files.CHAMPION}: there is no champion; release one with `make run`")
    folder = versions.find(chosen)
    known = versions.manifest(folder)
    if not known:
        raise InputError(f"{folder}: its manifest cannot be read; choose another version")
    return {
        "model": {
            "name": known["name"],
            "version": chosen,
            "champion": chosen == versions.current(),
        },
        "bundle": {key: known[key] for key in ("model", "created", "libraries", "files")}
        | {"folder": str(folder)},
        "promotion": known["promotion"],
        "registry": _registered(known),
        "run": known["run_id"],
        "git": {"commit": known.get("git_commit"), "dirty": known.get("git_dirty") == "true"},
        "pipeline": _compared(known["pipeline"], pipeline_digest()),
        "data": _compared(known["data"], _data_here()),
        "params": known["params"],
    }


def _registered(known: dict[str, Any]) -> dict[str, Any]:
    from . import tracking

    try:
        return tracking.registered(known["registered"])
    except InputError as error:
        return {"version": known["registered"], "unknown": str(error)}


def _compared(digest: str | None, here: str | None) -> dict[str, Any]:
    return {"sha256": digest, "is_here": digest is not None and digest == here}


def _data_here() -> str | None:
    return files.read_json(files.RAW_RECORD)["sha256"] if files.RAW_RECORD.exists() else None


def tree(found: dict[str, Any]) -> Tree:
    """Return what `trace` found as a tree for the terminal, each step below what came of it."""
    model, registry, git = found["model"], found["registry"], found["git"]
    promotion = found["promotion"]
    name = f"{model['name']} {model['version']}" + (" (the champion)" if model["champion"] else "")
    root = Tree(f"response  model {name}")
    step = root.add(f"bundle  {found['bundle']['folder']}: {found['bundle']['model']}")
    step.add(f"promoted {promotion['when']} by {promotion['who']}: {promotion['why']}")
    for file, digest in found["bundle"]["files"].items():
        step.add(f"{file}  {digest}")
    state = registry.get("unknown") or ", ".join(registry["aliases"]) or "no alias"
    step = step.add(f"registry  MLflow version {registry['version']}: {state}")
    step = step.add(f"run  {found['run']}  {registry.get('status', '')}".rstrip())
    dirty = ", with changes that are not committed" if git["dirty"] else ""
    step = step.add(f"git  {git['commit'] or 'no commit'}{dirty}")
    step = step.add(f"dvc.lock  {_digest(found['pipeline'], 'by hand, without DVC')}")
    step = step.add(f"data  {_digest(found['data'], 'unknown')}")
    params = step.add("params")
    for name, value in found["params"].items():
        params.add(f"{name}: {json.dumps(value)}")
    return root


def _digest(compared: dict[str, Any], missing: str) -> str:
    if compared["sha256"] is None:
        return missing
    return (
        f"{compared['sha256']}  ({'as it is here' if compared['is_here'] else 'not what is here'})"
    )
