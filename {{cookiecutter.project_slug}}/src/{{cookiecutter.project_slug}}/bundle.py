"""The deployable model: what is in it, how it is saved, loaded and scored.

A bundle is a folder:
    manifest.json   what it is, and the SHA-256 of every other file
    contract.json   the columns it takes
    model.skops     the fitted model, in a format that loads without running its code
    golden.json     rows and the predictions that they must give
"""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import skops.io
from pydantic import BaseModel

from . import ensemble, files
from .contract import Contract
from .contract.cells import Cell, columns_of_rows, of_row
from .ensemble import Ensemble, Region
from .errors import InputError
from .features import encoder, encoding
from .metrics import Predictions, predict

MODEL, CONTRACT, GOLDEN, MANIFEST = "model.skops", "contract.json", "golden.json", "manifest.json"

# The types that a bundle may contain beside those that skops trusts. Never taken from the file.
# (The function of a partial must be in the list too.)
TRUSTED = [
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    f"{__package__}.features.selection.Important",
    f"{__package__}.features.selection.Varying",
    *(
        f"{__package__}.estimators.{module}.Quick{kind}{task}"
        for module, kind in (
            ("boosting", "Boosting"),
            ("forest", "ExtraTrees"),
            ("forest", "Forest"),
        )
        for task in ("Classifier", "Regressor")
    ),
    f"{__package__}.estimators.coded.CodedClasses",
    f"{__package__}.estimators.spline.Splines",
    f"{__package__}.estimators.target.LogTarget",
    "functools.partial",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
    *(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in (
            ensemble.Combination,
            ensemble.Ensemble,
            ensemble.Region,
            encoder.Encoder,
            encoding.Number,
            encoding.ScaledNumber,
            encoding.Level,
            encoding.Moment,
            encoding.Text,
        )
    ),
]


@dataclass(frozen=True)
class Bundle:
    """A fitted model with the contract of its columns and the facts about it."""

    model: Ensemble
    contract: Contract
    manifest: dict[str, Any]

    @property
    def digest(self) -> str:
        """The beginning of the SHA-256 of the model, enough to tell it from others."""
        return str(self.manifest["files"][MODEL][:12])

    def score(self, rows: Sequence[tuple[Cell, ...]]) -> Predictions:
        """Score rows of cells in contract order, without pandas.

        Gives what the pipeline gives for the same rows as a table.
        """
        columns = encoder.with_engineered(columns_of_rows(rows, self.contract))
        return Predictions(self.model.score_cells(columns), self.contract.classes, self.model.costs)

    def answers(self, rows: Sequence[BaseModel]) -> list[dict[str, Any]]:
        """Return the prediction for each validated row as a client gets it."""
        return describe(self.score([of_row(row) for row in rows]), self.model.region)


def describe(predictions: Predictions, region: Region) -> list[dict[str, Any]]:
    """Return predictions as JSON values.

    A label with the probabilities of all classes and the set of classes that holds the true one
    with the region's coverage; or a value with its interval.
    """
    values = predictions.values
    if predictions.classes is None:
        ends = region.interval(values).tolist()
        return [{"value": v, "interval": e} for v, e in zip(values.tolist(), ends, strict=True)]
    names = [str(c).lower() if isinstance(c, bool) else c for c in predictions.classes]
    return [
        {
            "label": label,
            "probabilities": dict(zip(names, row, strict=True)),
            "set": [name for name, inside in zip(names, members, strict=True) if inside],
        }
        for label, row, members in zip(
            predictions.labels.tolist(),
            values.tolist(),
            region.members(values).tolist(),
            strict=True,
        )
    ]


def save(
    folder: Path,
    fitted: Ensemble,
    contract: Contract,
    golden: Sequence[tuple[Cell, ...]],
    **facts: Any,
) -> Bundle:
    """Write a bundle, whole or not at all.

    Args:
        folder: where; one that is there is replaced.
        fitted: the model, on columns of the contract.
        contract: of the columns.
        golden: rows to keep with their predictions, scored again at every load.
        facts: more keys for the manifest (JSON values).
    """
    libraries = ("numpy", "scikit-learn", "skops")
    manifest = {
        **facts,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in libraries},
    }
    predictions = Bundle(fitted, contract, manifest).score(golden)
    with files.replacing(folder) as scratch:
        scratch.mkdir()
        skops.io.dump(fitted, scratch / MODEL, compression=ZIP_DEFLATED)
        (scratch / CONTRACT).write_text(contract.model_dump_json(indent=2), encoding="utf-8")
        files.write_json(
            scratch / GOLDEN, {"rows": golden, "predictions": predictions.values.tolist()}
        )
        seal(scratch, manifest)
    return load(folder)


def seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a bundle's manifest with the digests of its files."""
    digests = {name: files.sha256(folder / name) for name in (MODEL, CONTRACT, GOLDEN)}
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
    contract = Contract.from_json((folder / CONTRACT).read_text(encoding="utf-8"))
    bundle = Bundle(_read_model(folder / MODEL), contract, manifest)
    golden = files.read_json(folder / GOLDEN)
    found = bundle.score([tuple(row) for row in golden["rows"]]).values
    if not np.allclose(found, golden["predictions"], rtol=0, atol=1e-9):
        raise InputError(
            f"{folder}: the model does not give the predictions it was released with; the "
            f"libraries here may differ from {manifest['libraries']}. Install requirements.lock"
        )
    return bundle


def _read_model(path: Path) -> Ensemble:
    try:
        unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
        if unknown:
            raise InputError(
                f"{path}: holds types that are not trusted: {', '.join(sorted(unknown))}; add a "
                "type to TRUSTED in bundle.py only if you know its code"
            )
        model = skops.io.load(path, trusted=TRUSTED)
    except InputError:
        raise
    except Exception as error:  # skops raises what the broken file makes it stumble over
        raise InputError(f"{path}: not a model in skops format ({error})") from error
    if not isinstance(model, Ensemble):
        raise InputError(f"{path}: holds a {type(model).__name__}, not an Ensemble")
    return model


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
        contract = self.bundle.contract
        return describe(
            predict(self.bundle.model, checked.valid, contract.classes), self.bundle.model.region
        )


def _load_pyfunc(path: str) -> _PyFunc:
    return _PyFunc(load(Path(path)))
