"""params.yaml as frozen, strict Python values."""

import difflib
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from . import files
from .errors import InputError

Task = Literal["binary", "multiclass", "regression"]
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class Section(BaseModel):
    """A part of a configuration file: frozen, strict, and no key too many."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Collect(Section):
    """Where the table comes from."""

    source: str = Field(min_length=1)
    max_shrink: float = Field(ge=0, le=1)


class Preprocess(Section):
    """How rows are checked and split."""

    test_size: float = Field(gt=0, lt=1)
    max_invalid: float = Field(ge=0, le=1)
    duplicates: Literal["remove", "keep"] = "remove"
    """All but one of the rows that are equal in every column, or none."""


class Train(Section):
    """What is compared on the leaderboard."""

    folds: int = Field(ge=2)
    models: Names | None = None
    """None for all of them."""


class Tune(Section):
    """How long hyperparameters are searched, and which model is taken in the end."""

    models: int = Field(ge=1)
    seconds: float | None = Field(default=None, gt=0)
    clock: Literal["wall", "cpu"] = "wall"
    trials: int | None = Field(default=None, ge=1)
    prefer: Literal["accuracy", "balanced", "speed"]
    max_milliseconds: float = Field(gt=0)
    max_megabytes: float = Field(gt=0)
    coverage: float = Field(gt=0.5, lt=1)
    costs: dict[str, dict[str, float]] | None = None

    @model_validator(mode="after")
    def _ends(self) -> "Tune":
        if self.seconds is None and self.trials is None:
            raise ValueError("needs seconds or trials, so that the search ends")
        return self


class Evaluate(Section):
    """How intervals on the test rows are computed, and what the behavioural tests ask for."""

    resamples: int = Field(ge=100)
    confidence: float = Field(gt=0.5, lt=1)
    max_flips: float = Field(ge=0, le=1)
    directions: dict[str, Literal["up", "down"]] = Field(default_factory=dict)


class Release(Section):
    """The limits of the gate."""

    min_metric: float | None = None
    min_gain: float = Field(ge=0)
    max_loss_to_champion: float = Field(gt=0)
    max_column_score: float = Field(gt=0, le=1)
    max_calibration_error: float = Field(ge=0, le=1)
    max_slice_gap: float = Field(ge=0)
    max_group_gap: float = Field(ge=0)
    max_milliseconds: float = Field(gt=0)
    max_megabytes: float = Field(gt=0)


class Compute(Section):
    """Where fits run, and how many at once; -1 is one for each core."""

    backend: Literal["processes", "dask", "ray", "spark"]
    workers: Literal[-1] | Annotated[int, Field(ge=1)]
    address: str | None = None
    """Of the cluster; None makes one on this machine."""


class Params(Section):
    """All of params.yaml."""

    seed: int = Field(ge=0)
    task: Task
    metric: str
    collect: Collect
    preprocess: Preprocess
    train: Train
    tune: Tune
    evaluate: Evaluate
    release: Release
    compute: Compute

    @classmethod
    def load(cls, path: Path = files.PARAMS) -> "Params":
        """Read and check params.yaml.

        Raises:
            InputError: the file is missing or malformed, or a key is missing, unknown or wrong.
        """
        return read_yaml(path, cls)


Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """Read a YAML file (version 1.2) into a pydantic model.

    Raises:
        InputError: naming the file, the key, the value and the remedy.
    """
    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: the file is not there; run the command in the project's root, "
            f"or restore the file with `git checkout {path}`"
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a valid YAML file: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected keys with values, found {type(data).__name__}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError("\n".join(explain(path, model, e) for e in error.errors())) from None


def explain(path: Path, model: type[BaseModel], error: ErrorDetails) -> str:
    """Say in one line what is wrong at a key, and what to do about it."""
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "missing":
        return f"{path}: {key} is missing; add it"
    if error["type"] == "extra_forbidden":
        known = known_keys(model, error["loc"][:-1])
        close = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        return f"{path}: {key} is unknown; {hint}Known here: {', '.join(known)}"
    message = error["msg"].removeprefix("Value error, ")
    value = "" if isinstance(error["input"], dict) else f" ({error['input']!r} was given)"
    return f"{path}: {key}: {message[0].lower()}{message[1:]}{value}"


def known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that a model allows at a location inside it."""
    parts = iter(location)
    for part in parts:
        annotation = model.model_fields[str(part)].annotation
        if get_origin(annotation) is dict:  # from names to models: a name comes next
            next(parts, None)
            annotation = get_args(annotation)[1]
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)
