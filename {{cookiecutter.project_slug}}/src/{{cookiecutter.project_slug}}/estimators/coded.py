"""Classes as numbers, for classifiers that take nothing else."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data


class CodedClasses(ClassifierMixin, BaseEstimator):
    """Fit a classifier to the positions of the classes; predict the classes.

    Args:
        classifier: takes classes 0, 1, … alone.
    """

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def fit(self, X: Any, y: Any) -> "CodedClasses":
        """Fit to classes of shape (n,)."""
        X, y = validate_data(self, X, y, dtype="float64", ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.classifier_ = clone(self.classifier).fit(X, codes)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of shape (n, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype="float64", ensure_all_finite="allow-nan")
        return np.asarray(self.classifier_.predict_proba(X), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def __sklearn_tags__(self) -> Tags:
        """Say that missing values are welcome, if the classifier welcomes them."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self.classifier).input_tags.allow_nan
        return tags
