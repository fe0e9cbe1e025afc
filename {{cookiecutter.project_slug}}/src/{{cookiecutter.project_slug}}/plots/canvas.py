"""What every figure is drawn on."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure


@contextmanager
def style() -> Iterator[None]:
    """Draw and save the figures of the block alike."""
    look: Any = {
        "axes.prop_cycle": cycler(color=["#3b6fb6", "#d1495b", "#2e8b57", "#b8860b"]),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "figure.constrained_layout.use": True,
        "figure.dpi": 110,
        "font.size": 10,
    }
    with matplotlib.rc_context(look), warnings.catch_warnings():
        # Signs that the font lacks, such as Chinese ones, are boxes; the tables have them.
        warnings.filterwarnings("ignore", "Glyph")
        yield


def short(text: object, most: int = 34) -> str:
    """Return a name as a figure can show it: of so many characters at most, and no formula."""
    shown = str(text)
    shown = shown if len(shown) <= most else shown[: most - 1] + "…"
    return shown.replace("$", r"\$")


def begin(title: str, width: float = 4.6, height: float = 4.0) -> tuple[Figure, Any]:
    """Return an empty figure with a title, and its axes."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes
