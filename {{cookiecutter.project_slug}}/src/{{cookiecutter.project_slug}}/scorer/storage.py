"""A scorer as a file: an archive of arrays (.npz) and their arrangement, never any code."""

import json
import zlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args
from zipfile import BadZipFile

import numpy as np

from ..combination import Combination, Region
from ..errors import InputError
from ..features.encoding import Encoding
from ..predictions import Array
from .answers import Answers
from .kernels import Kernel
from .scorer import Member, Scorer

KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        *(Scorer, Member, Combination, Region, Answers),
        *get_args(Encoding),
        *get_args(Kernel),
    )
}
LAYOUT = "layout"


def save(path: Path, scorer: Scorer) -> None:
    """Write a scorer."""
    arrays: list[Array] = []
    layout = json.dumps(_pack(scorer, arrays))
    named = {f"array_{position}": array for position, array in enumerate(arrays)}
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{LAYOUT: np.array(layout)}, **named)


def load(path: Path) -> Scorer:
    """Read a scorer.

    Raises:
        InputError: the file is not one.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            scorer = _unpack(json.loads(str(archive[LAYOUT])), archive)
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: not a compiled model ({error}); run `make run`") from None
    if not isinstance(scorer, Scorer):
        raise InputError(f"{path}: holds a {type(scorer).__name__}, not a Scorer; run `make run`")
    return scorer


def _pack(value: Any, arrays: list[Array]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if is_dataclass(value):
        parts = {f.name: _pack(getattr(value, f.name), arrays) for f in fields(value) if f.init}
        return {"kind": type(value).__name__, "fields": parts}
    if isinstance(value, dict):
        return {"mapping": {key: _pack(one, arrays) for key, one in value.items()}}
    if isinstance(value, list | tuple):
        return [_pack(one, arrays) for one in value]
    return value


def _unpack(value: Any, archive: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(one, archive) for one in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return archive[f"array_{value['array']}"]
    if "mapping" in value:
        return {key: _unpack(one, archive) for key, one in value["mapping"].items()}
    parts = {name: _unpack(one, archive) for name, one in value["fields"].items()}
    return KINDS[value["kind"]](**parts)
