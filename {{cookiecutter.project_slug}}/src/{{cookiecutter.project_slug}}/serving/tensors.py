"""Tensors of the Open Inference Protocol, as JSON and as bytes."""

import json
import math
import re
import struct
from typing import Any

import numpy as np

from ..predictions import Array
from .tables import Unusable, bound

DATATYPES = {
    "BOOL": "?",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
BYTES = "BYTES"


def split(body: bytes, length: str | None) -> tuple[dict[str, Any], bytes]:
    """Return the JSON of a request and the bytes that follow it.

    Raises:
        Unusable: the JSON is malformed, or the length is.
    """
    if length is not None and not re.fullmatch("[0-9]{1,18}", length):
        raise Unusable(f"inference-header-content-length is {length[:20]!r}, not a number")
    end = len(body) if length is None else int(length)
    if end > len(body):
        raise Unusable(f"inference-header-content-length is {end}, the body has {len(body)} bytes")
    try:
        asked = json.loads(body[:end])
    except (ValueError, RecursionError) as error:
        raise Unusable(f"the request is not JSON: {error}") from None
    if not isinstance(asked, dict):
        raise Unusable("the request must be an object with inputs")
    return asked, body[end:]


def of_json(inputs: Any, rest: bytes, rows: int, columns: int) -> dict[str, Array]:
    """Return the tensors of a request by name.

    Args:
        inputs: as they are described, with their values if these are no bytes.
        rest: the bytes of the others, one behind the other.
        rows: that there may be; asked before the values are looked at.
        columns: that there may be.

    Raises:
        Unusable: one is malformed or too large, or its bytes are missing.
    """
    if not isinstance(inputs, list) or not 1 <= len(inputs) <= columns:
        raise Unusable(f"inputs must be a list of tensors, from 1 to {columns}")
    tensors: dict[str, Array] = {}
    for one in inputs:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise Unusable("each input must be an object with name, shape, datatype and data")
        name, options = one["name"], one.get("parameters")
        if name in tensors:
            raise Unusable(f"input {name!r} is there twice")
        if one.get("datatype") not in (*DATATYPES, BYTES):
            known = ", ".join([*DATATYPES, BYTES])
            raise Unusable(f"input {name!r}: datatype must be one of {known}")
        shape = _shape(one, rows, columns)
        size = options.get("binary_data_size") if isinstance(options, dict) else None
        if size is None:
            values = _of_data(one, math.prod(shape))
        else:
            if type(size) is not int or not 0 <= size <= len(rest):
                raise Unusable(f"input {name!r} says {size!r} bytes, {len(rest)} are there")
            values, rest = _of_binary(rest[:size], one, math.prod(shape)), rest[size:]
        if len(values) != math.prod(shape):
            raise Unusable(f"input {name!r}: its values do not have shape {shape}")
        tensors[name] = values.reshape(shape)
    if rest:
        raise Unusable(f"{len(rest)} bytes belong to no input")
    return tensors


def _shape(one: dict[str, Any], rows: int, columns: int) -> list[int]:
    shape = one.get("shape")
    whole = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not whole or not shape or shape[1:] not in ([], [1], [columns]):
        raise Unusable(f"input {one['name']!r}: shape must be [n], [n, 1] or [n, {columns}]")
    bound(shape[0], rows)
    return list(shape)


def _of_data(one: dict[str, Any], count: int) -> Array:
    """Read values out of nested lists, no more than one too many."""
    data = one.get("data")
    flat: list[Any] = []
    stack = [data]
    while stack and len(flat) <= count:
        value = stack.pop()
        if isinstance(value, list):
            stack += reversed(value)
        else:
            flat.append(value)
    if data is None or any(isinstance(value, dict) for value in flat):
        raise Unusable(f"input {one['name']!r}: data must be a list of values")
    return _objects(flat)


def _of_binary(raw: bytes, one: dict[str, Any], count: int) -> Array:
    kind = one.get("datatype")
    if kind == BYTES:
        return _texts(raw, one["name"], count)
    try:
        return np.frombuffer(raw, dtype=DATATYPES[str(kind)])
    except ValueError:
        raise Unusable(f"input {one['name']!r}: {len(raw)} bytes are no {kind}") from None


def _texts(raw: bytes, name: str, count: int) -> Array:
    """Read texts, each behind its length as four bytes, the least one first."""
    found: list[str] = []
    place = 0
    try:
        while place < len(raw) and len(found) <= count:
            (size,) = struct.unpack_from("<I", raw, place)
            text = raw[place + 4 : place + 4 + size]
            if len(text) < size:
                raise Unusable(f"input {name!r}: its bytes end in the middle of a text")
            found.append(text.decode("utf-8"))
            place += 4 + size
    except (struct.error, UnicodeDecodeError) as error:
        raise Unusable(f"input {name!r}: {error}") from None
    return _objects(found)


def _objects(values: list[Any]) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def to_binary(values: Array, kind: str) -> bytes:
    """Return the bytes of an output."""
    if kind != BYTES:
        return values.astype(DATATYPES[kind]).tobytes()
    texts = [str(value).encode() for value in values.ravel()]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)
