"""The first step of every pipeline: learns from typed columns how to make a float64 matrix."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..contract import Contract
from ..contract.cells import Cells, of_table
from .encoding import (
    DAY,
    LARGEST,
    PARTS,
    Encoding,
    Level,
    Matrix,
    Moment,
    Number,
    ScaledNumber,
    Text,
    calendar_part,
    with_engineered,
    words,
)

if TYPE_CHECKING:  # the server has no pandas
    import pandas as pd

TEXT_WIDTH = 16
MOST_LEVELS = 200  # of a category; rarer ones are unknown (gradient boosting takes at most 255)


def kinds(contract: Contract) -> dict[str, str]:
    """Return how each feature is encoded, by name, categories first.

    A category whose levels the contract lists is a `category`; one without a list has too many
    levels for a column each and is a `key`. Integers are numbers here.
    """
    named = {
        name: "number"
        if column.type == "integer"
        else "key"
        if column.type == "category" and not 0 < len(column.levels or ()) <= MOST_LEVELS
        else column.type
        for name, column in contract.features.items()
    }
    return dict(sorted(named.items(), key=lambda item: item[1] != "category"))


class Encoder(TransformerMixin, BaseEstimator):
    """Encode typed columns as a matrix; everything it learns is plain numbers and tables.

    Args:
        kinds: how each column is encoded, by name (see `kinds`); categories come first. None takes
            arrays, every column a number.
        scaled: for models that need complete, comparable columns: medians in place of missing
            numbers, standardised; one column for each level. Otherwise, for trees: numbers as they
            are, NaN included, and one code for each level.
        seed: seeds the folds of target encoding and the compression of text.

    Attributes:
        encodings_: the fitted encoding of each column and engineered feature, by name.
        width_: the number of columns of the matrix.
    """

    def __init__(
        self, kinds: Mapping[str, str] | None = None, *, scaled: bool = True, seed: int = 0
    ) -> None:
        self.kinds = kinds
        self.scaled = scaled
        self.seed = seed

    def fit(self, X: "pd.DataFrame", y: Any = None) -> "Encoder":
        """Learn the encodings from a typed table of shape (n, columns)."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: "pd.DataFrame", y: Any = None) -> Matrix:
        """Learn, and encode the same rows.

        Keys are encoded by the mean target of the *other* folds, so that a row's own target does
        not leak into its features (Micci-Barreca 2001, with cross-fitting).
        """
        columns = self._columns(X, reset=True)
        self.encodings_: dict[str, Encoding] = {}
        blocks = []
        for name, cells in columns.items():
            kind = self._kind(name)
            if kind == "key":
                self.encodings_[name], block = self._fit_key(cells, y)
            elif kind == "text":
                self.encodings_[name], block = self._fit_text(cells)
            else:
                self.encodings_[name] = self._fit_one(kind, cells)
                block = self.encodings_[name].encode(cells)  # type: ignore[arg-type]
            blocks.append(block)
        matrix = np.hstack(blocks)
        self.width_ = matrix.shape[1]
        return matrix

    def transform(self, X: "pd.DataFrame") -> Matrix:
        """Encode a typed table; returns shape (n, width_)."""
        check_is_fitted(self)
        return self.encode(self.cells(X))

    def cells(self, X: "pd.DataFrame") -> dict[str, Cells]:
        """Return the columns of a typed table as cells, engineered features included."""
        return self._columns(X, reset=False)

    def encode(self, columns: Mapping[str, Cells]) -> Matrix:
        """Encode columns of cells, engineered features included; returns shape (n, width_)."""
        return np.hstack([e.encode(columns[n]) for n, e in self.encodings_.items()])  # type: ignore[arg-type]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return a name for each column of the matrix."""
        check_is_fitted(self)
        return np.array(
            [
                name
                for column, encoding in self.encodings_.items()
                for name in labels(column, self._kind(column), encoding)
            ],
            dtype=object,
        )

    def __sklearn_tags__(self) -> Tags:
        """Say that missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _kind(self, name: str) -> str:
        return (self.kinds or {}).get(name, "number")

    def _columns(self, X: Any, reset: bool) -> dict[str, Cells]:
        if self.kinds is None:
            X = validate_data(self, X, reset=reset, dtype="float64", ensure_all_finite="allow-nan")
            names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(X.shape[1])])
            return dict(zip(names, X.T, strict=True))
        if reset:
            self.n_features_in_ = len(self.kinds)
            self.feature_names_in_ = np.array(list(self.kinds), dtype=object)
        return with_engineered(of_table(X, self.kinds))

    def _fit_one(self, kind: str, cells: Cells) -> Encoding:
        match kind:
            case "number" | "boolean":
                return self._fit_number(np.array(cells, dtype=np.float64))
            case "category":
                return self._fit_category(cells)
            case _:
                return self._fit_moment(np.array(cells, dtype=np.float64))

    def _fit_number(self, values: NDArray[np.float64]) -> Number | ScaledNumber:
        missing = np.isnan(values)
        if missing.all():  # gradient boosting cannot bin a column of nothing but NaN
            return ScaledNumber(0.0, 0.0, 1.0, False)
        if not self.scaled:
            return Number()
        values = np.clip(values, -LARGEST, LARGEST)  # whose squares can still be added up
        median = float(np.median(values[~missing]))
        filled = np.where(missing, median, values)
        return ScaledNumber(
            median, float(filled.mean()), float(filled.std()) or 1.0, bool(missing.any())
        )

    def _fit_category(self, cells: Cells) -> Level:
        counts = Counter(cell for cell in cells if isinstance(cell, str))
        levels = sorted(level for level, _ in counts.most_common(MOST_LEVELS))
        if self.scaled:
            missing = any(cell is None for cell in cells)
            table = np.zeros((len(levels) + 2, len(levels) + missing))
            table[range(len(levels)), range(len(levels))] = 1.0
            if missing:
                table[-1, -1] = 1.0
        else:
            none = np.nan if levels else 0.0
            table = np.array([*range(len(levels)), none, none]).reshape(-1, 1)
        return Level(_rows(levels), table)

    def _fit_key(self, cells: Cells, y: Any) -> tuple[Level, Matrix]:
        column = np.array([[cell or ""] for cell in cells], dtype=object)
        folds = KFold(5, shuffle=True, random_state=self.seed)
        # Said outright, since numbers that happen to be whole would be taken for classes.
        target = "continuous" if np.asarray(y).dtype.kind == "f" else "auto"
        encoder = TargetEncoder(target_type=target, cv=folds)
        block = encoder.fit_transform(column, y)
        levels = list(encoder.categories_[0])
        known = np.column_stack(encoder.encodings_) if len(encoder.encodings_) else block[:0]
        rare = np.broadcast_to(encoder.target_mean_, (1, known.shape[1]))
        missing = known[levels.index("")][None] if "" in levels else rare
        table = np.vstack([known, rare, missing])
        centre, scale = (table.mean(), table.std() or 1.0) if self.scaled else (0.0, 1.0)
        return Level(_rows(levels), (table - centre) / scale), (block - centre) / scale

    def _fit_moment(self, seconds: NDArray[np.float64]) -> Moment:
        known = seconds[~np.isnan(seconds)]
        values = {part: calendar_part(part, known) for part in PARTS}
        parts = [part for part, found in values.items() if len(np.unique(found)) > 1]
        tables = {part: self._calendar_table(PARTS[part]) for part in parts}
        return Moment(parts, tables, self._fit_number(seconds / DAY))

    def _calendar_table(self, size: int) -> Matrix:
        """Return the columns of each value of a part; a cycle is closed by sine and cosine."""
        if not self.scaled:
            return np.array([*range(size), np.nan]).reshape(-1, 1)
        angle = 2 * np.pi * np.arange(size) / size
        cycle = np.column_stack([np.sin(angle), np.cos(angle)])
        return np.vstack([cycle, np.zeros((1, 2))])

    def _fit_text(self, cells: Cells) -> tuple[Text, Matrix]:
        documents = [str(cell or "") for cell in cells]
        vectoriser = TfidfVectorizer(analyzer=words, min_df=2, max_features=20_000)
        try:
            matrix = vectoriser.fit_transform(documents)
        except ValueError:  # no word occurs twice: nothing to learn from this column
            return Text({}, np.zeros(0), np.zeros((0, 1))), np.zeros((len(documents), 1))
        if matrix.shape[1] <= TEXT_WIDTH:
            components = np.eye(matrix.shape[1])
        else:
            components = TruncatedSVD(TEXT_WIDTH, random_state=self.seed).fit(matrix).components_.T
        known = {str(word): int(row) for word, row in vectoriser.vocabulary_.items()}
        # The block as `Text.encode` makes it row by row, but for the last bits, in less time.
        return Text(known, vectoriser.idf_, components), np.asarray(matrix @ components)


def _rows(levels: list[str]) -> dict[str, int]:
    return {level: row for row, level in enumerate(levels)}


def labels(column: str, kind: str, encoding: Encoding) -> list[str]:
    """Return a name for each column that an encoding makes."""
    match encoding:
        case ScaledNumber(indicator=True):
            return [column, f"{column} is missing"]
        case Level(table=table) if kind == "key":
            return [f"{column} mean target {i}" for i in range(table.shape[1])]
        case Level(index=index, table=table) if table.shape[1] > 1:
            return [f"{column}={level}" for level in [*index, "missing"][: table.shape[1]]]
        case Moment(parts=parts, tables=tables, trend=trend):
            return labels(f"{column} trend", "number", trend) + [
                f"{column} {part}{suffix}"
                for part in parts
                for suffix in ([" sine", " cosine"] if tables[part].shape[1] > 1 else [""])
            ]
        case Text(components=components):
            return [f"{column} topic {i}" for i in range(components.shape[1])]
        case _:
            return [column]
