"""The report, a page for managers and engineers, and the model card, filled with what was found."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from . import fairness, metrics, verdicts
from .comparison import METHODS
from .config import Params
from .contract import Contract
from .fairness import Gaps
from .importance import Dependence, Importance
from .learning import Curve
from .predictions import Array, Predictions
from .slices import Sliced

WORST_COLUMNS = 12
TEXT = 60  # characters of a cell


@dataclass(frozen=True)
class Findings:
    """What evaluate found out."""

    results: dict[str, Any]
    """The content of metrics.json."""
    outcomes: Array
    predictions: Predictions
    sliced: Sliced
    gaps: dict[str, Gaps]
    important: list[Importance]
    dependences: list[Dependence]
    curve: Curve
    worst: pd.DataFrame


@dataclass(frozen=True)
class Facts:
    """What was known before."""

    params: Params
    contract: Contract
    manifest: Mapping[str, Any]
    leaderboard: pd.DataFrame
    trials: pd.DataFrame
    split: Mapping[str, Any]
    source: Mapping[str, Any]


def without_rows(found: Findings) -> Findings:
    """Return what may leave the project: everything but rows of the data."""
    return replace(found, worst=found.worst.head(0))


def page(found: Findings, facts: Facts, pictures: Mapping[str, bytes]) -> str:
    """Return the report as one self-contained HTML page.

    Args:
        found: what evaluate found out.
        facts: what was known before.
        pictures: the figures by name, as PNG.
    """
    shown = {
        name: "data:image/png;base64," + base64.b64encode(picture).decode()
        for name, picture in pictures.items()
    }
    template = _environment(autoescape=True).get_template("report.html")
    trials = facts.trials
    return template.render(
        **_common(found, facts),
        figures=shown,
        worst=_rounded(found, facts.contract),
        leaderboard=facts.leaderboard.to_dict("records"),
        chosen=trials[trials["chosen"]].iloc[0].to_dict(),
        best=trials.iloc[0].to_dict(),
        given_up=int(trials["row_milliseconds"].isna().sum()),
        tried=len(trials),
    )


def card(found: Findings, facts: Facts) -> str:
    """Return the model card (Mitchell et al. 2019) in Markdown."""
    template = _environment(autoescape=False).get_template("model_card.md")
    return template.render(**_common(found, facts))


def _environment(autoescape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader(__name__.partition(".")[0]),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": lambda value: f"{value:.4g}",
        "signed": lambda value: f"{value:+.3g}",
        "count": lambda value: f"{value:,}",
        "percent": lambda value: f"{100 * value:.3g} %",
        "cell": markdown,
        "code": lambda text: " ".join(str(text).replace("`", "'").split()),
    }
    return environment


def markdown(text: object) -> str:
    """Return text that stays text inside a table in Markdown."""
    safe = " ".join(str(text).split()).replace("<", "&lt;")
    return re.sub(r"([\\|*`\[\]]|\b_|_\b)", r"\\\1", safe)


def _common(found: Findings, facts: Facts) -> dict[str, Any]:
    reported = metrics.reported(facts.params.metric, facts.params.task)
    used = {one["method"] for one in found.results["metrics"].values()}
    others = [one for one in found.results["comparisons"].values() if one]
    used |= {one["method"] for one in [*others, found.results["calibration"]]}
    return {
        "project": __name__.partition(".")[0],
        "results": found.results,
        "found": found,
        "params": facts.params,
        "contract": facts.contract,
        "manifest": facts.manifest,
        "split": facts.split,
        "source": facts.source,
        "titles": reported,
        "metric": reported[facts.params.metric],
        "methods": {name: METHODS[name] for name in METHODS if name in used},
        "measures": fairness.TITLES,
        "verdicts": verdicts.verdicts(found.results, facts.params),
    }


def _rounded(found: Findings, contract: Contract) -> pd.DataFrame:
    """Return the worst rows as texts: outcome, prediction, error, the most important features."""
    first = [contract.target, "prediction", "error"]
    columns = [one.column for one in found.important[:WORST_COLUMNS]]
    table = found.worst.iloc[:, :3].set_axis(first, axis=1)
    return pd.concat([table, found.worst[columns]], axis=1).map(_text)


def _text(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return "–"
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        text = str(value)
        return text if len(text) <= TEXT else text[: TEXT - 1] + "…"
    return f"{float(value):,.4g}" if abs(value) < 1e4 else f"{float(value):,.0f}"
