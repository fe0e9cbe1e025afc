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


def hour_of_week(hour_start: Values) -> Values:
    """Return the hour of the week, 0 for the hour that begins at midnight before Thursday."""
    return np.floor(hour_start / 3600.0) % (7 * 24)


def discomfort(temperature: Values, humidity: Values) -> Values:
    """Return the temperature-humidity index in degrees Celsius (Thom 1959)."""
    return temperature - 0.55 * (1 - humidity / 100.0) * (temperature - 14.5)


FEATURES: dict[str, tuple[Callable[..., Values], tuple[str, ...]]] = {
    "hour_of_week": (hour_of_week, ("hour_start",)),
    "discomfort": (discomfort, ("temperature", "humidity")),
}
