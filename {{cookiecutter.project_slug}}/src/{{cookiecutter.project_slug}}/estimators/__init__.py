"""Estimators of our own, after scikit-learn's contract; the server loads them, so no pandas."""
