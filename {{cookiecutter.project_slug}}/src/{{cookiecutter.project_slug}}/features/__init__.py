"""From typed columns to the matrix of the estimators: engineered, encoded and selected."""
