import json
import struct

import numpy as np
import pytest

from {{cookiecutter.project_slug}}.serving import tables, tensors

NUMBERS = [kind for kind in tensors.DATATYPES if kind != "BOOL"]


def read(kind, raw, shape):
    one = {"name": "a", "datatype": kind, "shape": shape}
    one["parameters"] = {"binary_data_size": len(raw)}
    return tensors.of_json([one], raw, 3, 1)["a"].tolist()


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_survive_as_bytes(kind):
    assert read(kind, tensors.to_binary(np.array([0, 1, 100]), kind), [3]) == [0, 1, 100]


def test_truth_and_texts_survive_as_bytes():
    assert read("BOOL", tensors.to_binary(np.array([True, False]), "BOOL"), [2]) == [True, False]
    texts = np.array(["", "a b", "Aš𝕏"], dtype=object)
    assert read("BYTES", tensors.to_binary(texts, "BYTES"), [3]) == texts.tolist()


@pytest.mark.parametrize(
    ("kind", "raw", "said"),
    [
        ("FP64", b"1234567", "7 bytes are no FP64"),
        ("BYTES", struct.pack("<I", 9) + b"abc", "in the middle of a text"),
        ("BYTES", b"\x01\x00", "unpack"),
        ("BYTES", struct.pack("<I", 1) + b"\xff", "utf-8"),
        ("FP99", b"", "datatype must be one of"),
    ],
)
def test_bytes_that_are_no_tensor_are_refused(kind, raw, said):
    with pytest.raises(tables.Unusable, match=said):
        read(kind, raw, [1])


def test_bytes_must_belong_to_an_input():
    one = {"name": "a", "datatype": "INT8", "shape": [1], "data": [1]}
    with pytest.raises(tables.Unusable, match="3 bytes belong to no input"):
        tensors.of_json([one], b"abc", 3, 1)


@pytest.mark.parametrize("length", ["", "-1", "1.0", "x", "9" * 5_000, "²", "99"])
def test_a_length_that_cannot_be_is_refused(length):
    with pytest.raises(tables.Unusable, match="inference-header-content-length"):
        tensors.split(b"{}", length)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000, b"9" * 5_000])
def test_a_head_that_is_no_object_is_refused(body):
    with pytest.raises(tables.Unusable):
        tensors.split(body, None)


def test_the_bytes_behind_the_head_are_kept():
    head = json.dumps({"inputs": []}).encode()
    assert tensors.split(head + b"\0\1", str(len(head))) == ({"inputs": []}, b"\0\1")
