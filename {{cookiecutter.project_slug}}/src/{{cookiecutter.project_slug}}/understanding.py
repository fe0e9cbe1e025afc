"""What a table is, what can be predicted of it, and what must be left out for that."""

import difflib
import math
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from . import metrics
from .config import Params, Task
from .contract import Contract
from .contract.definition import MODELLED
from .contract.inference import (
    IDENTIFIER,
    MEMBER,
    OFTEN,
    Finding,
    as_target,
    contract_of,
    infer,
    missing_markers,
    positive,
)
from .contract.table import check
from .errors import InputError
from .features.engineered import FEATURES
from .folds import make_folds
from .stages import preprocess
from .suspicion import giveaways, score, suspicions

RARE = 0.1  # a positive class rarer than this is judged by average precision
CONTRADICTED = 0.05  # share of repeated features that have several outcomes by mistake, at most
FEWEST = 4  # training rows of a class: without one fold of four, three to fit and calibrate on


@dataclass(frozen=True)
class Adopted:
    """What was understood of a table."""

    table: pd.DataFrame
    """Typed, without the rows that have no target."""
    contract: Contract
    findings: list[Finding]
    task: Task
    metric: str
    folds: int
    max_invalid: float
    duplicates: Literal["remove", "keep"]
    foreign: list[str]
    """Keys of params.yaml that hold for another table, or another metric, alone."""
    notes: list[str]
    suspicions: list[str]


