import json

import made_up
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from {{cookiecutter.project_slug}} import metrics, models, predictions

RNG = np.random.default_rng(0)
CLASSES = {"binary": ("b", "a"), "multiclass": ("c", "a", "b")}


def guesses(task, size=300):
    """Return outcomes and predictions that are somewhat right."""
    if task == "regression":
        y = RNG.normal(size=size)
        return y, predictions.Predictions(y + RNG.normal(size=size))
    classes = CLASSES[task]
    codes = RNG.integers(0, len(classes), size)
    values = RNG.dirichlet(np.ones(len(classes)), size) + 0.5 * np.eye(len(classes))[codes]
    values /= values.sum(axis=1, keepdims=True)
    return np.array(classes)[codes], predictions.Predictions(values, classes)


EXPECTED = {
    "roc_auc": lambda y, p: sk.roc_auc_score(y == "a", p.values[:, 1]),
    "average_precision": lambda y, p: sk.average_precision_score(y == "a", p.values[:, 1]),
    "brier": lambda y, p: sk.brier_score_loss(y == "a", p.values[:, 1]),
    "log_loss": lambda y, p: sk.log_loss(
        y, p.values[:, np.argsort(p.classes)], labels=sorted(p.classes)
    ),
    "accuracy": lambda y, p: (y == p.labels).mean(),
    "f1_macro": lambda y, p: sk.f1_score(y, p.labels, average="macro"),
    "rmse": lambda y, p: np.sqrt(((y - p.values) ** 2).mean()),
    "mae": lambda y, p: np.abs(y - p.values).mean(),
    "r2": lambda y, p: sk.r2_score(y, p.values),
}


@pytest.mark.parametrize(
    ("name", "task"),
    [(name, task) for name in metrics.METRICS for task in metrics.METRICS[name].tasks],
)
def test_a_metric_is_what_scikit_learn_computes(name, task):
    y, predictions = guesses(task)
    found = metrics.find(name, task)(y, predictions)
    assert found == pytest.approx(EXPECTED[name](y, predictions), rel=1e-12)


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_better_predictions_have_a_gain_in_every_metric(task):
    y, good = guesses(task)
    bad = good[RNG.permutation(len(y))]
    for metric in metrics.for_task(task).values():
        assert metric.gain(y, good, bad) > 0 > metric.gain(y, bad, good)
        assert metric.gain(y, good, good) == 0


@pytest.mark.parametrize("name", ["linear", "tree"])
def test_probabilities_are_in_the_contracts_order_the_positive_class_last(name):
    contract, frame = made_up.every_type("binary")
    y = frame["outcome"].to_numpy(str)
    fitted = models.build(models.MODELS[name], contract, "binary", 0).fit(frame, y)
    found = predictions.predict(fitted, frame, contract.classes)
    assert contract.classes == ("b", "a")
    assert (found.labels == y).mean() > 0.9
    assert found.values[y == "a", -1].mean() > 0.8
    assert metrics.METRICS["roc_auc"](y, found) > 0.9


def test_a_class_that_was_not_learned_gets_probability_zero():
    contract, frame = made_up.every_type("multiclass")
    some = frame[frame["outcome"] != "a"]
    fitted = models.build(models.MODELS["linear"], contract, "multiclass", 0)
    fitted.fit(some, some["outcome"].to_numpy(str))
    found = predictions.predict(fitted, frame, contract.classes)
    assert not found.values[:, contract.classes.index("a")].any()
    np.testing.assert_allclose(found.values.sum(axis=1), 1)


def test_no_rows_get_no_predictions(champion, typed):
    found = predictions.predict(champion.model, typed.head(0), champion.contract.classes)
    assert len(found.values) == len(found.labels) == 0


@pytest.mark.parametrize(
    ("name", "task", "messages"),
    [
        ("rocauc", "binary", ["metric: 'rocauc'", "did you mean roc_auc?"]),
        ("rmse", "multiclass", ["'rmse' is not a metric for task multiclass", "f1_macro"]),
        ("accuracy", "regression", ["mae"]),
    ],
)
def test_a_metric_that_does_not_suit_the_task_is_refused(refused, name, task, messages):
    with refused("params.yaml: metric: ", *messages):
        metrics.find(name, task)


