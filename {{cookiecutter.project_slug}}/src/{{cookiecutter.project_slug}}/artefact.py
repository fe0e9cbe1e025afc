"""The fitted model as a file in skops format, which loads without running code from the file."""

from pathlib import Path
from zipfile import ZIP_DEFLATED

import skops.io

from . import combination, ensemble
from .ensemble import Ensemble
from .errors import InputError
from .features import encoder, encoding

# The types that a bundle may contain beside those that skops trusts. Never taken from the file.
# (The function of a partial must be in the list too.)
TRUSTED = [
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    f"{__package__}.features.selection.Important",
    f"{__package__}.features.selection.Varying",
    *(
        f"{__package__}.estimators.{module}.{kind}{task}"
        for module, kind in (
            ("boosting", "QuickBoosting"),
            ("extra_boosting", "ExtraBoosting"),
            ("forest", "QuickExtraTrees"),
            ("forest", "QuickForest"),
            ("neighbors", "FewNeighbors"),
            ("network", "CappedMLP"),
            ("network", "CyclicMLP"),
        )
        for task in ("Classifier", "Regressor")
    ),
    f"{__package__}.estimators.coded.CodedClasses",
    f"{__package__}.estimators.residual_boosting.ResidualBoosting",
    f"{__package__}.estimators.spline.Splines",
    f"{__package__}.estimators.target.LogTarget",
    "functools.partial",
    "numpy.dtype",
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
            combination.Combination,
            ensemble.Ensemble,
            combination.Region,
            encoder.Encoder,
            encoding.Number,
            encoding.ScaledNumber,
            encoding.Level,
            encoding.Moment,
            encoding.Text,
        )
    ),
]


def write(path: Path, model: Ensemble) -> None:
    """Write a fitted model."""
    skops.io.dump(model, path, compression=ZIP_DEFLATED)


def read(path: Path) -> Ensemble:
    """Read a fitted model.

    Raises:
        InputError: the file is broken, or holds types that are not in `TRUSTED`.
    """
    try:
        unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
        if unknown:
            raise InputError(
                f"{path}: holds types that are not trusted: {', '.join(sorted(unknown))}; add a "
                "type to TRUSTED in artefact.py only if you know its code"
            )
        model = skops.io.load(path, trusted=TRUSTED)
    except InputError:
        raise
    except Exception as error:  # skops raises what the broken file makes it stumble over
        raise InputError(f"{path}: not a model in skops format ({error})") from error
    if not isinstance(model, Ensemble):
        raise InputError(f"{path}: holds a {type(model).__name__}, not an Ensemble")
    return model
