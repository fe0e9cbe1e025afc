"""evaluate: measure the candidate on the test rows, once, and write report and model card."""

import io
from dataclasses import asdict
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from .. import (
    behaviour,
    bundle,
    diagnosis,
    fairness,
    files,
    importance,
    learning,
    metrics,
    models,
    plots,
    report,
    slices,
    suspicion,
    tracking,
    versions,
)
from ..bundle import Bundle
from ..comparison import Unmeasured, compare, estimate, unmeasured
from ..config import Params
from ..contract import Contract
from ..contract.cells import rows_of_table
from ..errors import InputError
from ..folds import Rows
from ..predictions import Predictions, apart, predict
from ..report import Findings

LINEAR = "linear"


def disagreement(candidate: Bundle, test: pd.DataFrame, predictions: Predictions) -> float:
    """Return how far predictions of rows as requests are from those of the fitted pipelines."""
    rows = rows_of_table(test, candidate.contract)
    return apart(candidate.score(rows).values, predictions.values)


def simple(
    family: str, train: pd.DataFrame, rows: Rows, contract: Contract, params: Params
) -> Predictions:
    """Return what a family with its defaults, fitted on the training rows, says of the test."""
    learned = Rows.of(train, contract)
    fitted = models.build(models.MODELS[family], contract, params.task, params.seed)
    return predict(fitted.fit(learned.X, learned.y), rows.X, rows.classes)


def rival(contract: Contract) -> Bundle | Unmeasured | None:
    """Return the champion, or why it cannot be measured on rows of a contract; None without one."""
    version = versions.current()
    if version is None:
        return None
    try:
        champion = bundle.load(files.CHAMPION)
        champion.require_model()
    except InputError as error:
        return Unmeasured(version, f"it cannot be used: {error}")
    return unmeasured(version, champion.contract, contract) or champion


def comparisons(
    champion: Bundle | Unmeasured | None,
    baseline: Predictions,
    train: pd.DataFrame,
    test: Rows,
    predictions: Predictions,
    contract: Contract,
    params: Params,
) -> dict[str, Any]:
    """Return the gain over the constant, a linear model and the champion on the same rows."""
    metric = metrics.find(params.metric, params.task)

    def over(other: Predictions) -> dict[str, Any]:
        found = compare(metric, test.y, predictions, other, params)
        return {"metric": params.metric, **asdict(found)}

    found: dict[str, Any] = {
        "baseline": over(baseline),
        "linear": over(simple(LINEAR, train, test, contract, params)),
        "champion": None,
    }
    if isinstance(champion, Bundle):
        said = predict(champion.model, test.X[list(champion.contract.features)], test.classes)
        found["champion"] = {**over(said), "version": champion.manifest.get("version")}
    return found


def evaluate(
    candidate: Bundle,
    train: pd.DataFrame,
    test: pd.DataFrame,
    params: Params,
    champion: Bundle | Unmeasured | None = None,
) -> Findings:
    """Measure a candidate on the test rows.

    Args:
        candidate: the model and its contract.
        train: what the simple models and the learning curve learn from.
        test: typed rows that nothing has learned from.
        params: of the project.
        champion: the model in use, or why it cannot be measured; None if there is none.

    Raises:
        InputError: `evaluate.directions` does not suit the contract, or the metric the rows.
    """
    contract, model, rows = candidate.contract, candidate.model, Rows.of(test, candidate.contract)
    behaviour.require(params.evaluate.directions, contract, params.task)
    metric = metrics.find(params.metric, params.task)
    y, said = rows.y, predict(model, rows.X, rows.classes)
    reported = metrics.defined(params.metric, params.task, y, said)
    constant = simple(models.BASELINE, train, rows, contract, params)
    compared = comparisons(champion, constant, train, rows, said, contract, params)
    sliced = slices.measure(test, y, said, constant, contract, metric, params)
    gaps = fairness.measure(test, y, said, contract, params)
    needed = importance.permutation(candidate.score_table, rows, contract, metric, params)
    members = candidate.manifest["members"]
    curve = learning.measure(members, train, contract, params, metric)
    checks = behaviour.check(
        model,
        rows,
        contract,
        params.evaluate.directions,
        params.evaluate.max_flips,
        params.seed,
    )
    binary, numbers = params.task == "binary", params.task == "regression"
    results = {
        "model": candidate.manifest["model"],
        "candidate": candidate.digest,
        "rows": len(test),
        "metrics": {n: asdict(estimate(m, y, said, params)) for n, m in reported.items()},
        "baseline": {name: each(y, constant) for name, each in reported.items()},
        "gain": {end: compared["baseline"][end] for end in ("value", "low", "high")},
        "comparisons": compared,
        "unmeasured": asdict(champion) if isinstance(champion, Unmeasured) else None,
        "calibration": asdict(diagnosis.calibration(model.region, y, said, params)),
        "coverage": diagnosis.coverage(model.region, y, said, params),
        "coverage_by_decile": diagnosis.coverage_by_decile(model.region, y, said, params)
        if numbers
        else [],
        "disagreement": disagreement(candidate, test, said),
        "telling": suspicion.most_telling(train, contract, params.seed),
        "slices": [asdict(one) for one in sliced.slices],
        "fairness": {
            column: {name: asdict(one) for name, one in found.measures.items()}
            for column, found in gaps.items()
        },
        "behaviour": [asdict(one) for one in checks],
        "learning_curve": [asdict(point) for point in curve.points],
        "doubling": curve.doubling,
        "thresholds": [asdict(t) for t in diagnosis.thresholds(y, said)] if binary else [],
    }
    return Findings(
        results=results,
        outcomes=y,
        predictions=said,
        sliced=sliced,
        gaps=gaps,
        important=needed,
        dependences=importance.dependence(
            candidate.score_table, rows, contract, needed, params.seed
        ),
        curve=curve,
        worst=diagnosis.worst(test, y, said, contract),
    )


