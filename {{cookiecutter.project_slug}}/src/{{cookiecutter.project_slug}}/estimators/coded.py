"""Classes as numbers, for classifiers that take nothing else."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted


class CodedClasses(ClassifierMixin, BaseEstimator):
    """Fit a classifier to the positions of the classes; predict the classes.

    Args:
        classifier: takes classes 0, 1, … alone.
    """

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def fit(self, X: Any, y: Any) -> "CodedClasses":
        """Fit to classes of shape (n,)."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.classifier_ = clone(self.classifier).fit(X, codes)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of shape (n, classes)."""
        check_is_fitted(self)
        return np.asarray(self.classifier_.predict_proba(X), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
