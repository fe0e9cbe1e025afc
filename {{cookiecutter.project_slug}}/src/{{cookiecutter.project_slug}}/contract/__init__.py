"""The data contract: the single description of what a row is."""

from .definition import Column, Contract

__all__ = ["Column", "Contract"]
