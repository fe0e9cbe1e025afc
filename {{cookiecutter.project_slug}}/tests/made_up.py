"""Tables, rows and requests that the tests make up."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from {{cookiecutter.project_slug}} import (
    bundle,
    calibration,
    combination,
    ensemble,
    folds,
    models,
    predictions,
)
from {{cookiecutter.project_slug}}.contract import cells, definition, table

EVERY_TYPE: dict[str, Any] = {
    "whole": {"type": "integer", "minimum": -100, "maximum": 100},
    "count": {"type": "integer", "nullable": True},
    "share": {"type": "number", "nullable": True},
    "flag": {"type": "boolean", "nullable": True},
    "colour": {"type": "category", "levels": ["red", "green", "blue"], "nullable": True},
    "city": {"type": "category", "nullable": True},
    "note": {"type": "text", "nullable": True},
    "moment": {"type": "datetime", "nullable": True},
}
NUMBER = {"type": "number", "role": "target"}
TARGETS: dict[str, Any] = {
    "binary": {"type": "category", "role": "target", "levels": ["a", "b"], "positive": "a"},
    "multiclass": {"type": "category", "role": "target", "levels": ["c", "a", "b"]},
    "regression": NUMBER,
}


def contract_of(**columns: dict[str, Any]) -> definition.Contract:
    """Return a contract with these columns and a number as the target."""
    target = {} if any(c.get("role") == "target" for c in columns.values()) else {"y": NUMBER}
    return definition.Contract.model_validate({"columns": {**columns, **target}})


def every_type(task: str, size: int = 160) -> tuple[definition.Contract, pd.DataFrame]:
    rng = np.random.default_rng(size)
    columns = {**EVERY_TYPE, "outcome": TARGETS[task]}
    contract = definition.Contract.model_validate({"columns": columns})
    whole = rng.integers(-50, 50, size)
    words = np.array(["good", "bad", "very", "thing", "never", "seen"])
    classes = contract.classes or ("",)
    outcome = np.digitize(whole, [-16, 16] if len(classes) == 3 else [0])
    frame = pd.DataFrame(
        {
            "whole": whole,
            "count": rng.poisson(3, size),
            "share": rng.normal(size=size),
            "flag": rng.random(size) < 0.5,
            "colour": rng.choice(["red", "green", "blue"], size),
            "city": rng.choice(["Aš", "Bonn", "Cork", "Dijon"], size),
            "note": [" ".join(rng.choice(words, 4)) for _ in range(size)],
            "moment": pd.Timestamp("2024-02-28T22:30")
            + pd.to_timedelta(rng.integers(0, 10**7, size), "s"),
            "outcome": np.array(classes)[outcome] if len(classes) > 1 else whole * 2.0,
        }
    ).astype(object)
    for position, name in enumerate(n for n, c in EVERY_TYPE.items() if c.get("nullable")):
        frame.loc[position::11, name] = None
    return contract, table.check(frame, contract).valid


def ensemble_of(rows: folds.Rows, *members: Any, costs: Any = None) -> ensemble.Ensemble:
    """Return fitted pipelines, weighted alike, as one model."""
    said = np.mean([predictions.predict(m, rows.X, rows.classes).values for m in members], axis=0)
    outcomes = predictions.Predictions(said, rows.classes).codes(rows.y) if rows.classes else rows.y
    return ensemble.Ensemble(
        list(members),
        combination.Combination(np.full(len(members), 1 / len(members))),
        calibration.conformal(said, outcomes, 0.9),
        rows.classes,
        costs,
    )


def bundled(
    task: str, folder: Path, size: int = 160, family: str = "tree"
) -> tuple[bundle.Bundle, pd.DataFrame]:
    """Return a saved bundle for a table with a column of each type, and the table."""
    contract, frame = every_type(task, size)
    rows = folds.Rows.of(frame, contract)
    fitted = models.build(models.MODELS[family], contract, task, 0).fit(rows.X, rows.y)
    golden = cells.rows_of_table(frame.head(3), contract)
    model = ensemble_of(rows, fitted)
    return bundle.save(folder, model, contract, golden, name="made up", version="1"), frame


def values(column: definition.Column) -> st.SearchStrategy[Any]:
    """Make up values that a column accepts, as an HTTP client sends them."""
    low, high = column.minimum, column.maximum
    texts = st.text() if column.nullable else st.text().filter(lambda text: text.strip())
    match column.type:
        case "integer":
            found: st.SearchStrategy[Any] = st.integers(
                -(10**6) if low is None else int(np.ceil(low)),
                10**6 if high is None else int(np.floor(high)),
            )
        case "number":
            found = st.floats(low, high, allow_nan=False, allow_infinity=False, width=64)
        case "boolean":
            found = st.booleans()
        case "datetime":
            found = st.datetimes().map(lambda moment: moment.isoformat())
        case "category" if column.levels:
            blanks = ["", " "] if column.nullable else []
            padded = [f" {level}\t" for level in column.levels]
            found = st.sampled_from([*column.levels, *padded, *blanks])
            found = found | texts if column.allow_unknown else found
        case _:
            found = texts
    return found | st.none() if column.nullable else found


def bodies(contract: definition.Contract) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Make up lists of rows that a contract accepts."""
    row = st.fixed_dictionaries({name: values(c) for name, c in contract.features.items()})
    return st.lists(row, min_size=1, max_size=5)


def requests(frame: pd.DataFrame, contract: definition.Contract) -> list[dict[str, Any]]:
    """Return the rows of a typed table as an HTTP client sends them."""
    sent = []
    for row in frame[list(contract.features)].astype(object).to_dict("records"):
        present = {name: value for name, value in row.items() if not pd.isna(value)}
        sent.append(
            {n: v.isoformat() if hasattr(v, "isoformat") else v for n, v in present.items()}
        )
    return sent
