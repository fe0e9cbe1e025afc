"""evaluate: measure the candidate on the test rows, once, and write the report."""

import base64
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import bundle, files, metrics, models, plots, tracking
from ..bundle import Bundle
from ..combination import Region
from ..config import Params
from ..contract.cells import rows_of_table
from ..folds import Rows
from ..metrics import Interval
from ..predictions import Predictions, apart, predict


def measure(y: Any, predictions: Predictions, params: Params) -> dict[str, Interval]:
    """Return every metric of the task with its bootstrap interval."""
    return {
        name: metrics.interval(
            lambda rows, metric=metric: metric(y[rows], predictions[rows]),  # type: ignore[misc]
            len(y),
            resamples=params.evaluate.resamples,
            confidence=params.evaluate.confidence,
            seed=params.seed,
            strata=y if predictions.classes else None,
        )
        for name, metric in metrics.reported(params.metric, params.task).items()
    }


def gain(y: Any, predictions: Predictions, other: Predictions, params: Params) -> Interval:
    """Return by how much predictions are better than others on the same rows (paired)."""
    metric = metrics.find(params.metric, params.task)
    return metrics.interval(
        lambda rows: metric.gain(y[rows], predictions[rows], other[rows]),
        len(y),
        resamples=params.evaluate.resamples,
        confidence=params.evaluate.confidence,
        seed=params.seed,
        strata=y if predictions.classes else None,
    )


def disagreement(candidate: Bundle, test: pd.DataFrame, predictions: Predictions) -> float:
    """Return how far predictions of rows as requests are from those of the fitted pipelines."""
    rows = rows_of_table(test, candidate.contract)
    return apart(candidate.score(rows).values, predictions.values)


def coverage(region: Region, y: Any, predictions: Predictions, params: Params) -> dict[str, Any]:
    """Return how many outcomes are inside the sets or intervals, and how large these are."""
    if predictions.classes is None:
        ends = region.interval(predictions.values)
        hits, sizes = (ends[:, 0] <= y) & (y <= ends[:, 1]), ends[:, 1] - ends[:, 0]
    else:
        inside = region.members(predictions.values)
        hits, sizes = inside[np.arange(len(y)), predictions.codes(y)], inside.sum(axis=1)
    found = asdict(metrics.share(hits, params.evaluate.confidence))
    return {**found, "nominal": region.coverage, "mean_size": float(sizes.mean())}


def evaluate(
    candidate: Bundle, train: pd.DataFrame, test: pd.DataFrame, params: Params
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure a candidate on the test rows.

    Returns:
        The content of metrics.json, and the figures by name.
    """
    contract = candidate.contract
    rows = Rows.of(test, contract)
    predictions = predict(candidate.model, rows.X, rows.classes)
    learned = Rows.of(train, contract)
    baseline = models.build(models.MODELS[models.BASELINE], contract, params.task, params.seed)
    baseline.fit(learned.X, learned.y)
    constant = predict(baseline, rows.X, rows.classes)
    metric = metrics.find(params.metric, params.task)
    reported = metrics.reported(params.metric, params.task)
    figures = {plot.__name__: plot(rows.y, predictions) for plot in plots.PLOTS[params.task]}
    figures["importance"] = plots.importance(candidate.model, rows, contract, metric, params.seed)
    results = {
        "model": candidate.manifest["model"],
        "candidate": candidate.digest,
        "rows": len(test),
        "metrics": {n: asdict(i) for n, i in measure(rows.y, predictions, params).items()},
        "baseline": {name: each(rows.y, constant) for name, each in reported.items()},
        "gain": asdict(gain(rows.y, predictions, constant, params)),
        "coverage": coverage(candidate.model.region, rows.y, predictions, params),
        "disagreement": disagreement(candidate, test, predictions),
    }
    return results, figures


def embed(picture: Path) -> str:
    """Return a picture as a data URI."""
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def render(
    results: dict[str, Any], params: Params, leaderboard: pd.DataFrame, trials: pd.DataFrame
) -> str:
    """Return the report as one self-contained HTML page."""
    environment = Environment(
        loader=PackageLoader(__package__.partition(".")[0]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        project=tracking.NAME,
        results=results,
        params=params,
        titles=metrics.reported(params.metric, params.task),
        leaderboard=leaderboard.to_dict("records"),
        chosen=trials[trials["chosen"]].iloc[0].to_dict(),
        best=trials.iloc[0].to_dict(),
        given_up=int(trials["row_milliseconds"].isna().sum()),
        tried=len(trials),
        split=files.read_json(files.SPLIT_RECORD),
        source=files.read_json(files.RAW_RECORD),
        manifest=files.read_json(files.CANDIDATE / bundle.MANIFEST),
        figures={path.stem: embed(path) for path in sorted(files.FIGURES.glob("*.png"))},
    )


def main() -> None:
    """Write metrics, figures and the report of the candidate."""
    params, candidate = Params.load(), bundle.load(files.CANDIDATE)
    train, test = pd.read_parquet(files.TRAIN), pd.read_parquet(files.TEST)
    leaderboard, trials = pd.read_csv(files.LEADERBOARD), pd.read_csv(files.TRIALS)
    metric = metrics.find(params.metric, params.task)
    with plots.style():
        results, figures = evaluate(candidate, train, test, params)
        figures["leaderboard"] = plots.leaderboard(leaderboard, metric)
        figures["pareto"] = plots.pareto(trials, metric)
        with files.replacing(files.FIGURES) as scratch:
            scratch.mkdir()
            for name, figure in figures.items():
                buffer = io.BytesIO()
                figure.savefig(buffer, format="png", metadata={"Software": None})
                (scratch / f"{name}.png").write_bytes(buffer.getvalue())
    files.write_json(files.METRICS, results)
    with files.replacing(files.REPORT) as scratch:
        scratch.write_text(render(results, params, leaderboard, trials), encoding="utf-8")
    with tracking.resume(candidate.manifest["run_id"]):
        tracking.log_table(test, "test", str(files.TEST))
        tracking.log_metrics({f"test_{n}": i["value"] for n, i in results["metrics"].items()})
        tracking.log_files([files.METRICS, files.FIGURES, files.REPORT])
    found = results["metrics"][params.metric]
    print(
        f"{params.metric} on {len(test):,} test rows: {found['value']:.4g} "
        f"({params.evaluate.confidence:.0%} interval {found['low']:.4g} to {found['high']:.4g})"
    )
