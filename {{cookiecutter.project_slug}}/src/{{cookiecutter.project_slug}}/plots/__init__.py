"""Figures for the report."""

from .canvas import style
from .findings import coverage, dependence, importance, learning, slices, thresholds
from .predictions import PLOTS
from .search import leaderboard, pareto

__all__ = [
    "PLOTS",
    "coverage",
    "dependence",
    "importance",
    "leaderboard",
    "learning",
    "pareto",
    "slices",
    "style",
    "thresholds",
]
