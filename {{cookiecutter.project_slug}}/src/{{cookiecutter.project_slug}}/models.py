"""The catalogue of model families. To add one, write its block; nothing else changes."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from .config import Task
from .contract import Contract
from .errors import InputError
from .features.encoder import Encoder, kinds
from .features.selection import SELECTIONS

Space = Mapping[str, BaseDistribution]

BASELINE = "dummy"


@dataclass(frozen=True)
class Model:
    """A family of models: its estimators, what they want to see, and where to search."""

    classifier: Any
    regressor: Any
    scaled: bool = False
    """Whether the estimators need complete, scaled, one-hot columns (see `Encoder`)."""
    selection: str = "none"
    """The selection of features to begin with (see `SELECTIONS`)."""
    selections: tuple[str, ...] = ()
    """The selections that tuning may try."""
    classifier_space: Space = field(default_factory=dict)
    regressor_space: Space = field(default_factory=dict)
    categories: str | None = None
    """The estimators' parameter for the positions of columns that hold codes of categories."""

    def space(self, task: Task) -> dict[str, BaseDistribution]:
        """Return the distributions to search, by the name of the pipeline's parameter."""
        space = self.regressor_space if task == "regression" else self.classifier_space
        found: dict[str, BaseDistribution] = {f"model__{name}": d for name, d in space.items()}
        if self.selections:
            found["select"] = CategoricalDistribution(self.selections)
        return found


def _log(low: float, high: float) -> FloatDistribution:
    return FloatDistribution(low, high, log=True)


def _log_int(low: int, high: int) -> IntDistribution:
    return IntDistribution(low, high, log=True)


_TREE_SPACE: Space = {
    "max_depth": IntDistribution(2, 16),
    "min_samples_leaf": _log_int(1, 64),
    "ccp_alpha": _log(1e-6, 1e-2),
}
_FOREST_SPACE: Space = {
    "max_features": FloatDistribution(0.1, 1.0),
    "min_samples_leaf": _log_int(1, 32),
}
_BOOSTING_SPACE: Space = {
    "learning_rate": _log(0.02, 0.3),
    "max_iter": _log_int(50, 400),
    "max_leaf_nodes": _log_int(4, 64),
    "min_samples_leaf": _log_int(3, 80),
    "l2_regularization": _log(1e-3, 30.0),
    "max_features": FloatDistribution(0.2, 1.0),
}
_MLP_SPACE: Space = {
    "alpha": _log(1e-5, 1.0),
    "learning_rate_init": _log(5e-4, 1e-2),
    "hidden_layer_sizes": CategoricalDistribution((32, 64, 128)),
}
_MLP = {
    "hidden_layer_sizes": 64,
    "alpha": 1e-2,
    "learning_rate_init": 3e-3,
    "early_stopping": True,
    "n_iter_no_change": 8,
    "max_iter": 200,
    "tol": 1e-3,
}
_BOOSTING = {"max_iter": 150, "learning_rate": 0.06, "max_leaf_nodes": 15, "max_features": 0.5}

MODELS: dict[str, Model] = {
    BASELINE: Model(
        classifier=DummyClassifier(strategy="prior"),
        regressor=DummyRegressor(strategy="mean"),
    ),
    "linear": Model(
        classifier=LogisticRegression(C=0.3, max_iter=2000),
        regressor=Ridge(alpha=1.0),
        scaled=True,
        selection="variance",
        selections=("variance", "mutual_information", "importance"),
        classifier_space={"C": _log(1e-3, 1e2)},
        regressor_space={"alpha": _log(1e-2, 1e4)},
    ),
    "tree": Model(
        classifier=DecisionTreeClassifier(max_depth=6, min_samples_leaf=10),
        regressor=DecisionTreeRegressor(max_depth=8, min_samples_leaf=10),
        classifier_space=_TREE_SPACE,
        regressor_space=_TREE_SPACE,
    ),
    "forest": Model(
        classifier=RandomForestClassifier(n_estimators=150, min_samples_leaf=3),
        regressor=RandomForestRegressor(n_estimators=100, min_samples_leaf=3, max_features=0.5),
        selections=("none", "importance"),
        classifier_space=_FOREST_SPACE,
        regressor_space=_FOREST_SPACE,
    ),
    "boosting": Model(
        classifier=HistGradientBoostingClassifier(early_stopping=False, **_BOOSTING),
        regressor=HistGradientBoostingRegressor(early_stopping=False, **_BOOSTING),
        classifier_space=_BOOSTING_SPACE,
        regressor_space=_BOOSTING_SPACE,
        categories="categorical_features",
    ),
    "mlp": Model(
        classifier=MLPClassifier(**_MLP),
        regressor=TransformedTargetRegressor(MLPRegressor(**_MLP), transformer=StandardScaler()),
        scaled=True,
        selection="variance",
        selections=("variance", "mutual_information", "importance"),
        classifier_space=_MLP_SPACE,
        regressor_space={f"regressor__{name}": d for name, d in _MLP_SPACE.items()},
    ),
}


def find(names: Iterable[str] | None, key: str) -> dict[str, Model]:
    """Return the named models, or all of them for None.

    Raises:
        InputError: a name is not in the catalogue; `key` is where the name was given.
    """
    if names is None:
        return MODELS
    for name in names:
        if name not in MODELS:
            close = difflib.get_close_matches(name, MODELS, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise InputError(
                f"params.yaml: {key}: {name!r} is not a model; {hint}Known: {', '.join(MODELS)}"
            )
    return {name: MODELS[name] for name in names}


def build(
    model: Model, contract: Contract, task: Task, seed: int, parameters: Mapping[str, Any] = {}
) -> Pipeline:
    """Return an unfitted pipeline: encode, select, model.

    Args:
        model: an entry of the catalogue.
        contract: names and types the columns that the pipeline will see.
        task: decides between the model's classifier and regressor.
        seed: seeds every random step.
        parameters: values for the names in `model.space(task)`.
    """
    columns = kinds(contract)
    estimator = clone(model.regressor if task == "regression" else model.classifier)
    if model.categories:
        positions = [i for i, kind in enumerate(columns.values()) if kind == "category"]
        estimator.set_params(**{model.categories: positions or None})
    values = dict(parameters)
    selection = SELECTIONS[values.pop("select", model.selection)](task, seed)
    pipeline = Pipeline(
        [
            ("encode", Encoder(columns, scaled=model.scaled, seed=seed)),
            ("select", selection),
            ("model", estimator),
        ]
    ).set_params(**values)
    seeded = {name: seed for name in pipeline.get_params() if name.endswith("random_state")}
    return pipeline.set_params(**seeded)
