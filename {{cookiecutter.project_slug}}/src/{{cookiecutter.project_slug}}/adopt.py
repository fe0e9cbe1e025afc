"""adopt: point the project at another table, by looking at it."""

import io
import re
from contextlib import ExitStack
from typing import Any

import pandas as pd
from rich.console import Group
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from . import files, profile, sources
from .config import Params
from .contract import Column, Contract
from .understanding import Adopted, understand

HEADER = """\
What a row is. Written by `adopt` from {source}; every line is yours to edit.
missing: the cell texts that mean "no value"; on the line of a column, in that one alone.
type: integer, number, boolean, category, text or datetime.
role: feature (the default), target, id, group, time or ignore.
levels: the values of a category; allow_unknown: true accepts others as well.
minimum, maximum: bounds that values must keep; nullable: true allows missing ones.
sensitive: true marks a column that is watched for fairness; positive: the class of interest.
"""

QUOTED = ("positive", "description", "format", "unit")


def to_yaml(contract: Contract, source: str, comments: dict[str, str]) -> str:
    """Return a contract as YAML, one column a line, with comments on columns."""
    root = CommentedMap()
    root.yaml_set_start_comment(HEADER.format(source=source))
    root["missing"] = _flow(Quoted(text) for text in contract.missing)
    root["columns"] = CommentedMap()
    for name, column in contract.columns.items():
        root["columns"][name] = _line(column)
        if name in comments:
            root["columns"].yaml_add_eol_comment(" ".join(comments[name].split()), name)
    return _dump(root)


def _line(column: Column) -> CommentedMap:
    line = CommentedMap()
    for key, value in column.model_dump(exclude_defaults=True).items():
        if isinstance(value, tuple):
            line[key] = _flow(Quoted(level) for level in value)
        elif isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            line[key] = int(value)
        else:
            line[key] = Quoted(value) if key in QUOTED else value
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
    params["preprocess"]["duplicates"] = adopted.duplicates
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
    params, target = Params.load(), target.strip()  # as the names of the columns are
    table = sources.read(source)
    kept = _kept(table, target, overwrite)
    adopted = understand(table, target, kept, params)
    ignored = {one.name: one.why for one in adopted.findings if one.column.role == "ignore"}
    comments = ignored | (_comments() if kept else {})
    texts = {
        files.CONTRACT: to_yaml(adopted.contract, source, comments),
        files.PARAMS: set_params(files.PARAMS.read_text(encoding="utf-8"), source, adopted),
        files.PROFILE: profile_of(adopted, source),
    }
    with ExitStack() as together:  # there is room for all of them, or none is replaced
        for path, text in texts.items():
            together.enter_context(files.replacing(path)).write_text(text, encoding="utf-8")
        if files.CONTRACT.exists():
            scratch = together.enter_context(files.replacing(files.PREVIOUS_CONTRACT))
            scratch.write_bytes(files.CONTRACT.read_bytes())
    # What the table was like before is no measure for it any more.
    files.RAW_RECORD.unlink(missing_ok=True)
    return show(adopted)


def profile_of(adopted: Adopted, source: str) -> str:
    """Return the data profile as HTML."""
    found = profile.profiles(adopted.table, adopted.contract, adopted.findings)
    title = f"{adopted.contract.target} of {sources.without_secrets(source)}"
    return profile.render(found, len(adopted.table), title, adopted.notes, adopted.suspicions)


def _kept(table: pd.DataFrame, target: str, overwrite: bool) -> Contract | None:
    """Return the contract that is there, if it has this target and most of its columns are here."""
    if overwrite or not files.CONTRACT.exists():
        return None
    contract = Contract.load()
    there = set(contract.columns) & set(map(str, table.columns))
    same = contract.target == target and len(there) > len(contract.columns) / 2
    return contract if same else None


def _comments() -> dict[str, str]:
    """Return the comments at the ends of the lines of the columns in contract.yaml."""
    columns = YAML().load(files.CONTRACT.read_text(encoding="utf-8"))["columns"]
    ends = {name: tokens[2] for name, tokens in columns.ca.items.items() if len(tokens) > 2}
    return {name: end.value.splitlines()[0].lstrip("# ") for name, end in ends.items() if end}


def show(adopted: Adopted) -> Group:
    """Return the decisions as a table, with notes and suspicions below."""
    board = Table("column", "type", "role", "why", title="contract.yaml", title_justify="left")
    for one in adopted.findings:
        strong = {"target": "bold green", "ignore": "dim", "id": "dim"}.get(one.column.role, "")
        board.add_row(Text(one.name), one.column.type, one.column.role, Text(one.why), style=strong)
    ways = {"time": "the latest rows are the test", "group": "groups are kept whole"}
    by_chance = "random, since no column has role: time or role: group"
    split = next((ways[r] for r in ("time", "group") if adopted.contract.name(r)), by_chance)
    lines = [
        Text(f"task {adopted.task}, metric {adopted.metric}, split: {split}"),
        *(Text(f"note: {note}") for note in adopted.notes),
        *(Text(f"suspicious: {one}", style="yellow") for one in adopted.suspicions),
        Text(f"next: look at {files.PROFILE} and contract.yaml, then `make run`"),
    ]
    return Group(board, *lines)