@pytest.mark.parametrize(
    ("name", "task", "expected"),
    [
        ("neg_log_loss", "multiclass", lambda y, p: -EXPECTED["log_loss"](y, p)),
        ("neg_brier_score", "binary", lambda y, p: -EXPECTED["brier"](y, p)),
        ("f1", "binary", lambda y, p: sk.f1_score(y == "a", p.labels == "a")),
        ("matthews_corrcoef", "multiclass", lambda y, p: sk.matthews_corrcoef(y, p.labels)),
        ("balanced_accuracy", "binary", lambda y, p: sk.balanced_accuracy_score(y, p.labels)),
        ("neg_median_absolute_error", "regression", lambda y, p: -np.median(abs(y - p.values))),
        (
            "roc_auc_ovr",
            "multiclass",
            lambda y, p: sk.roc_auc_score(y, p.values[:, np.argsort(p.classes)], multi_class="ovr"),
        ),
    ],
)
def test_any_scorer_of_scikit_learn_is_a_metric_by_its_name(name, task, expected):
    y, predictions = guesses(task)
    found = metrics.find(name, task)
    assert found.greater_is_better
    assert found(y, predictions) == pytest.approx(expected(y, predictions))
    assert next(iter(metrics.reported(name, task))) == name


@pytest.mark.parametrize(
    ("name", "task"), [("neg_max_error", "binary"), ("f1", "regression"), ("f1", "multiclass")]
)
def test_a_scorer_of_scikit_learn_for_another_task_is_refused(refused, name, task):
    with refused(f"params.yaml: metric: {name!r} is not a metric for task {task}"):
        metrics.find(name, task)


def test_the_interval_of_a_share_is_the_exact_one():
    found = metrics.share(np.arange(20) < 18, 0.95)
    # Clopper and Pearson's limits for 18 of 20, from tables of the binomial distribution
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.9, 0.6830, 0.9877)


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(150):
        sample = np.random.default_rng(seed).exponential(size=60)
        found = metrics.interval(
            lambda rows, sample=sample: sample[rows].mean(),
            60,
            resamples=200,
            confidence=0.9,
            seed=seed,
        )
        assert found.low < found.value == sample.mean() < found.high
        covered += found.low <= 1 <= found.high
    assert 0.8 < covered / 150 < 0.97


def test_an_interval_is_wider_the_surer_it_is_and_the_same_with_the_same_seed():
    y = RNG.normal(size=80)

    def mean(confidence):
        return metrics.interval(
            lambda rows: y[rows].mean(), 80, resamples=300, confidence=confidence, seed=3
        )

    assert mean(0.99).low < mean(0.8).low < mean(0.8).high < mean(0.99).high
    assert mean(0.9) == mean(0.9)


def test_resamples_keep_the_number_of_rows_of_each_class():
    strata = np.array(["rare"] * 2 + ["common"] * 50)
    found = metrics.interval(
        lambda rows: (strata[rows] == "rare").sum(),
        52,
        resamples=100,
        confidence=0.9,
        seed=0,
        strata=strata,
    )
    assert found == metrics.Interval(2, 2, 2)


def test_resamples_without_a_value_do_not_count():
    y = np.zeros(40)
    y[0] = 5.0
    said = predictions.Predictions(y + 0.1)
    r2 = metrics.METRICS["r2"]
    found = metrics.interval(
        lambda rows: r2(y[rows], said[rows]), 40, resamples=200, confidence=0.9, seed=0
    )
    assert found.low <= found.value <= found.high < 1


def test_a_metric_that_rows_do_not_have_is_left_out_unless_it_is_the_chosen_one(refused):
    y, said = np.zeros(40), predictions.Predictions(np.full(40, 0.1))
    assert list(metrics.defined("rmse", "regression", y, said)) == ["rmse", "mae"]
    with refused("metric: r2 is not defined on the 40 test rows", "test_size"):
        metrics.defined("r2", "regression", y, said)


def test_a_metric_of_ones_own_is_one_entry_that_every_stage_goes_by(
    project, command, edit, monkeypatch, params
):
    def close(y, said):
        return float(np.mean(y == said if params.task != "regression" else abs(y - said) < y.std()))

    one = metrics.Metric(close, "labels", (params.task,), True, "share of good answers")
    monkeypatch.setitem(metrics.METRICS, "close", one)
    edit(project / "params.yaml", "metric", "close")
    assert [command(stage) for stage in ("train", "tune", "evaluate")] == [0, 0, 0]
    board = pd.read_csv("reports/leaderboard.csv").set_index("model")["mean"]
    assert board.between(0, 1).all() and board["linear"] > board["dummy"]
    manifest = json.loads((project / "models/candidate/manifest.json").read_text())
    assert manifest["metric"] == "close"
    assert manifest["cross_validated"] >= board.max() - 1e-5  # the file has six digits
    results = json.loads((project / "reports/metrics.json").read_text())
    assert results["comparisons"]["baseline"]["metric"] == "close"
    assert next(iter(results["metrics"])) == "close"
    assert "share of good answers" in (project / "reports/report.html").read_text()
