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


def credit_used(bill_1: Values, credit_limit: Values) -> Values:
    """Return the share of the credit limit that the latest bill uses."""
    return bill_1 / credit_limit


def bill_repaid(payment_1: Values, bill_2: Values) -> Values:
    """Return the share of the bill before the latest that the latest payment covers."""
    return payment_1 / bill_2


FEATURES: dict[str, tuple[Callable[..., Values], tuple[str, ...]]] = {
    "credit_used": (credit_used, ("bill_1", "credit_limit")),
    "bill_repaid": (bill_repaid, ("payment_1", "bill_2")),
}
