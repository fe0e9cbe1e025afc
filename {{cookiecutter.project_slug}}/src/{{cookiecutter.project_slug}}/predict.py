"""predict: score a whole table with the champion."""

from pathlib import Path

import pandas as pd
from rich.progress import Progress

from . import bundle, files, sources
from .bundle import Bundle
from .contract.table import check

CHUNK = 10_000


def predict(table: pd.DataFrame, champion: Bundle) -> pd.DataFrame:
    """Return the rows with their predictions.

    These are `prediction`, and a `probability of …` per class or the ends of the interval, `low`
    and `high`. Rows that break the contract keep their place; `reason` says why they have none.
    """
    table = table.reset_index(drop=True)
    checked = check(table, champion.contract, target=False)
    predictions = champion.score_table(checked.valid)
    found = pd.DataFrame({"prediction": predictions.labels})
    if predictions.classes is None:
        ends = champion.scorer.region.interval(predictions.values)
        found["low"], found["high"] = ends[:, 0], ends[:, 1]
    for position, label in enumerate(predictions.classes or ()):
        found[f"probability of {label}"] = predictions.values[:, position]
    found.index = table.index.difference(checked.invalid.index)
    scored = found.join(checked.invalid["reason"], how="outer")
    return table.drop(columns=[*scored], errors="ignore").join(scored)


def main(source: str, output: Path) -> tuple[int, int]:
    """Score a table from a source into a file; returns the numbers of rows and of bad rows."""
    champion = bundle.load(files.CHAMPION)
    table = sources.read(source)
    starts = range(0, max(len(table), 1), CHUNK)
    # As a context: it stops its thread also when a part raises.
    with Progress(transient=True) as progress:
        parts = [
            predict(table.iloc[start : start + CHUNK], champion)
            for start in progress.track(starts, description="predict")
        ]
    scored = pd.concat(parts, ignore_index=True)
    with files.replacing(output) as scratch:
        sources.write(scored, scratch)
    return len(scored), int(scored["reason"].notna().sum())