def understand(table: pd.DataFrame, target: str, kept: Contract | None, params: Params) -> Adopted:
    """Infer the contract and the task of a table.

    Args:
        table: raw.
        target: the name of the column to predict.
        kept: an earlier contract of the same table, whose columns stay as they are.
        params: as they are; the limits that the table cannot keep are loosened.

    Raises:
        InputError: the target is not there or cannot be predicted, or nothing could predict it.
    """
    preprocess.require_rows(table)
    names = [str(name) for name in table.columns]
    if target not in names:
        close = difflib.get_close_matches(target, names, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise InputError(f"TARGET={target}: no such column; {hint}Columns: {', '.join(names)}")
    table = table.set_axis(names, axis=1)
    missing = kept.missing if kept else missing_markers(table)
    findings = [_find(name, table[name], target, missing, kept) for name in names]
    goal = next(one for one in findings if one.name == target)
    if goal.column.role != "target":
        raise InputError(
            f"TARGET={target}: it cannot be predicted: {goal.why}; choose a number, or a column "
            "of few classes"
        )
    if not any(one.column.role in MODELLED for one in findings):
        raise InputError(f"no column is left to predict {target} from: all are constants or ids")
    notes = _kept_notes(findings, kept)
    why = ""
    while True:  # what is left out changes which rows are alike, and so where each goes
        contract = contract_of(findings, missing)
        checked = check(table, contract)
        if (rows := int(checked.valid[target].notna().sum())) < 20:
            raise InputError(f"{rows} rows with a target are too few; 20 are the least")
        if not kept:
            why = _why_kept(checked.valid.dropna(subset=[target]), target)
            changed = {"duplicates": "keep" if why else "remove"}
            treated = params.preprocess.model_copy(update=changed)
            params = params.model_copy(update={"preprocess": treated})
        typed, train, _ = preprocess.divide(checked.valid, contract, params)
        left = _without_rare_classes(findings, train, contract)
        left = left or _without_giveaways(findings, train, contract, params, kept)
        if not left:
            break
        findings, note = left
        notes.append(note)
    folds, max_invalid = _folds(train, contract, params), params.preprocess.max_invalid
    if folds < params.train.folds:
        notes.append(f"train.folds: {folds}, since {_scarcest(train, contract)}")
    invalid = len(checked.invalid) / len(table)
    if invalid > max_invalid:
        max_invalid = math.ceil(invalid * 100) / 100
        often = checked.invalid["reason"].value_counts().index[0]
        notes.append(f"preprocess.max_invalid: {max_invalid}, since of {invalid:.1%}: {often}")
    if why:
        notes.append(f"preprocess.duplicates: keep, since {why}")
    notes += split_hints(typed, contract)
    unused = [name for name, (_, i) in FEATURES.items() if not set(i) <= set(contract.features)]
    if unused:
        notes.append(f"features/engineered.py: {', '.join(unused)} left out, without their inputs")
    task = contract.task
    metric = _metric(task, typed, contract)
    if kept and params.metric != metric and _is_for(params.metric, task):
        notes.append(f"metric: {params.metric} is kept; --overwrite takes {metric}")
        metric = params.metric
    foreign = _set(params) if kept is None or metric != params.metric else []
    if foreign:
        notes.append(f"{' and '.join(foreign)}: commented out, set for another table or metric")
    return Adopted(
        typed.reset_index(drop=True),
        contract,
        findings,
        task,
        metric,
        folds,
        max_invalid,
        params.preprocess.duplicates,
        foreign,
        notes,
        suspicions(typed, contract, params),
    )


def _why_kept(known: pd.DataFrame, target: str) -> str:
    """Return why equal rows are kept; empty if they are not.

    A case that was entered twice has the same outcome twice. Where the same features have several
    outcomes, they do not tell one case from another, and to remove equal rows would make frequent
    outcomes rare.
    """
    features = known.drop(columns=target)
    outcomes = known[target].groupby(pd.util.hash_pandas_object(features, index=False))
    repeated = int((outcomes.size() > 1).sum())
    contradicted = int((outcomes.nunique() > 1).sum())
    if not known.duplicated().any() or contradicted <= CONTRADICTED * repeated:
        return ""
    return (
        f"of {repeated:,} combinations of features that are in several rows {contradicted:,} have "
        "several outcomes: equal rows are cases of their own"
    )


def _set(params: Params) -> list[str]:
    """Name the keys that are set to what only one table with one metric can keep."""
    values = {
        "evaluate.directions": params.evaluate.directions,
        "release.min_metric": params.release.min_metric is not None,
    }
    return [key for key, value in values.items() if value]


def _metric(task: Task, table: pd.DataFrame, contract: Contract) -> str:
    if task == "binary" and contract.classes:
        positive = (table[contract.target] == contract.classes[-1]).mean()
        return "average_precision" if positive < RARE else "roc_auc"
    return "log_loss" if task == "multiclass" else "rmse"


def split_hints(table: pd.DataFrame, contract: Contract) -> list[str]:
    """Name the columns by which a split would be more honest than a random one, and why.

    Args:
        table: typed by the contract, in the order of the source.
        contract: of the table.
    """
    if contract.name("time") or contract.name("group"):
        return []
    hints = []
    for name, column in contract.columns.items():
        if column.role not in ("feature", "id") or table[name].isna().any():
            continue
        times = len(table) / max(1, table[name].nunique())
        if column.type == "datetime" and table[name].is_monotonic_increasing and times < 100:
            hints.append(
                f"rows are in the order of {name}: if the model is to tell of later ones, give it "
                "role: time, so that the latest rows are the test"
            )
        elif (IDENTIFIER.search(name) or MEMBER.search(name)) and OFTEN <= times <= len(table) / 20:
            hints.append(
                f"each {name} is in {times:.1f} rows on average: if they belong together, give it "
                "role: group, so that none is in both training and test"
            )
    return hints


def _find(
    name: str, cells: pd.Series, target: str, missing: tuple[str, ...], kept: Contract | None
) -> Finding:
    if kept and name in kept.columns:
        return Finding(name, kept.columns[name], "kept as contract.yaml has it")
    finding = infer(name, cells, missing)
    return as_target(finding, cells, missing) if name == target else finding


Left = tuple[list[Finding], str] | None
"""Findings with something left out, and a note on that; None if there is nothing to leave out."""


def _without_rare_classes(findings: list[Finding], train: pd.DataFrame, contract: Contract) -> Left:
    """Leave out classes of which training gets fewer rows than two folds need to learn from it."""
    if not contract.classes:
        return None
    counts = train[contract.target].value_counts()
    rare = [str(label) for label in contract.classes if counts.get(label, 0) < FEWEST]
    if not rare:
        return None
    shown = f"classes with fewer than {FEWEST} training rows: {', '.join(rare)}"
    levels = tuple(level for level in contract.classes if str(level) not in rare)
    if len(levels) < 2:
        raise InputError(
            f"TARGET={contract.target}: it cannot be predicted: {shown}; collect more of them"
        )
    left = {"levels": levels, "positive": positive(counts[list(levels)])}
    return _changed(findings, contract.target, left), f"{contract.target}: left out are {shown}"


def _without_giveaways(
    findings: list[Finding],
    train: pd.DataFrame,
    contract: Contract,
    params: Params,
    kept: Contract | None,
) -> Left:
    """Leave out the columns for which the gate would refuse any model, unless they are kept."""
    limit, edited = params.release.max_column_score, kept.columns if kept else {}
    reached = giveaways(train, contract, params.seed)
    found = {n: value for n, value in reached.items() if value > limit and n not in edited}
    if not found or len(found) == len(contract.features):
        return None
    for name, value in found.items():
        why = f"gives the target away: alone it tells it with {score(contract)} {value:.4f}"
        findings = _changed(findings, name, {"role": "ignore"}, why)
    return findings, (
        f"{', '.join(found)} left out, since the gate refuses what gives the target away; if it is "
        "known before the outcome, give it role: feature and raise release.max_column_score"
    )


def _changed(
    findings: list[Finding], name: str, changes: dict[str, Any], why: str | None = None
) -> list[Finding]:
    return [
        replace(one, column=one.column.model_copy(update=changes), why=why or one.why)
        if one.name == name
        else one
        for one in findings
    ]


def _folds(train: pd.DataFrame, contract: Contract, params: Params) -> int:
    """Return the largest number of folds, up to the one that is wished for, that can be made."""
    for count in range(params.train.folds, 2, -1):
        with suppress(InputError):
            make_folds(train, contract, count, params.seed)
            return count
    make_folds(train, contract, 2, params.seed)
    return 2


def _scarcest(train: pd.DataFrame, contract: Contract) -> str:
    if group := contract.name("group"):
        return f"there are {train[group].nunique()} values of {group} to train on"
    if contract.classes and not contract.name("time"):
        return f"the rarest class has {train[contract.target].value_counts().min()} training rows"
    return f"there are {len(train)} training rows"


def _is_for(metric: str, task: Task) -> bool:
    with suppress(InputError):
        return bool(metrics.find(metric, task))
    return False


def _kept_notes(findings: list[Finding], kept: Contract | None) -> list[str]:
    if not kept:
        return []
    names = [one.name for one in findings]
    new = [name for name in names if name not in kept.columns]
    gone = [name for name in kept.columns if name not in names]
    note = f"contract.yaml: {len(names) - len(new)} columns are kept as they are there"
    note += f"; gone from the table: {', '.join(gone)}" if gone else ""
    note += f"; new: {', '.join(new)}" if new else ""
    return [f"{note}; --overwrite infers all anew"]
