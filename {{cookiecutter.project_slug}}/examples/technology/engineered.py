"""Features that are computed from other columns, one function each.

To add one, write a function and name it and its input columns in `FEATURES`; nothing else changes.
Inputs and results are float64 arrays of shape (n,), NaN where a value is missing (moments are
seconds since 1970). A function must treat each row by itself. A feature whose inputs are not all
features of contract.yaml is left out.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def cells(compounds: Values, input_fields: Values) -> Values:
    """Return the number of cells of the job's table."""
    return compounds * input_fields


def work(compounds: Values, input_fields: Values, iterations: Values) -> Values:
    """Return the number of cells that the job goes through at most, on a log scale."""
    return np.log1p(compounds * input_fields * iterations)


FEATURES: dict[str, tuple[Callable[..., Values], tuple[str, ...]]] = {
    "cells": (cells, ("compounds", "input_fields")),
    "work": (work, ("compounds", "input_fields", "iterations")),
}
