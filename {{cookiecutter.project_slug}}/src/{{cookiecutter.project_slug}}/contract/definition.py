"""contract.yaml as frozen, strict Python values."""

import difflib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from .. import files
from ..config import Section, Task, read_yaml
from ..errors import InputError

Type = Literal["integer", "number", "boolean", "category", "text", "datetime"]
Role = Literal["feature", "target", "id", "group", "time", "ignore"]
Texts = Annotated[tuple[str, ...], Field(strict=False)]

MODELLED: tuple[Role, ...] = ("feature", "time")  # the roles whose columns a model sees


class Column(Section):
    """What the cells of one column may be."""

    type: Type
    role: Role = "feature"
    sensitive: bool = False
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    levels: Texts | None = None
    allow_unknown: bool = False
    missing: Texts = ()
    """Cell texts that mean "no value" in this column, beside those of the contract."""
    decimal: Literal[".", ","] = "."
    """The decimal mark of numbers that are written as text."""
    unit: str = ""
    """What numbers that are written as text may end with."""
    format: str | None = None
    """How moments are written (strptime); without it ISO 8601. Requests are always ISO 8601."""
    positive: str | None = None
    description: str = ""

    @model_validator(mode="after")
    def _is_consistent(self) -> "Column":
        if self.type not in ("integer", "number") and (self.minimum, self.maximum) != (None, None):
            raise ValueError(f"minimum and maximum are for numbers, not for type {self.type}")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        if self.type != "datetime" and self.format is not None:
            raise ValueError(f"format is for type datetime, not {self.type}")
        if self.type not in ("integer", "number") and (self.decimal, self.unit) != (".", ""):
            raise ValueError(f"decimal and unit are for numbers, not for type {self.type}")
        if self.type != "category" and (self.levels is not None or self.allow_unknown):
            raise ValueError(f"levels and allow_unknown are for type category, not {self.type}")
        if self.levels is not None and len(set(self.levels)) < len(self.levels):
            raise ValueError("levels must differ from each other")
        if self.positive is not None and (self.role != "target" or self.levels is None):
            raise ValueError("positive is for a target with levels")
        if self.positive is not None and self.positive not in (self.levels or ()):
            raise ValueError(f"positive {self.positive!r} is not one of the levels")
        if self.role == "time" and self.type != "datetime":
            raise ValueError(f"a column of role time must be of type datetime, not {self.type}")
        if self.role in ("time", "group") and self.nullable:
            raise ValueError(f"a column of role {self.role} cannot be nullable")
        if self.role == "target" and self.type in ("text", "datetime"):
            raise ValueError(f"a target cannot be of type {self.type}")
        if self.role == "target" and self.type == "category" and len(self.levels or ()) < 2:
            raise ValueError("a target of type category needs two or more levels")
        return self


class Contract(Section):
    """What a row is: its columns by name, and the cell texts that mean "no value"."""

    missing: Texts = ("",)
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _has_its_roles(self) -> "Contract":
        targets = self.names("target")
        if len(targets) != 1:
            raise ValueError(
                f"exactly one column must have role target, found {len(targets)} {targets}"
            )
        for role in ("group", "time"):
            if len(self.names(role)) > 1:
                raise ValueError(f"at most one column may have role {role}: {self.names(role)}")
        if not self.features:
            raise ValueError("no column has role feature; a model needs at least one")
        return self

    @model_validator(mode="after")
    def _has_levels_that_occur(self) -> "Contract":
        for name, column in self.columns.items():
            for level in column.levels or ():
                if level != level.strip():
                    raise ValueError(f"columns.{name}: level {level!r} has blanks; cells lose them")
                if level in self.missing:
                    raise ValueError(
                        f"columns.{name}: {level!r} is a level and in missing; "
                        "take it out of levels or out of missing"
                    )
        return self

    @classmethod
    def load(cls, path: Path = files.CONTRACT) -> "Contract":
        """Read and check contract.yaml.

        Raises:
            InputError: the file is missing or malformed, or a key is missing, unknown or wrong.
        """
        return read_yaml(path, cls)

    @classmethod
    def from_json(cls, text: str) -> "Contract":
        """Read a contract from JSON, as a bundle holds it.

        Raises:
            InputError: the text is not a valid contract.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError(f"not a valid contract: {error}") from None

    def require(self, task: Task) -> None:
        """Check that the target suits the task.

        Raises:
            InputError: it does not.
        """
        if task != self.task:
            found = f"has {len(self.classes)} classes" if self.classes else "is a number"
            raise InputError(
                f"params.yaml: task is {task}, but the target {self.target} of contract.yaml "
                f"{found}; set task: {self.task}, or change the target's type or levels"
            )

    def names(self, *roles: Role) -> list[str]:
        """Return the names of the columns that have one of the roles, in order."""
        return [name for name, column in self.columns.items() if column.role in roles]

    def name(self, role: Role) -> str | None:
        """Return the name of the one column that has the role, or None."""
        return next(iter(self.names(role)), None)

    @cached_property
    def target(self) -> str:
        """The name of the column to predict."""
        return self.names("target")[0]

    @cached_property
    def features(self) -> dict[str, Column]:
        """The columns that a model sees, by name."""
        return {name: self.columns[name] for name in self.names(*MODELLED)}

    @property
    def kept(self) -> dict[str, Column]:
        """The columns that training and evaluation read, by name: all but the ignored ones."""
        return {n: c for n, c in self.columns.items() if c.role != "ignore" or c.sensitive}

    @cached_property
    def moments(self) -> list[str]:
        """The features that are of type datetime."""
        return [name for name, column in self.features.items() if column.type == "datetime"]

    @cached_property
    def classes(self) -> tuple[str, ...] | tuple[bool, ...] | None:
        """The classes of the target, the positive one last; None when it is a number."""
        column = self.columns[self.target]
        if column.type == "boolean":
            return (False, True)
        if column.levels is None:
            return None
        return tuple(sorted(column.levels, key=lambda level: level == column.positive))

    @property
    def task(self) -> Task:
        """What there is to predict, by the target."""
        if self.classes is None:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"


def require_columns(names: Iterable[str], found: Iterable[Any]) -> None:
    """Check that a table has columns.

    Raises:
        InputError: some are missing.
    """
    present = [str(name) for name in found]
    missing = [name for name in names if name not in present]
    if missing:
        close = {m: difflib.get_close_matches(m, present, n=1) for m in missing}
        shown = ", ".join(f"{m} (did you mean {c[0]}?)" if c else m for m, c in close.items())
        raise InputError(
            f"the table lacks columns of contract.yaml: {shown}; "
            f"it has {', '.join(present)}. Rename them in the table or mend the contract"
        )
