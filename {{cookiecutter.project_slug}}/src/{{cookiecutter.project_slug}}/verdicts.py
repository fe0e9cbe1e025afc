"""What the figures mean, in words that need no statistics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import metrics
from .config import Params

ERROR = 0.05  # of a probability, that is still called small
GAP = 0.1  # between groups, from which it is called large


@dataclass(frozen=True)
class Verdict:
    """A question that an owner asks, and its answer."""

    question: str
    answer: str
    mark: Literal["good", "fair", "bad"]
    why: str


def verdicts(results: Mapping[str, Any], params: Params) -> list[Verdict]:
    """Answer what an owner wants to know from the content of metrics.json."""
    known = results["comparisons"]
    title = metrics.find(params.metric, params.task).title
    found = [
        _better("Is it better than a constant guess?", known["baseline"], title),
        _better("Is it better than a simple linear model?", known["linear"], title),
    ]
    if known["champion"]:
        question = f"Is it better than the model in use (version {known['champion']['version']})?"
        found.append(_better(question, known["champion"], title))
    found += [
        _calibrated(results, params),
        _even(results, params, title),
        _fair(results, params),
        _behaves(results),
        _grows(results, title),
    ]
    return found


def _better(question: str, gain: Mapping[str, Any], title: str) -> Verdict:
    ends = f"{gain['value']:+.3g} in {title}, {gain['low']:+.3g} to {gain['high']:+.3g}"
    if gain["low"] == gain["high"] == 0:
        return Verdict(question, "As good", "fair", "It is exactly as good on every resample.")
    if gain["low"] > 0:
        return Verdict(question, "Yes", "good", f"Surely better: {ends}.")
    if gain["high"] < 0:
        return Verdict(question, "No", "bad", f"Surely worse: {ends}.")
    return Verdict(question, "Not surely", "fair", f"Chance may explain the difference: {ends}.")


def _calibrated(results: Mapping[str, Any], params: Params) -> Verdict:
    found = results["calibration"]
    ends = f"{found['value']:.1%}, with an interval from {found['low']:.1%} to {found['high']:.1%}"
    if params.task == "regression":
        question = "Can its intervals be trusted?"
        what = "The share of outcomes inside them misses what was promised by"
    else:
        question = "Can its probabilities be trusted?"
        what = "What was said and what happened differ by"
    if found["high"] <= ERROR:
        return Verdict(question, "Yes", "good", f"{what} {ends}.")
    if found["low"] <= ERROR:
        return Verdict(question, "Roughly", "fair", f"{what} {ends}.")
    return Verdict(question, "No", "bad", f"{what} {ends}.")


def _even(results: Mapping[str, Any], params: Params, title: str) -> Verdict:
    question, found = "Is it as good everywhere?", results["slices"]
    overall = results["metrics"][params.metric]["value"]
    greater = metrics.find(params.metric, params.task).greater_is_better
    worse = [s for s in found if (s["high"] < overall if greater else s["low"] > overall)]
    chance = len(found) * (1 - params.evaluate.confidence) / 2
    of = f"{len(worse)} of {len(found)} slices are worse than the whole beyond their interval"
    if len(worse) <= max(1.0, 2 * chance):
        return Verdict(question, "Yes", "good", f"{of}; chance alone gives about {chance:.1f}.")
    first = worse[0]
    return Verdict(
        question,
        "Not everywhere",
        "fair",
        f"{of}. The worst: {first['column']} {first['slice']} ({first['rows']:,} rows), {title} "
        f"{first['value']:.3g} against {overall:.3g} in all.",
    )


def _fair(results: Mapping[str, Any], params: Params) -> Verdict:
    question = "Does it treat groups alike?"
    found = {column: measures for column, measures in results["fairness"].items() if measures}
    if not found:
        why = "No sensitive column of contract.yaml has two groups that are large enough."
        return Verdict(question, "Not known", "fair", why)
    if params.task == "regression":
        name, unit = "mean_absolute_error_difference", results["metrics"]["mae"]["value"]
    else:
        name, unit = "equalized_odds_difference", 1.0
    gaps = {column: measures[name] for column, measures in found.items() if name in measures}
    if not gaps:
        return Verdict(question, "Not known", "fair", "No group has rows of each outcome.")
    column = max(gaps, key=lambda c: gaps[c]["low"])
    low, value = gaps[column]["low"] / unit, gaps[column]["value"] / unit
    why = f"The largest gap, {value:.0%}, is between groups of {column} (at least {low:.0%})."
    if gaps[column]["high"] / unit <= GAP:
        return Verdict(question, "Yes", "good", why)
    if low <= GAP:
        return Verdict(question, "Not surely", "fair", why)
    return Verdict(question, "No", "bad", why)


def _behaves(results: Mapping[str, Any]) -> Verdict:
    question = "Does it behave as it should?"
    failed = [one for one in results["behaviour"] if not one["passed"]]
    if not failed:
        count = len(results["behaviour"])
        return Verdict(question, "Yes", "good", f"All {count} behavioural tests passed.")
    names = ", ".join(
        one["test"] + (f" ({one['column']})" if one["column"] else "") for one in failed
    )
    return Verdict(question, "No", "bad", f"Failed: {names}.")


def _grows(results: Mapping[str, Any], title: str) -> Verdict:
    question, gain = "Would more data help?", results["doubling"]
    if gain is None:
        why = "The learning curve is too flat or too uneven to look ahead."
        return Verdict(question, "Not surely", "fair", why)
    return Verdict(
        question,
        "Yes",
        "good",
        f"Twice the rows may make the {title} better by about {gain:.2g}, if the curve goes on so.",
    )