def draw(
    found: Findings, params: Params, leaderboard: pd.DataFrame, trials: pd.DataFrame
) -> dict[str, Figure]:
    """Return the figures by name."""
    metric, classes = metrics.find(params.metric, params.task), found.predictions.classes
    figures = {
        plot.__name__: plot(found.outcomes, found.predictions) for plot in plots.PLOTS[params.task]
    }
    if params.task == "binary":
        limits = diagnosis.thresholds(found.outcomes, found.predictions)
        figures["thresholds"] = plots.thresholds(limits)
    if params.task == "regression":
        deciles, nominal = found.results["coverage_by_decile"], found.results["coverage"]["nominal"]
        figures["coverage"] = plots.coverage(deciles, nominal)
    if found.sliced.slices:
        overall = found.results["metrics"][params.metric]["value"]
        figures["slices"] = plots.slices(found.sliced.slices, overall, metric)
    figures["importance"] = plots.importance(found.important, metric)
    for place, one in enumerate(found.dependences, start=1):
        figures[f"dependence_{place}"] = plots.dependence(one, classes)
    if found.curve.points:
        figures["learning"] = plots.learning(found.curve, metric)
    figures["leaderboard"] = plots.leaderboard(leaderboard, metric)
    figures["pareto"] = plots.pareto(trials, metric)
    return figures


def save(figures: dict[str, Figure]) -> None:
    """Write the figures as pictures."""
    with files.replacing(files.FIGURES) as scratch:
        scratch.mkdir()
        for name, figure in figures.items():
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", metadata={"Software": None})
            (scratch / f"{name}.png").write_bytes(buffer.getvalue())


def main() -> None:
    """Write metrics, figures, the report and the model card of the candidate."""
    params, candidate = Params.load(), bundle.load(files.CANDIDATE)
    train, test = pd.read_parquet(files.TRAIN), pd.read_parquet(files.TEST)
    leaderboard, trials = pd.read_csv(files.LEADERBOARD), pd.read_csv(files.TRIALS)
    found = evaluate(candidate, train, test, params, rival(candidate.contract))
    with plots.style():
        save(draw(found, params, leaderboard, trials))
    facts = report.Facts(
        params,
        candidate.contract,
        candidate.manifest,
        leaderboard,
        trials,
        files.read_json(files.SPLIT_RECORD),
        files.read_json(files.RAW_RECORD),
    )
    pictures = {path.stem: path.read_bytes() for path in sorted(files.FIGURES.glob("*.png"))}
    with files.replacing(files.REPORT) as scratch:
        scratch.write_text(report.page(found, facts, pictures), encoding="utf-8")
    with files.replacing(files.SHARED_REPORT) as scratch:
        shared = report.page(report.without_rows(found), facts, pictures)
        scratch.write_text(shared, encoding="utf-8")
    with files.replacing(files.CARD) as scratch:
        scratch.write_text(report.card(found, facts), encoding="utf-8")
    # The last of all: by this file release knows that the documents are about the candidate.
    files.write_json(files.METRICS, found.results)
    with tracking.resume(candidate.manifest["run_id"]):
        tracking.log_table(test, "test", str(files.TEST))
        measured = found.results["metrics"].items()
        tracking.log_metrics({f"test_{name}": one["value"] for name, one in measured})
        tracking.log_files([files.METRICS, files.FIGURES, files.SHARED_REPORT, files.CARD])
    one = found.results["metrics"][params.metric]
    print(
        f"{params.metric} on {len(test):,} test rows: {one['value']:.4g} "
        f"({params.evaluate.confidence:.0%} interval {one['low']:.4g} to {one['high']:.4g})"
    )
