"""What a family of models is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from optuna.distributions import BaseDistribution, CategoricalDistribution

from ..config import Task

Space = Mapping[str, BaseDistribution]
Target = Literal["as it is", "logarithm"]


@dataclass(frozen=True)
class Model:
    """A family of models: its estimators, what they want to see, and where to search.

    Parameters are named as the estimators name them; `select` is the selection of features.
    """

    classifier: Any = None
    """None for a family that does not classify."""
    regressor: Any = None
    """None for a family that does not predict numbers."""
    scaled: bool = False
    """Whether the estimators need complete, scaled, one-hot columns (see `Encoder`)."""
    selection: str = "none"
    """The selection of features to begin with (see `SELECTIONS`)."""
    classifier_portfolio: tuple[Mapping[str, Any], ...] = ()
    """Parameters that did well on many tables, the best first; tried after the defaults."""
    regressor_portfolio: tuple[Mapping[str, Any], ...] = ()
    classifier_space: Space = field(default_factory=dict)
    """Distributions to search when the portfolio is done."""
    regressor_space: Space = field(default_factory=dict)
    selections: tuple[str, ...] = ()
    """The selections that the search may try."""
    categories: str | None = None
    """The estimators' parameter for the positions of columns that hold codes of categories."""
    rounds: str | None = None
    """The estimators' parameter for the number of rounds, if held-out rows can say when to stop."""
    hurried: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that reach almost as much in fewer rounds, for when there is no time for more."""
    most_rows: int | None = None
    """The family is left out where there are more training rows: it would take too long."""

    def estimator(self, task: Task) -> Any:
        """Return the estimator for a task, or None."""
        return self.regressor if task == "regression" else self.classifier

    def suits(self, task: Task, rows: int) -> bool:
        """Return whether the family can be used for a task and so many training rows."""
        return self.estimator(task) is not None and rows <= (self.most_rows or rows)

    def space(self, task: Task, skewed: bool = False) -> dict[str, BaseDistribution]:
        """Return the distributions to search, by the name of the pipeline's parameter."""
        space = self.regressor_space if task == "regression" else self.classifier_space
        found: dict[str, BaseDistribution] = {f"model__{name}": d for name, d in space.items()}
        if self.selections:
            found["select"] = CategoricalDistribution(self.selections)
        if skewed:
            found["target"] = CategoricalDistribution(("as it is", "logarithm"))
        return found

    def portfolio(self, task: Task, skewed: bool = False) -> list[dict[str, Any]]:
        """Return the parameters to begin with, by the name of the pipeline's parameter.

        Args:
            task: decides between the portfolios.
            skewed: whether the logarithm of the target is worth a try.
        """
        chosen = self.regressor_portfolio if task == "regression" else self.classifier_portfolio
        named = [
            {name if name == "select" else f"model__{name}": value for name, value in one.items()}
            for one in chosen
        ]
        if not skewed:
            return named
        both: list[dict[str, Any]] = [{"target": "logarithm"}]
        for one in named:
            both += [{**one, "target": "as it is"}, {**one, "target": "logarithm"}]
        return both
