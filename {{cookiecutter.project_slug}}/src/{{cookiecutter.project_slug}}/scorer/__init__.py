"""The fitted model as plain numbers: it scores without scikit-learn, a row in microseconds."""

from .scorer import Member, Scorer

__all__ = ["Member", "Scorer"]
