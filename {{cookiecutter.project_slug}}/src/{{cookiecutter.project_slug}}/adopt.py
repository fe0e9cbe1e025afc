"""adopt: point the project at another table, by looking at it."""

import difflib
import io
import math
import re
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.console import Group
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from . import files, profile, sources
from .config import Params, Task
from .contract import Column, Contract
from .contract.inference import IDENTIFIER, Finding, as_target, contract_of, infer, missing_markers
from .contract.table import check, convert
from .errors import InputError
from .features.engineered import FEATURES
from .suspicion import suspicions

HEADER = """\
What a row is. Written by `adopt` from {source}; every line is yours to edit.
missing: the cell texts that mean "no value".
type: integer, number, boolean, category, text or datetime.
role: feature (the default), target, id, group, time or ignore.
levels: the values of a category; allow_unknown: true accepts others as well.
minimum, maximum: bounds that values must keep; nullable: true allows missing ones.
sensitive: true marks a column that is watched for fairness; positive: the class of interest.
"""
RARE = 0.1  # a positive class rarer than this is judged by average precision


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
    if not any(one.column.role in ("feature", "time") for one in findings):
        raise InputError(f"no column is left to predict {target} from: all are constants or ids")
    contract, notes = _without_rare_classes(contract_of(findings, missing), table)
    checked = check(table, contract)
    typed = checked.valid.dropna(subset=[target]).reset_index(drop=True)
    if len(typed) < 20:
        raise InputError(f"{len(typed)} rows with a target are too few; 20 are the least")
    folds, max_invalid = params.train.folds, params.preprocess.max_invalid
    if contract.classes:
        rarest = int(typed[target].value_counts().min())
        if rarest < 2 * folds:  # some rows of a class are for the test
            folds = max(2, rarest // 2)
            notes.append(f"train.folds: {folds}, since the rarest class has {rarest} rows")
    invalid = len(checked.invalid) / len(table)
    if invalid > max_invalid:
        max_invalid = math.ceil(invalid * 100) / 100
        often = checked.invalid["reason"].value_counts().index[0]
        notes.append(f"preprocess.max_invalid: {max_invalid}, since of {invalid:.1%}: {often}")
    notes += split_hints(typed, contract)
    unused = [name for name, (_, i) in FEATURES.items() if not set(i) <= set(contract.features)]
    if unused:
        notes.append(f"features/engineered.py: {', '.join(unused)} left out, without their inputs")
    task: Task = "regression"
    metric = "rmse"
    if contract.classes:
        task = "binary" if len(contract.classes) == 2 else "multiclass"
        positive = (typed[target] == contract.classes[-1]).mean()
        metric = "log_loss"
        if task == "binary":
            metric = "average_precision" if positive < RARE else "roc_auc"
    foreign = _set(params) if kept is None or metric != params.metric else []
    if foreign:
        notes.append(f"{' and '.join(foreign)}: commented out, set for another table or metric")
    return Adopted(
        typed,
        contract,
        findings,
        task,
        metric,
        folds,
        max_invalid,
        foreign,
        notes,
        suspicions(typed, contract, folds),
    )


def _set(params: Params) -> list[str]:
    """Name the keys that are set to what only one table with one metric can keep."""
    values = {
        "evaluate.directions": params.evaluate.directions,
        "release.min_metric": params.release.min_metric is not None,
    }
    return [key for key, value in values.items() if value]


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
        elif IDENTIFIER.search(name) and 1.5 <= times <= len(table) / 20:
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


def _without_rare_classes(contract: Contract, table: pd.DataFrame) -> tuple[Contract, list[str]]:
    """Leave out classes with fewer than four rows: two folds and a test need that many."""
    target = contract.columns[contract.target]
    if not target.levels:
        return contract, []
    labels, _ = convert(table[contract.target], target, contract.missing)
    counts = labels.value_counts()
    levels = tuple(level for level in target.levels if counts.get(level, 0) >= 4)
    rare = [level for level in target.levels if level not in levels]
    if not rare or len(levels) < 2:
        return contract, []
    columns = {**contract.columns, contract.target: target.model_copy(update={"levels": levels})}
    note = f"{contract.target}: classes with fewer than 4 rows are left out: {', '.join(rare)}"
    return contract.model_copy(update={"columns": columns}), [note]


def to_yaml(contract: Contract, source: str) -> str:
    """Return a contract as YAML with comments, one column a line."""
    root = CommentedMap()
    root.yaml_set_start_comment(HEADER.format(source=source))
    root["missing"] = _flow(Quoted(text) for text in contract.missing)
    root["columns"] = CommentedMap()
    for name, column in contract.columns.items():
        root["columns"][name] = _line(column)
    return _dump(root)


def _line(column: Column) -> CommentedMap:
    line = CommentedMap()
    for key, value in column.model_dump(exclude_defaults=True).items():
        if isinstance(value, tuple):
            line[key] = _flow(Quoted(level) for level in value)
        elif isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            line[key] = int(value)
        else:
            line[key] = Quoted(value) if key in ("positive", "description", "format") else value
    line.fa.set_flow_style()
    return line


def _flow(values: Any) -> CommentedSeq:
    sequence = CommentedSeq(values)
    sequence.fa.set_flow_style()
    return sequence


def _dump(data: Any) -> str:
    yaml = YAML()
    yaml.width = 100_000  # a column is one line
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def set_params(text: str, source: str, adopted: Adopted) -> str:
    """Return params.yaml with the new source, task and metric, its comments kept."""
    params = YAML().load(text)
    params["task"], params["metric"] = adopted.task, adopted.metric
    params["collect"]["source"] = source
    params["train"]["folds"] = adopted.folds
    params["preprocess"]["max_invalid"] = adopted.max_invalid
    changed = _dump(params)
    for key in adopted.foreign:
        lines = rf"^  {key.rpartition('.')[2]}:.*\n(?:    .*\n)*"
        changed = re.sub(lines, _commented, changed, flags=re.MULTILINE)
    return changed


def _commented(lines: re.Match[str]) -> str:
    return re.sub("^  ", "  # ", lines[0], flags=re.MULTILINE)


def main(source: str, target: str, overwrite: bool) -> Group:
    """Write contract.yaml and params.yaml for a table; returns what was decided, for the terminal.

    Raises:
        InputError: the source cannot be read, or the target not be predicted.
    """
    params = Params.load()
    table = sources.read(source)
    adopted = understand(table, target, _kept(table, target, overwrite), params)
    if files.CONTRACT.exists():
        with files.replacing(files.PREVIOUS_CONTRACT) as scratch:
            scratch.write_bytes(files.CONTRACT.read_bytes())
    # What the table was like before is no measure for it any more.
    files.RAW_RECORD.unlink(missing_ok=True)
    texts = {
        files.CONTRACT: to_yaml(adopted.contract, source),
        files.PARAMS: set_params(files.PARAMS.read_text(encoding="utf-8"), source, adopted),
        files.PROFILE: profile_of(adopted, source),
    }
    for path, text in texts.items():
        with files.replacing(path) as scratch:
            scratch.write_text(text, encoding="utf-8")
    return show(adopted)


def profile_of(adopted: Adopted, source: str) -> str:
    """Return the data profile as HTML."""
    found = profile.profiles(adopted.table, adopted.contract, adopted.findings)
    title = f"{adopted.contract.target} of {sources.without_secrets(source)}"
    return profile.render(found, len(adopted.table), title, adopted.notes, adopted.suspicions)


def _kept(table: pd.DataFrame, target: str, overwrite: bool) -> Contract | None:
    """Return the contract that is there, if it is one of this table with this target."""
    if overwrite or not files.CONTRACT.exists():
        return None
    contract = Contract.load()
    same = contract.target == target and set(contract.columns) <= set(map(str, table.columns))
    return contract if same else None


def show(adopted: Adopted) -> Group:
    """Return the decisions as a table, with notes and suspicions below."""
    board = Table("column", "type", "role", "why", title="contract.yaml", title_justify="left")
    for one in adopted.findings:
        strong = {"target": "bold green", "ignore": "dim", "id": "dim"}.get(one.column.role, "")
        board.add_row(Text(one.name), one.column.type, one.column.role, Text(one.why), style=strong)
    ways = {"time": "the latest rows are the test", "group": "groups are kept whole"}
    split = next((ways[r] for r in ("time", "group") if adopted.contract.name(r)), "random")
    lines = [
        Text(f"task {adopted.task}, metric {adopted.metric}, split: {split}"),
        *(Text(f"note: {note}") for note in adopted.notes),
        *(Text(f"suspicious: {one}", style="yellow") for one in adopted.suspicions),
        Text(f"next: look at {files.PROFILE} and contract.yaml, then `make run`"),
    ]
    return Group(board, *lines)
