"""The data profile: what a table holds, column by column, as one page of HTML."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from .association import Association, associate
from .contract import Contract
from .contract.inference import Finding
from .features.encoding import LARGEST

ROWS = 3_000  # a sample that shows what associations there are
BINS = 20
BARS = 8  # levels of a category that are shown


@dataclass(frozen=True)
class Bar:
    """A bin or a level: what it is, and its share of the known cells."""

    label: str
    share: float


@dataclass(frozen=True)
class Profile:
    """What there is to see of a column."""

    finding: Finding
    missing: float
    bars: list[Bar]
    association: Association | None


def profiles(table: pd.DataFrame, contract: Contract, findings: list[Finding]) -> list[Profile]:
    """Describe each column, the target first, then those that go with it most.

    Args:
        table: typed by the contract, rows without target left out.
        contract: of the table.
        findings: why each column is what the contract says.
    """
    sample = table.sample(min(ROWS, len(table)), random_state=0)
    found = [_profile(one, table, sample, contract) for one in findings]

    def order(profile: Profile) -> tuple[bool, float]:
        shown = profile.association
        return profile.finding.name != contract.target, -abs(shown.value) if shown else 1.0

    return sorted(found, key=order)


def _profile(
    finding: Finding, table: pd.DataFrame, sample: pd.DataFrame, contract: Contract
) -> Profile:
    name = finding.name
    if name not in table:  # ignored
        return Profile(finding, 0.0, [], None)
    cells, goal = table[name], contract.target
    known = cells.dropna()
    association = None
    if name != goal and finding.column.role not in ("id", "ignore"):
        association = associate(sample[name], finding.column, sample[goal], contract.columns[goal])
    return Profile(finding, float(cells.isna().mean()), distribution(known), association)


def distribution(known: pd.Series) -> list[Bar]:
    """Return the shares of the bins of a number or a moment, or of the most frequent levels."""
    if known.empty:
        return []
    if known.dtype.kind in "iufM" and known.nunique() > BARS:
        moments = known.dtype.kind == "M"
        numbers = (known.astype("int64") if moments else known).to_numpy(dtype="float64")
        counts, edges = np.histogram(numbers.clip(-LARGEST, LARGEST), bins=BINS)
        starts = [str(pd.Timestamp(int(e), unit="us")) if moments else f"{e:.4g}" for e in edges]
        labels = [f"{low} to {high}" for low, high in pairwise(starts)]
        return [Bar(label, share) for label, share in zip(labels, counts / len(known), strict=True)]
    shares = known.astype(str).value_counts(normalize=True)
    return [Bar(str(level), float(share)) for level, share in shares.head(BARS).items()]


def render(
    found: list[Profile], rows: int, title: str, notes: list[str], suspicions: list[str]
) -> str:
    """Return the profile as one self-contained page."""
    environment = Environment(
        loader=PackageLoader(__name__.partition(".")[0]), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("profile.html").render(
        profiles=found, rows=rows, title=title, notes=notes, suspicions=suspicions
    )
