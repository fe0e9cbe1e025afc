"""What is suspicious about a table before anything is learned from it, each with the evidence."""

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score, recall_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from . import association
from .config import Params
from .contract import Contract
from .features.encoder import Encoder, kinds
from .features.encoding import LARGEST
from .folds import Rows

ROWS = 3_000  # enough to see what is almost certain
COLUMNS = 60
SPLITS = 3  # of the rows, each held out once
SURE = 20  # held-out rows of a class that are not all right by luck
ALMOST_PERFECT = 0.995


def suspicions(table: pd.DataFrame, contract: Contract, params: Params) -> list[str]:
    """Return what should be looked at before a model of the table is believed.

    Args:
        table: typed by the contract, rows without target left out.
        contract: of the table.
        params: with the folds that are wished for, of which each needs a row of every class, and
            what becomes of duplicates.
    """
    found, folds = [], params.train.folds
    duplicates = int(table.duplicated().sum())
    if duplicates and params.preprocess.duplicates == "remove":
        found.append(f"{duplicates:,} rows are exact duplicates; preprocess keeps one of each")
    if contract.classes:
        counts = table[contract.target].value_counts()
        for label, count in counts[counts < folds].items():
            found.append(f"class {label!r} has {count} rows, fewer than the {folds} folds")
    sample = table.sample(min(ROWS, len(table)), random_state=0)
    return found + leaks(sample, contract) + sums(sample, contract)


def leaks(table: pd.DataFrame, contract: Contract) -> list[str]:
    """Name the columns that tell the target by themselves."""
    return [
        f"{name} alone predicts the target ({score(contract)} {reached:.4f}); if it is not known "
        "before the outcome, give it role: ignore"
        for name, reached in telling(table, contract, SPLITS).items()
        if reached > ALMOST_PERFECT
    ]


def score(contract: Contract) -> str:
    """Return the name of what `telling` measures."""
    return "balanced accuracy" if contract.classes else "r2"


def telling(table: pd.DataFrame, contract: Contract, fewest: int) -> dict[str, float]:
    """Return how well each column alone tells the target of held-out rows, as a tree sees it.

    Of many columns, only of those that go most with the target.

    Args:
        table: typed rows; a few thousand are enough.
        contract: of the table.
        fewest: rows of a class; rarer classes are left out.

    Returns:
        Balanced accuracy, or the share of the variance that is explained (of the ranks, if that is
        more); empty where fewer than two classes are left.
    """
    goal = contract.target
    strongest = association.strongest(
        table[list(contract.features)], table[goal], contract, COLUMNS
    )
    if contract.classes:
        table = table[table.groupby(goal)[goal].transform("size") >= fewest]
        if table[goal].nunique() < 2:
            return {}
    rows = Rows.of(table, contract)
    alone = _class_told if contract.classes else _number_told
    return {
        name: alone(name, kind, rows)
        for name, kind in kinds(contract).items()
        if name in strongest and rows.X[name].nunique() > 1
    }


def _class_told(name: str, kind: str, rows: Rows) -> float:
    encoder = Encoder({name: kind}, scaled=False)
    tree = DecisionTreeClassifier(random_state=0)
    folds = StratifiedKFold(SPLITS, shuffle=True, random_state=0)
    said = cross_val_predict(make_pipeline(encoder, tree), rows.X, rows.y, cv=folds)
    reached = recall_score(rows.y, said, average="macro")
    if kind == "number":
        # Held-out rows miss an exact bound by as much as the others are apart from it. As few cuts
        # as there are classes cannot be a chance.
        cuts = DecisionTreeClassifier(
            max_leaf_nodes=len(np.unique(rows.y)), class_weight="balanced", random_state=0
        )
        said = make_pipeline(encoder, cuts).fit(rows.X, rows.y).predict(rows.X)
        reached = max(reached, recall_score(rows.y, said, average="macro"))
    return float(reached)


def _number_told(name: str, kind: str, rows: Rows) -> float:
    encoder = Encoder({name: kind}, scaled=False)
    # It may have to tell all the levels of a category apart, one after the other.
    depth = None if kind == "category" else 12
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0)
    folds = KFold(SPLITS, shuffle=True, random_state=0)
    said = cross_val_predict(make_pipeline(encoder, tree), rows.X, rows.y, cv=folds)
    reached = r2_score(rows.y, said)
    if kind == "number":
        ranks = rows.X[name].astype("float64").corr(pd.Series(rows.y, rows.X.index), "spearman")
        reached = max(reached, 0.0 if np.isnan(ranks) else ranks**2)
    return float(reached)


def giveaways(train: pd.DataFrame, contract: Contract, seed: int) -> dict[str, float]:
    """Return how well columns tell the target by themselves, as the gate judges it; see `telling`.

    Classes too rare to tell luck from certainty are left out: it takes `SURE` rows of each.
    """
    sample = train.sample(min(ROWS, len(train)), random_state=seed)
    return telling(sample, contract, SURE)


def most_telling(
    train: pd.DataFrame, contract: Contract, seed: int
) -> dict[str, str | float] | None:
    """Return the column that tells most about the target by itself, and how much."""
    found = giveaways(train, contract, seed)
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
