"""The catalogue of families. To add one, write its block in `MODELS`; nothing else changes."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ..estimators.boosting import QuickBoostingClassifier, QuickBoostingRegressor
from ..estimators.coded import CodedClasses
from ..estimators.extra_boosting import ExtraBoostingClassifier, ExtraBoostingRegressor
from ..estimators.forest import (
    QuickExtraTreesClassifier,
    QuickExtraTreesRegressor,
    QuickForestClassifier,
    QuickForestRegressor,
)
from ..estimators.neighbors import FewNeighborsClassifier, FewNeighborsRegressor
from ..estimators.network import (
    CappedMLPClassifier,
    CappedMLPRegressor,
    CyclicMLPClassifier,
    CyclicMLPRegressor,
)
from ..estimators.residual_boosting import ResidualBoosting
from ..estimators.spline import Splines
from .family import Model

BASELINE = "dummy"


def _log(low: float, high: float) -> FloatDistribution:
    return FloatDistribution(low, high, log=True)


def _log_int(low: int, high: int) -> IntDistribution:
    return IntDistribution(low, high, log=True)


def _tree(estimator: Any, **values: Any) -> Any:
    return estimator(max_depth=8, min_samples_leaf=10, **values)


_TREE_SPACE = {
    "max_depth": IntDistribution(2, 16),
    "min_samples_leaf": _log_int(1, 64),
    "ccp_alpha": _log(1e-6, 1e-2),
}
_FOREST_SPACE = {
    "max_features": FloatDistribution(0.1, 1.0),
    "min_samples_leaf": _log_int(1, 32),
}
_FOREST_PORTFOLIO = (
    {"min_samples_leaf": 1, "max_features": 0.5},
    {"min_samples_leaf": 5, "max_features": 0.7},
    {"min_samples_leaf": 1, "max_features": 1.0},
)
_BOOSTING = {
    "learning_rate": 0.06,
    "max_leaf_nodes": 15,
    "max_features": 0.5,
    "l2_regularization": 1.0,
    "max_iter": 1000,  # at most: held-out rows say when to stop
    "n_iter_no_change": 20,
}
_BOOSTING_PORTFOLIO = (
    {"learning_rate": 0.06, "max_leaf_nodes": 40, "max_features": 0.4, "min_samples_leaf": 30},
    {"learning_rate": 0.05, "max_leaf_nodes": 8, "max_features": 0.3, "max_bins": 64},
    {"learning_rate": 0.03, "max_leaf_nodes": 24, "max_features": 0.3, "min_samples_leaf": 5},
    {"learning_rate": 0.08, "max_leaf_nodes": 4, "max_features": 0.4, "l2_regularization": 0.1},
    {"learning_rate": 0.04, "max_leaf_nodes": 80, "max_features": 0.3, "l2_regularization": 10.0},
)
_BOOSTING_SPACE = {
    "learning_rate": _log(0.02, 0.2),
    "max_leaf_nodes": _log_int(4, 96),
    "min_samples_leaf": _log_int(3, 80),
    "l2_regularization": _log(1e-3, 30.0),
    "max_features": FloatDistribution(0.2, 1.0),
    "max_bins": CategoricalDistribution((32, 64, 255)),
}
_EXTRA_BOOSTING = {
    "learning_rate": 0.05,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 3,
    "max_features": 0.7,
    "l2_regularization": 1.0,
    "max_iter": 1000,
    "n_iter_no_change": 30,
}
_EXTRA_BOOSTING_PORTFOLIO = (
    {"learning_rate": 0.06, "max_leaf_nodes": 15, "max_features": 0.5, "min_samples_leaf": 5},
    {"learning_rate": 0.04, "max_leaf_nodes": 80, "max_features": 1.0},
    {"max_leaf_nodes": 8, "max_features": 0.5, "min_samples_leaf": 10},
)
_EXTRA_BOOSTING_SPACE = {
    "learning_rate": _log(0.02, 0.2),
    "max_leaf_nodes": _log_int(4, 160),
    "min_samples_leaf": _log_int(1, 40),
    "l2_regularization": _log(1e-3, 30.0),
    "max_features": FloatDistribution(0.2, 1.0),
}
_MLP_CLASSIFIER_PORTFOLIO = (
    {"units": 128, "depth": 3, "dropout": 0.15},
    {"units": 256, "depth": 3, "dropout": 0.3},
    {"units": 128, "depth": 3, "dropout": 0.15, "learning_rate_init": 0.02},
)
_MLP_REGRESSOR_PORTFOLIO = (
    {"units": 128, "depth": 3},
    {"units": 128, "depth": 3, "learning_rate_init": 0.03},
    {"units": 256, "depth": 3},
)
_MLP_SPACE = {
    "units": CategoricalDistribution((32, 64, 128, 256)),
    "depth": IntDistribution(1, 3),
    "dropout": FloatDistribution(0.0, 0.4),
    "learning_rate_init": _log(5e-3, 0.2),
}
# On small tables better than small steps, by 1 to 10 % of the metric on nine public ones.
_MLP_LBFGS = {
    "hidden_layer_sizes": 64,
    "alpha": 10.0,
    "solver": "lbfgs",
    "max_iter": 200,
}
_MLP_LBFGS_PORTFOLIO = (
    {"alpha": 3.0},
    {"alpha": 30.0},
    {"alpha": 1.0, "hidden_layer_sizes": 32},
)
_MLP_LBFGS_SPACE = {
    "alpha": _log(0.3, 100.0),
    "hidden_layer_sizes": CategoricalDistribution((32, 64, 128)),
}
# Of many columns scikit-learn would take a product of matrices, whose last bits, and with them who
# is at no distance, depend on the other rows of the table.
_NEIGHBORS = {"weights": "distance", "algorithm": "kd_tree"}
_SELECTIONS = ("variance", "mutual_information", "importance")


def _inside(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    """Name the parameters of an estimator inside another."""
    return {f"{prefix}__{name}": value for name, value in values.items()}


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
        selections=_SELECTIONS,
        classifier_portfolio=({"C": 0.03}, {"C": 3.0}, {"C": 0.3, "select": "importance"}),
        regressor_portfolio=({"alpha": 30.0}, {"alpha": 300.0}, {"alpha": 0.1}),
        classifier_space={"C": _log(1e-3, 1e2)},
        regressor_space={"alpha": _log(1e-2, 1e4)},
    ),
    # Additive: a smooth curve for each number.
    "spline": Model(
        classifier=make_pipeline(Splines(), LogisticRegression(C=0.1, max_iter=3000)),
        regressor=make_pipeline(Splines(), Ridge(alpha=3.0)),
        scaled=True,
        selection="variance",
        most_rows=50_000,
        classifier_portfolio=({"logisticregression__C": 0.01}, {"logisticregression__C": 1.0}),
        regressor_portfolio=({"ridge__alpha": 30.0}, {"ridge__alpha": 0.3}),
        classifier_space={
            "logisticregression__C": _log(1e-3, 10.0),
            "splines__knots": IntDistribution(2, 12),
        },
        regressor_space={
            "ridge__alpha": _log(1e-2, 1e3),
            "splines__knots": IntDistribution(2, 12),
        },
    ),
    "naive_bayes": Model(
        classifier=GaussianNB(var_smoothing=1e-2),
        scaled=True,
        selection="variance",
        classifier_portfolio=({"var_smoothing": 0.3},),
        classifier_space={"var_smoothing": _log(1e-6, 10.0)},
    ),
    "neighbors": Model(
        classifier=FewNeighborsClassifier(20, **_NEIGHBORS),
        regressor=FewNeighborsRegressor(12, **_NEIGHBORS),
        scaled=True,
        selection="variance",
        selections=_SELECTIONS,
        most_rows=20_000,
        classifier_portfolio=({"n_neighbors": 40, "select": "importance"},),
        regressor_portfolio=({"n_neighbors": 12, "select": "importance"},),
        classifier_space={"n_neighbors": _log_int(3, 100)},
        regressor_space={"n_neighbors": _log_int(3, 100)},
    ),
    "svm": Model(
        classifier=CalibratedClassifierCV(SVC(C=1.0), ensemble=False, cv=3),
        regressor=TransformedTargetRegressor(SVR(C=1.0), transformer=StandardScaler()),
        scaled=True,
        selection="variance",
        most_rows=3_000,
        classifier_portfolio=({"estimator__C": 5.0}, {"estimator__C": 0.3}),
        regressor_portfolio=({"regressor__C": 10.0}, {"regressor__C": 0.3}),
        classifier_space={"estimator__C": _log(0.05, 50.0), "estimator__gamma": _log(1e-4, 1.0)},
        regressor_space={"regressor__C": _log(0.05, 50.0), "regressor__gamma": _log(1e-4, 1.0)},
    ),
    "tree": Model(
        classifier=_tree(DecisionTreeClassifier),
        regressor=_tree(DecisionTreeRegressor),
        classifier_portfolio=({"max_depth": 5}, {"max_depth": 12, "min_samples_leaf": 20}),
        regressor_portfolio=({"max_depth": 5}, {"max_depth": 12, "min_samples_leaf": 20}),
        classifier_space=_TREE_SPACE,
        regressor_space=_TREE_SPACE,
    ),
    "forest": Model(
        classifier=QuickForestClassifier(100, min_samples_leaf=3),
        regressor=QuickForestRegressor(100, min_samples_leaf=3, max_features=0.5),
        classifier_portfolio=_FOREST_PORTFOLIO,
        regressor_portfolio=_FOREST_PORTFOLIO,
        classifier_space=_FOREST_SPACE,
        regressor_space=_FOREST_SPACE,
    ),
    "extra_trees": Model(
        classifier=QuickExtraTreesClassifier(100, min_samples_leaf=2),
        regressor=QuickExtraTreesRegressor(100, min_samples_leaf=2, max_features=0.7),
        classifier_portfolio=_FOREST_PORTFOLIO,
        regressor_portfolio=_FOREST_PORTFOLIO,
        classifier_space=_FOREST_SPACE,
        regressor_space=_FOREST_SPACE,
    ),
    "boosting": Model(
        classifier=QuickBoostingClassifier(early_stopping=False, tol=1e-4, **_BOOSTING),
        regressor=QuickBoostingRegressor(early_stopping=False, **_BOOSTING),
        classifier_portfolio=_BOOSTING_PORTFOLIO,
        regressor_portfolio=_BOOSTING_PORTFOLIO,
        classifier_space=_BOOSTING_SPACE,
        regressor_space=_BOOSTING_SPACE,
        categories="categorical_features",
        rounds="max_iter",
        hurried={"learning_rate": 0.2},
    ),
    # A smooth curve for each number, and trees for what the columns do together.
    "residual_boosting": Model(
        regressor=ResidualBoosting(
            make_pipeline(Splines(), Ridge(alpha=3.0)),
            QuickBoostingRegressor(early_stopping=False, **_BOOSTING),
        ),
        scaled=True,
        selection="variance",
        most_rows=50_000,
        regressor_portfolio=tuple(_inside("boosting", one) for one in _BOOSTING_PORTFOLIO),
        regressor_space={
            **_inside("boosting", _BOOSTING_SPACE),
            "linear__ridge__alpha": _log(1e-2, 1e3),
        },
        rounds="boosting__max_iter",
        hurried={"boosting__learning_rate": 0.2},
    ),
    # Thresholds that are drawn, not searched for.
    "extra_boosting": Model(
        classifier=ExtraBoostingClassifier(**_EXTRA_BOOSTING),
        regressor=ExtraBoostingRegressor(**_EXTRA_BOOSTING),
        classifier_portfolio=_EXTRA_BOOSTING_PORTFOLIO,
        regressor_portfolio=_EXTRA_BOOSTING_PORTFOLIO,
        classifier_space=_EXTRA_BOOSTING_SPACE,
        regressor_space=_EXTRA_BOOSTING_SPACE,
        rounds="max_iter",
        hurried={"learning_rate": 0.2},
    ),
    "mlp": Model(
        classifier=CyclicMLPClassifier(),
        regressor=CyclicMLPRegressor(),
        scaled=True,
        selection="variance",
        selections=_SELECTIONS,
        classifier_portfolio=_MLP_CLASSIFIER_PORTFOLIO,
        regressor_portfolio=_MLP_REGRESSOR_PORTFOLIO,
        classifier_space=_MLP_SPACE,
        regressor_space=_MLP_SPACE,
        rounds="max_iter",
    ),
    # All rows at once instead of some at a time.
    "mlp_lbfgs": Model(
        classifier=CappedMLPClassifier(**_MLP_LBFGS),
        regressor=TransformedTargetRegressor(
            CappedMLPRegressor(**_MLP_LBFGS), transformer=StandardScaler()
        ),
        scaled=True,
        selection="variance",
        selections=_SELECTIONS,
        most_rows=20_000,
        classifier_portfolio=_MLP_LBFGS_PORTFOLIO,
        regressor_portfolio=tuple(_inside("regressor", one) for one in _MLP_LBFGS_PORTFOLIO),
        classifier_space=_MLP_LBFGS_SPACE,
        regressor_space=_inside("regressor", _MLP_LBFGS_SPACE),
    ),
}

# The extras [lightgbm] and [xgboost] of pyproject.toml: families of the catalogue when installed.

if find_spec("lightgbm"):
    _lightgbm = import_module("lightgbm")
    _LEAVES = {
        "n_estimators": 300,
        "learning_rate": 0.04,
        "num_leaves": 15,
        "colsample_bytree": 0.5,
        "subsample": 0.8,
        "subsample_freq": 1,
        "n_jobs": 1,
        "verbose": -1,
    }
    _LEAVES_PORTFOLIO = ({"num_leaves": 6}, {"num_leaves": 40, "min_child_samples": 30})
    _LEAVES_SPACE = {
        "n_estimators": _log_int(50, 800),
        "learning_rate": _log(0.01, 0.2),
        "num_leaves": _log_int(4, 96),
        "min_child_samples": _log_int(3, 80),
    }
    MODELS["lightgbm"] = Model(
        classifier=_lightgbm.LGBMClassifier(**_LEAVES),
        regressor=_lightgbm.LGBMRegressor(**_LEAVES),
        classifier_portfolio=_LEAVES_PORTFOLIO,
        regressor_portfolio=_LEAVES_PORTFOLIO,
        classifier_space=_LEAVES_SPACE,
        regressor_space=_LEAVES_SPACE,
    )

if find_spec("xgboost"):
    _xgboost = import_module("xgboost")
    _DEPTH = {
        "n_estimators": 300,
        "learning_rate": 0.04,
        "max_depth": 5,
        "colsample_bytree": 0.5,
        "subsample": 0.8,
        "n_jobs": 1,
    }
    _DEPTH_PORTFOLIO = ({"max_depth": 3}, {"max_depth": 8, "min_child_weight": 10})
    _DEPTH_SPACE = {
        "n_estimators": _log_int(50, 800),
        "learning_rate": _log(0.01, 0.2),
        "max_depth": IntDistribution(2, 10),
        "min_child_weight": _log(0.5, 50.0),
    }
    MODELS["xgboost"] = Model(
        classifier=CodedClasses(_xgboost.XGBClassifier(**_DEPTH)),
        regressor=_xgboost.XGBRegressor(**_DEPTH),
        classifier_portfolio=tuple(_inside("classifier", one) for one in _DEPTH_PORTFOLIO),
        regressor_portfolio=_DEPTH_PORTFOLIO,
        classifier_space=_inside("classifier", _DEPTH_SPACE),
        regressor_space=_DEPTH_SPACE,
    )
