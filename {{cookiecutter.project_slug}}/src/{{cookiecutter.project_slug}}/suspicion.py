"""What is suspicious about a table before anything is learned from it, each with the evidence."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from . import association
from .contract import Contract
from .features.encoder import Encoder, kinds
from .features.encoding import LARGEST
from .folds import Rows

ROWS = 3_000  # enough to see what is almost certain
COLUMNS = 60
ALMOST_PERFECT = 0.995


def suspicions(table: pd.DataFrame, contract: Contract, folds: int) -> list[str]:
    """Return what should be looked at before a model of the table is believed.

    Args:
        table: typed by the contract, rows without target left out.
        contract: of the table.
        folds: the folds of cross-validation, of which each needs a row of every class.
    """
    found = []
    duplicates = int(table.duplicated().sum())
    if duplicates:
        found.append(f"{duplicates:,} rows are exact duplicates; preprocess keeps one of each")
    if contract.classes:
        counts = table[contract.target].value_counts()
        for label, count in counts[counts < folds].items():
            found.append(f"class {label!r} has {count} rows, fewer than the {folds} folds")
    sample = table.sample(min(ROWS, len(table)), random_state=0)
    return found + leaks(sample, contract) + sums(sample, contract)


def leaks(table: pd.DataFrame, contract: Contract) -> list[str]:
    """Name the columns that tell the target by themselves."""
    score = "balanced_accuracy" if contract.classes else "r2"
    return [
        f"{name} alone predicts the target ({score} {reached:.4f}); if it is not known "
        "before the outcome, give it role: ignore"
        for name, reached in telling(table, contract, kinds(contract)).items()
        if reached > ALMOST_PERFECT
    ]


def telling(
    table: pd.DataFrame, contract: Contract, columns: Mapping[str, str]
) -> dict[str, float]:
    """Return how well each column alone tells the target of held-out rows, as a small tree sees it.

    Args:
        table: typed rows; a few thousand are enough.
        contract: of the table.
        columns: of the contract, and how each is encoded; see `kinds`.

    Returns:
        Balanced accuracy, or the share of the variance that is explained (of the ranks, if that is
        more); empty where a class has too few rows.
    """
    rows = Rows.of(table, contract)
    if contract.classes:
        tree, score = DecisionTreeClassifier(max_depth=6, random_state=0), "balanced_accuracy"
        if pd.Series(rows.y).value_counts().min() < 3:
            return {}
    else:
        tree, score = DecisionTreeRegressor(max_depth=12, random_state=0), "r2"
    fit, held_out = train_test_split(
        np.arange(len(table)),
        test_size=1 / 3,
        stratify=rows.y if contract.classes else None,
        random_state=0,
    )
    found = {}
    for name, kind in columns.items():
        pipeline = make_pipeline(Encoder({name: kind}, scaled=False), tree)
        pipeline.fit(rows.X.iloc[fit], rows.y[fit])
        found[name] = get_scorer(score)(pipeline, rows.X.iloc[held_out], rows.y[held_out])
        if kind == "number" and not contract.classes:
            ranks = rows.X[name].astype("float64").corr(pd.Series(rows.y, rows.X.index), "spearman")
            found[name] = max(found[name], 0.0 if np.isnan(ranks) else ranks**2)
    return {name: float(reached) for name, reached in found.items()}


def most_telling(
    table: pd.DataFrame, contract: Contract, seed: int
) -> dict[str, str | float] | None:
    """Return the column that tells most about the target by itself, and how much.

    Of many columns and rows, those that go most with the target, and some.
    """
    sample = table.sample(min(ROWS, len(table)), random_state=seed)
    strongest = association.strongest(
        sample[list(contract.features)], sample[contract.target], contract, COLUMNS
    )
    encoded = {name: kind for name, kind in kinds(contract).items() if name in strongest}
    found = telling(sample, contract, encoded)
    if not found:
        return None
    column = max(found, key=lambda name: found[name])
    return {"column": column, "value": found[column]}


def sums(table: pd.DataFrame, contract: Contract) -> list[str]:
    """Name the numbers that add up to a numeric target exactly."""
    names = [n for n, c in contract.features.items() if c.type in ("integer", "number")]
    columns = table[names].astype("float64").clip(-LARGEST, LARGEST)
    columns = columns.loc[:, columns.notna().all() & (columns.std() > 0)]
    if contract.classes or columns.shape[1] < 2 or len(table) <= columns.shape[1] + 1:
        return []
    y = table[contract.target].to_numpy(dtype="float64")
    scale = columns.std().to_numpy()
    X = np.column_stack([columns.to_numpy() / scale, np.ones(len(y))])
    weights, *_ = np.linalg.lstsq(X, y, rcond=None)
    if np.abs(X @ weights - y).max() > 1e-6 * max(1.0, float(np.abs(y).max())):
        return []
    parts = columns.columns[np.abs(weights[:-1]) > 1e-6 * np.abs(weights[:-1]).max()]
    return [f"{' and '.join(parts)} add up to the target; give them role: ignore"]
