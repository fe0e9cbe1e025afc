"""Nearest neighbours among however few rows there are."""

from typing import Any

from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.utils.validation import check_is_fitted


class _Few:
    """Asks for all rows where there are fewer than `n_neighbors`, which scikit-learn refuses."""

    def kneighbors(
        self: Any, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True
    ) -> Any:
        """Return distances and positions of the nearest rows, or of all."""
        check_is_fitted(self)
        wanted = self.n_neighbors if n_neighbors is None else n_neighbors
        there = self.n_samples_fit_ - (X is None)  # a fitted row is no neighbour of its own
        return super().kneighbors(X, min(wanted, there), return_distance)  # type: ignore[misc]


class FewNeighborsClassifier(_Few, KNeighborsClassifier):
    """scikit-learn's KNeighborsClassifier."""


class FewNeighborsRegressor(_Few, KNeighborsRegressor):
    """scikit-learn's KNeighborsRegressor."""
