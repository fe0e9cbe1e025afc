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


def heart_rate_reached(age: Values, max_heart_rate: Values) -> Values:
    """Return the share of the age-predicted maximal heart rate (220 - age, Fox 1971) reached."""
    return max_heart_rate / (220.0 - age)


FEATURES: dict[str, tuple[Callable[..., Values], tuple[str, ...]]] = {
    "heart_rate_reached": (heart_rate_reached, ("age", "max_heart_rate")),
}
