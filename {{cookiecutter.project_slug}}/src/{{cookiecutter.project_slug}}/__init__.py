"""A machine-learning project: from a table to a gated, served model."""
