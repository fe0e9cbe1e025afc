"""The rules that a model has to pass to become the champion. To add one, write its function.

Limits that depend on what the metric is measured in are shares of the gain over a constant
prediction. Where chance speaks too, a rule looks at the end of the interval that favours the model,
so that noise does not refuse it; better than the baseline it must be at the other end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from . import metrics
from .bundle import PARITY
from .config import Params
from .errors import InputError
from .probe import Measured

UNFAIR = ("equalized_odds_difference", "mean_absolute_error_difference")
"""The gaps between groups that are limited: in errors. What is said of groups may differ where they
do."""


@dataclass(frozen=True)
class Rule:
    """A rule of the gate, applied."""

    name: str
    passed: bool
    value: float | None
    """None when there is nothing to measure."""
    limit: float | None
    why: str
    safety: bool = False
    """Whether nobody may promote a model that breaks it."""


def judge(results: Mapping[str, Any], params: Params, measured: Measured) -> list[Rule]:
    """Apply every rule.

    Args:
        results: the content of metrics.json.
        params: the limits.
        measured: of the same bundle.

    Raises:
        InputError: a figure that a rule needs is not among the results.
    """
    try:
        return [
            *_good(results, params),
            *_even(results, params),
            *_sound(results, params, measured),
        ]
    except (KeyError, TypeError) as error:
        raise InputError(
            f"reports/metrics.json: {str(error).strip(chr(39))} is missing, which the gate needs; "
            "evaluate again with `dvc repro --force --single-item evaluate`"
        ) from None


def _good(results: Mapping[str, Any], params: Params) -> Iterator[Rule]:
    """Yield the rules about how good the model is on all rows."""
    limits, metric = params.release, metrics.find(params.metric, params.task)
    if limits.min_metric is not None:
        value = results["metrics"][params.metric]["value"]
        sign = 1 if metric.greater_is_better else -1
        yield Rule(
            "good enough",
            sign * value >= sign * limits.min_metric,
            value,
            limits.min_metric,
            f"below this {params.metric} (above, for an error) the model is of no use",
        )
    low = results["gain"]["low"]
    yield Rule(
        "better than the baseline",
        low > limits.min_gain,
        low,
        limits.min_gain,
        f"the gain in {params.metric} over a constant prediction must exceed the limit, at the "
        "lower end of its interval",
    )
    champion, other = results["comparisons"]["champion"], results["unmeasured"]
    limit = -limits.max_loss_to_champion * _gained(results)
    yield Rule(
        "no worse than the champion",
        champion["low"] > limit if champion else other is None or other["moot"],
        champion and champion["low"],
        limit,
        "the gain over the champion on the same rows must exceed the limit, at the lower end of "
        "its interval; "
        + (
            f"version {other['version']} was not measured: {other['why']}"
            if other
            else "there is nothing to compare with on the first release"
        ),
    )
    telling = results["telling"]
    reached = telling and telling["value"]
    yield Rule(
        "no column gives the target away",
        reached is None or reached <= limits.max_column_score,
        reached,
        limits.max_column_score,
        "what tells the target by itself is seldom known before the outcome; if it is not, give it "
        f"role: ignore in contract.yaml. The most telling: {telling['column'] if telling else '–'}",
    )
    error = results["calibration"]
    yield Rule(
        "calibrated",
        error["low"] <= limits.max_calibration_error,
        error["low"],
        limits.max_calibration_error,
        "who acts on a probability, or on an interval, relies on it being as frequent as it says",
    )


def _even(results: Mapping[str, Any], params: Params) -> Iterator[Rule]:
    """Yield the rules about parts of the rows."""
    limits, sign = params.release, metrics.find(params.metric, params.task).greater_is_better
    overall = results["metrics"][params.metric]["value"]
    gained = _gained(results)

    def lost(one: Mapping[str, Any]) -> float:
        """Return the share of what the model gains that is lost in a slice, at its better end.

        Of the gain or of the skill, whichever lost less: where positives are rarer or numbers
        larger any model's metric is another, and in the middle a constant does well.
        """
        gap = overall - one["high"] if sign else one["low"] - overall
        return min(gap / gained if gained else 0.0, 1 - float(one["kept"]))

    behind = {f"{one['column']} = {one['slice']}": lost(one) for one in results["slices"]}
    worst = max(behind, key=lambda name: behind[name], default=None)
    yield Rule(
        "no slice far behind",
        worst is None or behind[worst] <= limits.max_slice_gap,
        behind[worst] if worst else None,
        limits.max_slice_gap,
        f"a good {params.metric} of all rows can hide a part of them that is served badly; the "
        f"worst: {worst or 'none is large enough'}",
    )
    gaps = {
        f"{column}, {name}": found["low"] / _unit(results, name)
        for column, measures in results["fairness"].items()
        for name, found in measures.items()
        if name in UNFAIR
    }
    widest = max(gaps, key=lambda name: gaps[name], default=None)
    yield Rule(
        "groups treated alike",
        widest is None or gaps[widest] <= limits.max_group_gap,
        gaps[widest] if widest else None,
        limits.max_group_gap,
        "the model must not err much more often for one group of people than for another; the "
        f"widest gap: {widest or 'no column is sensitive'}",
    )
    failed = [
        " ".join(filter(None, [one["test"], one["column"]]))
        for one in results["behaviour"]
        if not one["passed"]
    ]
    yield Rule(
        "behaves as expected",
        not failed,
        float(len(failed)),
        0.0,
        "a prediction must not depend on what it should not depend on"
        + (f"; failed: {', '.join(failed)}" if failed else ""),
    )


def _sound(results: Mapping[str, Any], params: Params, measured: Measured) -> Iterator[Rule]:
    """Yield the rules about the bundle that would be served."""
    limits, time = params.release, measured.milliseconds
    yield Rule(
        "fast enough",
        time is not None and time <= limits.max_milliseconds,
        time,
        limits.max_milliseconds,
        "milliseconds to score one row, the median in a fresh process",
    )
    yield Rule(
        "small enough",
        measured.megabytes <= limits.max_megabytes,
        measured.megabytes,
        limits.max_megabytes,
        "megabytes of the bundle's files, which every server holds",
    )
    yield Rule(
        "not rolled back before",
        measured.left is None,
        None,
        None,
        "somebody took this model back"
        + (f", as version {measured.left}" if measured.left else "; it must not return by itself"),
    )
    yield Rule(
        "requests and tables agree",
        results["disagreement"] <= PARITY,
        results["disagreement"],
        PARITY,
        "a prediction over HTTP must be the one that was evaluated",
        safety=True,
    )
    yield Rule(
        "loads in a fresh process",
        not measured.fault,
        None,
        None,
        measured.fault or "a server must load the bundle and get its golden rows' predictions",
        safety=True,
    )


def _gained(results: Mapping[str, Any]) -> float:
    """Return by how much the model beats a constant prediction."""
    return max(0.0, float(results["gain"]["value"]))


def _unit(results: Mapping[str, Any], measure: str) -> float:
    """Return what a gap is a share of: an error of numbers, of that of a constant prediction."""
    return float(results["baseline"]["mae"]) or 1.0 if measure == UNFAIR[1] else 1.0


def show(rules: list[Rule]) -> Table:
    """Return the rules as a table for the terminal."""
    shown = Table("", "rule", "value", "limit", title="Gate", title_justify="left")
    for rule in rules:
        mark = "[green]pass" if rule.passed else "[red]fail"
        cells = ("–" if n is None else f"{n + 0:.4g}" for n in (rule.value, rule.limit))
        shown.add_row(mark, rule.name, *cells)
    return shown
