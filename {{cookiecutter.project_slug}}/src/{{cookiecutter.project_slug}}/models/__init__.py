"""The families of models, and unfitted pipelines made of them."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ..config import Task
from ..contract import Contract
from ..errors import InputError
from ..estimators.target import LogTarget, is_skewed
from ..features.encoder import Encoder, kinds
from ..features.selection import SELECTIONS
from .catalogue import BASELINE, MODELS
from .family import Model

__all__ = ["BASELINE", "MODELS", "Model", "build", "find", "is_skewed"]


def find(names: Iterable[str] | None, task: Task, rows: int = 0) -> dict[str, Model]:
    """Return the families that suit a task and a number of training rows.

    Args:
        names: those of `train.models`, which are taken whatever they cost; None for all that suit.
        task: binary, multiclass or regression.
        rows: the number of training rows.

    Raises:
        InputError: a name is not in the catalogue, or its family is not for the task.
    """
    if names is None:
        return {name: model for name, model in MODELS.items() if model.suits(task, rows)}
    fit = [name for name, model in MODELS.items() if model.suits(task, 0)]
    for name in names:
        if name not in fit:
            close = difflib.get_close_matches(name, fit, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise InputError(
                f"params.yaml: train.models: {name!r} is not a model for task {task}; {hint}"
                f"Known: {', '.join(fit)}"
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
        parameters: values for the names in `model.space(task)` and `model.portfolio(task)`.
    """
    columns = kinds(contract)
    values = dict(parameters)
    estimator = clone(model.estimator(task))
    if model.categories:
        positions = [i for i, kind in enumerate(columns.values()) if kind == "category"]
        estimator.set_params(**{model.categories: positions or None})
    estimator.set_params(
        **{name.removeprefix("model__"): values.pop(name) for name in list(values) if "__" in name}
    )
    if values.pop("target", "as it is") == "logarithm":
        estimator = LogTarget(estimator)
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
