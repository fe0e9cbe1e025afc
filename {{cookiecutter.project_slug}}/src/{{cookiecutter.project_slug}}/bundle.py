"""The deployable model: what is in it, how it is saved, loaded and scored.

A bundle is a folder:
    manifest.json   what it is, and the SHA-256 of every other file
    contract.json   the columns it takes
    model.skops     the fitted model, in a format that loads without running its code
    scorer.npz      the same model as plain numbers, if it has such a form
    golden.json     rows and the predictions that they must give
    reference.json  what the training rows looked like, to see drift by
    report.html     how good it is, and
    model_card.md   what it is for: both of a released model

Both forms of the model hold the SHA-256 of its contract. With a scorer, neither loading nor scoring
needs scikit-learn.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

import numpy as np

from . import files
from .combination import Region
from .contract import Contract
from .contract.cells import Cell, Cells, Values, columns_of_rows, of_rows, of_table
from .errors import InputError
from .features.encoding import with_engineered
from .predictions import Classes, Predictions, apart, decision
from .scorer import Scorer, storage

if TYPE_CHECKING:  # the server has neither pandas nor, as a rule, scikit-learn
    import pandas as pd

    from .ensemble import Ensemble

MODEL, CONTRACT, GOLDEN, MANIFEST = "model.skops", "contract.json", "golden.json", "manifest.json"
SCORER, REFERENCE = "scorer.npz", "reference.json"
DOCUMENTS = ("report.html", "model_card.md")
PARITY = 1e-9
"""How far two ways to score a row may be apart, relative to a prediction above 1."""


@dataclass(frozen=True)
class Bundle:
    """A fitted model with the contract of its columns and the facts about it."""

    folder: Path
    contract: Contract
    manifest: dict[str, Any]
    compiled: Scorer | None = None
    """The model as plain numbers, if it has such a form."""

    @cached_property
    def model(self) -> "Ensemble":
        """The fitted model, of scikit-learn.

        Raises:
            InputError: the file is broken, or holds types we do not trust.
        """
        from . import artefact

        return artefact.read(self.folder / MODEL)

    def require_model(self) -> None:
        """Check that the model of scikit-learn, too, gives the predictions of the golden rows.

        Raises:
            InputError: it does not, its file is broken, or it holds types we do not trust.
        """
        _require(self, self.model)

    @property
    def scorer(self) -> "Scorer | Ensemble":
        """What scores rows here: plain numbers, or scikit-learn."""
        return self.compiled or self.model

    @property
    def digest(self) -> str:
        """The beginning of the SHA-256 of the model, enough to tell it from others."""
        return str(self.manifest["files"][MODEL][:12])

    def score(self, rows: Sequence[tuple[Cell, ...]]) -> Predictions:
        """Score rows of cells in contract order, without pandas."""
        return self.score_columns(columns_of_rows(rows, self.contract))

    def score_table(self, table: "pd.DataFrame") -> Predictions:
        """Score a typed table; a row gets the same bits as from `score`."""
        return self.score_columns(of_table(table, self.contract.features))

    def score_columns(self, columns: Mapping[str, Cells]) -> Predictions:
        """Score cells by column."""
        scorer, classes = self.scorer, self.contract.classes
        if len(next(iter(columns.values()))):
            values = scorer.score_cells(with_engineered(columns))
        else:
            values = np.zeros((0, len(classes)) if classes else 0)
        return Predictions(values, classes, scorer.costs)

    def answers(self, rows: Sequence[Values]) -> list[dict[str, Any]]:
        """Return the prediction for each validated row as a client gets it."""
        columns = of_rows(rows, self.contract)
        if len(rows) == 1 and self.compiled:
            values = self.compiled.score_row(with_engineered(columns))
            return [describe_row(values, self.contract.classes, self.compiled)]
        return describe(self.score_columns(columns), self.scorer.region)


def describe(predictions: Predictions, region: Region) -> list[dict[str, Any]]:
    """Return predictions as JSON values.

    A label with the probabilities of all classes and the set of classes that holds the true one
    with the region's coverage; or a value with its interval.
    """
    values = predictions.values
    if predictions.classes is None:
        ends = region.interval(values).tolist()
        return [{"value": v, "interval": e} for v, e in zip(values.tolist(), ends, strict=True)]
    inside = region.members(values).tolist()
    return _described(predictions.classes, predictions.decisions.tolist(), values.tolist(), inside)


def describe_row(values: list[float], classes: Classes | None, scorer: Scorer) -> dict[str, Any]:
    """Return the prediction for one row, as `describe` does."""
    if classes is None:
        return {"value": values[0], "interval": scorer.region.interval_row(values[0])}
    inside = scorer.region.members_row(values)
    return _described(classes, [decision(values, scorer.costs)], [values], [inside])[0]


def _described(
    classes: Classes,
    decided: Sequence[int],
    values: Sequence[Sequence[float]],
    inside: Sequence[Sequence[bool]],
) -> list[dict[str, Any]]:
    names = _names(classes)
    return [
        {
            "label": classes[label],
            "probabilities": dict(zip(names, row, strict=True)),
            "set": [*compress(names, members)],
        }
        for label, row, members in zip(decided, values, inside, strict=True)
    ]


@cache
def _names(classes: Classes) -> list[str]:
    return [str(c).lower() if isinstance(c, bool) else c for c in classes]


def save(
    folder: Path,
    fitted: "Ensemble",
    contract: Contract,
    golden: Sequence[tuple[Cell, ...]],
    reference: Mapping[str, Any] | None = None,
    **facts: Any,
) -> Bundle:
    """Write a bundle, whole or not at all.

    The model is written as plain numbers too, if all its estimators have that form and it then
    gives the same predictions (`PARITY`) for the golden rows and for cells at which ways to score
    differ: missing, unknown, at the thresholds of trees.

    Args:
        folder: where; one that is there is replaced.
        fitted: the model, on columns of the contract.
        contract: of the columns.
        golden: rows to keep with their predictions, scored again at every load.
        reference: what `reference.describe` says of the training rows.
        facts: more keys for the manifest (JSON values).
    """
    from . import artefact
    from .scorer.parity import compiled

    libraries = ("mlflow", "numpy", "onnxruntime", "scikit-learn", "skops")
    with files.replacing(folder) as scratch:
        scratch.mkdir()
        (scratch / CONTRACT).write_text(contract.model_dump_json(indent=2), encoding="utf-8")
        fitted.contract = files.sha256(scratch / CONTRACT)
        scorer, why = compiled(fitted, golden, contract, PARITY)
        artefact.write(scratch / MODEL, fitted)
        if scorer:
            storage.save(scratch / SCORER, scorer)
        columns = with_engineered(columns_of_rows(golden, contract))
        values = (scorer or fitted).score_cells(columns).tolist()
        files.write_json(scratch / GOLDEN, {"rows": golden, "predictions": values})
        if reference:
            files.write_json(scratch / REFERENCE, reference)
        manifest = {
            **facts,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "libraries": {name: version(name) for name in libraries},
            "scorer": why or "compiled",
            "predictions": digest_of(values),
        }
        seal(scratch, manifest)
    return load(folder)


def digest_of(predictions: Sequence[Any]) -> str:
    """Return the SHA-256 of the golden rows' predictions, all their digits."""
    return sha256(json.dumps(predictions).encode()).hexdigest()


def seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a bundle's manifest with the digests of its files."""
    names = [
        n for n in (MODEL, SCORER, CONTRACT, GOLDEN, REFERENCE, *DOCUMENTS) if (folder / n).exists()
    ]
    digests = {name: files.sha256(folder / name) for name in names}
    files.write_json(folder / MANIFEST, {**manifest, "files": digests})


def load(folder: Path) -> Bundle:
    """Read a bundle and verify it: digests, types, and the predictions of its golden rows.

    Raises:
        InputError: the bundle is missing, incomplete, changed, or holds types we do not trust.
    """
    try:
        manifest = files.read_json(folder / MANIFEST)
        changed = [
            n for n, digest in manifest["files"].items() if files.sha256(folder / n) != digest
        ]
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: there is no model here; run `make run`") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / MANIFEST}: not a manifest ({error}); run `make run`") from None
    if changed or {MODEL, CONTRACT, GOLDEN} - set(manifest["files"]):
        raise InputError(
            f"{folder}: {', '.join(changed) or 'a file'} is not what manifest.json lists; "
            "the bundle is damaged or was tampered with. Release again with `make run`"
        )
    if not is_zipfile(folder / MODEL):
        raise InputError(f"{folder / MODEL}: not a model in skops format; run `make run`")
    contract = Contract.from_json((folder / CONTRACT).read_text(encoding="utf-8"))
    compiled = storage.load(folder / SCORER) if SCORER in manifest["files"] else None
    bundle = Bundle(folder.resolve(), contract, manifest, compiled)
    _require(bundle, bundle.scorer)
    return bundle


def _require(bundle: Bundle, scorer: "Scorer | Ensemble") -> None:
    folder, manifest, contract = bundle.folder, bundle.manifest, bundle.contract
    if scorer.contract != manifest["files"][CONTRACT]:
        raise InputError(
            f"{folder / CONTRACT}: not the contract that the model was trained with; release again "
            "with `make run`"
        )
    try:
        golden = files.read_json(folder / GOLDEN)
        rows, expected = [tuple(row) for row in golden["rows"]], golden["predictions"]
        if not rows:
            raise ValueError("no rows")
        columns = with_engineered(columns_of_rows(rows, contract))
        same = apart(scorer.score_cells(columns), np.array(expected)) <= PARITY
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(
            f"{folder / GOLDEN}: cannot be scored ({error!r}); run `make run`"
        ) from None
    if not same or digest_of(expected) != manifest.get("predictions"):
        raise InputError(
            f"{folder}: the model does not give the predictions it was released with; the "
            f"libraries here may differ from {manifest['libraries']}. Install requirements.lock"
        )


class _PyFunc:
    """A bundle as MLflow's generic model."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, table: Any, params: Any = None) -> list[dict[str, Any]]:
        """Score a table that MLflow hands over."""
        from .contract.table import check

        checked = check(table, self.bundle.contract, target=False)
        if len(checked.invalid):
            raise InputError("; ".join(checked.invalid["reason"]))
        return describe(self.bundle.score_table(checked.valid), self.bundle.scorer.region)


def _load_pyfunc(path: str) -> _PyFunc:
    return _PyFunc(load(Path(path)))
