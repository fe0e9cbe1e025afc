"""Arithmetic that gives a row the same bits alone, with a few others and in a table.

A function whose name ends in `row` does for one row what the other does for a matrix, without
arrays where these would take longer.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

FEW = 4  # rows of a matrix, which are added up without einsum: that fuses what it adds
WIDE = 8  # columns of a matrix with which BLAS is quicker than einsum
BLOCK = 16  # rows that BLAS always gets: it adds up in another order for other numbers of them


def product(left: Matrix, right: Matrix) -> Matrix:
    """Return the product of two matrices; a request and a table get the same bits for a row."""
    if len(right) > FEW and right.shape[1] >= WIDE:
        blocks = np.zeros((-(-len(left) // BLOCK), BLOCK, len(right)))
        blocks.reshape(-1, len(right))[: len(left)] = left
        found = np.matmul(blocks, right)
        return found.reshape(-1, right.shape[1])[: len(left)]
    if len(right) > FEW:
        return np.asarray(np.einsum("ij,jk->ik", left, right))
    terms = (left[:, i : i + 1] * row for i, row in enumerate(right))
    return np.asarray(reduce(np.add, terms))


def product_row(left: Sequence[float], right: Matrix) -> list[float]:
    """Return what `product` does for one row."""
    if len(right) > FEW:
        found: list[float] = product(np.array([left]), right).tolist()[0]
        return found
    rows = right.tolist()
    total = [left[0] * value for value in rows[0]]
    for factor, row in zip(left[1:], rows[1:], strict=True):
        total = [so_far + factor * value for so_far, value in zip(total, row, strict=True)]
    return total


def softmax(values: Matrix) -> Matrix:
    """Return probabilities for logits of shape (n, classes)."""
    powers = np.exp(values - np.maximum.reduce(values, axis=1, keepdims=True))
    return np.asarray(powers / np.add.reduce(powers, axis=1, keepdims=True))


def softmax_row(values: Sequence[float]) -> list[float]:
    """Return what `softmax` does for one row."""
    highest = max(values)
    powers = [float(np.exp(value - highest)) for value in values]
    total = powers[0] + powers[1] if len(powers) == 2 else float(np.add.reduce(powers))
    return [power / total for power in powers]
