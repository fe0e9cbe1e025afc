import gc
import time

import made_up
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_info, threadpool_limits

from {{cookiecutter.project_slug}} import folds, metrics, models, predictions
from {{cookiecutter.project_slug}}.deadline import Deadline, OutOfTime, until

X = {"type": "number"}
CLASS = made_up.TARGETS["binary"]


def frame(y, **columns):
    return pd.DataFrame({"x": np.arange(len(y), dtype=float), **columns, "y": y})


def test_folds_of_the_project_hold_out_rows_that_are_not_learned(typed, contract, params):
    found = folds.make_folds(typed, contract, params.train.folds, params.seed)
    assert len(found) == params.train.folds
    for learned, held_out in found:
        assert len(learned) and len(held_out)
        assert not set(learned) & set(held_out)


def test_random_folds_hold_out_each_row_once_with_each_class_in_its_share():
    table = frame(["a"] * 30 + ["b"] * 60)
    found = folds.make_folds(table, made_up.contract_of(x=X, y=CLASS), 3, 0)
    assert sorted(np.concatenate([held for _, held in found])) == list(range(90))
    for _, held_out in found:
        assert table["y"].iloc[held_out].value_counts().to_dict() == {"a": 10, "b": 20}


@pytest.mark.parametrize("kind", ["boolean", "number"])
def test_other_targets_are_folded_as_well(kind):
    table = frame(pd.array([True, False] * 10, dtype="boolean") if kind == "boolean" else range(20))
    contract = made_up.contract_of(x=X, y={"type": kind, "role": "target"})
    assert [len(held) for _, held in folds.make_folds(table, contract, 4, 0)] == [5] * 4


def test_folds_hold_out_whole_groups():
    table = frame(["a", "b"] * 30, g=np.repeat([f"group {i}" for i in range(12)], 5))
    contract = made_up.contract_of(x=X, g={"type": "category", "role": "group"}, y=CLASS)
    for learned, held_out in folds.make_folds(table, contract, 4, 0):
        assert not set(table["g"].iloc[learned]) & set(table["g"].iloc[held_out])


def test_folds_in_time_hold_out_what_is_later_than_what_is_learned():
    table = frame(range(40), t=pd.date_range("2026-01-01", periods=40))
    contract = made_up.contract_of(x=X, t={"type": "datetime", "role": "time"}, y=made_up.NUMBER)
    for learned, held_out in folds.make_folds(table, contract, 4, 0):
        assert table["t"].iloc[learned].max() < table["t"].iloc[held_out].min()


@pytest.mark.parametrize(
    ("columns", "table", "messages"),
    [
        ({"y": CLASS}, frame(["a"] * 9 + ["b"] * 2), ["class 'b': 2, but 3 are needed"]),
        ({"y": made_up.NUMBER}, frame([1.0, 2.0]), ["training rows: 2"]),
        (
            {"g": {"type": "category", "role": "group"}, "y": CLASS},
            frame(["a", "b"] * 9, g=["u", "v"] * 9),
            ["group column g: 2"],
        ),
        (
            {"t": {"type": "datetime", "role": "time"}, "y": CLASS},
            frame(["a", "b"], t=pd.date_range("2026-01-01", periods=2)),
            ["training rows: 2, but 4 are needed"],
        ),
    ],
)
def test_too_few_rows_for_so_many_folds_are_refused(refused, columns, table, messages):
    with refused("params.yaml: train.folds", *messages):
        folds.make_folds(table, made_up.contract_of(x=X, **columns), 3, 0)


def test_nothing_is_learned_from_held_out_rows(typed, contract, params):
    """What a model says of a held-out row does not depend on the other held-out rows."""
    metric = metrics.find(params.metric, params.task)
    learned, held_out = folds.make_folds(typed, contract, 2, 0)[0]
    garbled = typed.copy()
    donors = np.resize(learned[:7], len(held_out) - 1)
    garbled.iloc[held_out[1:]] = typed.iloc[donors].to_numpy()
    for name in ("linear", "tree"):
        pipeline = models.build(models.MODELS[name], contract, params.task, 0)
        said = []
        for table in (typed, garbled.astype(typed.dtypes)):
            rows = folds.Rows.of(table, contract)
            score = folds.score_fold(
                folds.Job(name, pipeline, 0), rows, (learned, held_out), metric
            )
            said.append(score.values[0])
        np.testing.assert_allclose(said[0], said[1], rtol=1e-12)


def jobs_of(names, contract, params, count=2):
    return [
        folds.Job(name, models.build(models.MODELS[name], contract, params.task, 0), fold)
        for name in names
        for fold in range(count)
    ]


def test_scores_are_in_order_repeatable_and_reported_as_they_come(contract, params, typed):
    rows = folds.Rows.of(typed, contract)
    metric = metrics.find(params.metric, params.task)
    made = folds.make_folds(typed, contract, 2, 0)
    jobs, reported = jobs_of(["tree", "dummy"], contract, params), []
    first = folds.score_folds(jobs, rows, made, metric, reported.append)
    second = folds.score_folds(jobs, rows, made, metric)
    assert [(s.name, s.fold) for s in first] == [(job.name, job.fold) for job in jobs]
    assert [s.score for s in first] == [s.score for s in second]
    assert len(reported) == 4
    for score, (_, held_out) in zip(first, [*made, *made], strict=True):
        said = predictions.Predictions(score.values, rows.classes)
        assert metric(rows.y[held_out], said) == score.score


def test_an_error_that_a_deadline_was_turned_into_is_taken_for_the_deadline():
    with pytest.raises(OutOfTime), until(Deadline(time.time() + 0.05)):
        try:
            time.sleep(5)
        except OutOfTime:
            raise ValueError("not a valid buffer format") from None
    with pytest.raises(ValueError, match="of its own"), until(Deadline(time.time() + 60)):
        raise ValueError("of its own")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_deadline_that_came_in_a_callback_of_the_collector_comes_again():
    def slow(phase, _):
        if phase == "stop":
            time.sleep(0.2)

    gc.callbacks.append(slow)
    try:
        with pytest.raises(OutOfTime), until(Deadline(time.time() + 0.1)):
            gc.collect()
            time.sleep(60)
    finally:
        gc.callbacks.remove(slow)


def test_a_deadline_of_the_processor_does_not_come_while_the_process_waits():
    end = Deadline(time.process_time() + 0.2, "cpu")
    with until(end):
        time.sleep(0.5)
    with pytest.raises(OutOfTime), until(end):
        while time.process_time() < end.moment + 60:
            pass


def test_a_fit_is_interrupted_at_its_deadline(contract, params, typed):
    rows = folds.Rows.of(typed, contract)
    metric = metrics.find(params.metric, params.task)
    made = folds.make_folds(typed, contract, 2, 0)
    slow = models.build(models.MODELS["forest"], contract, params.task, 0)
    slow.set_params(model__n_estimators=100_000)
    jobs = [folds.Job("slow", slow, 0), *jobs_of(["dummy"], contract, params)]
    soon, over = Deadline(time.time() + 0.5), Deadline(time.time() - 1)
    assert folds.score_folds(jobs[:1], rows, made, metric, deadline=soon) == []
    assert folds.score_folds(jobs[1:], rows, made, metric, deadline=over) == []
    assert len(folds.score_folds(jobs[1:], rows, made, metric)) == 2, "and the next one is not"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_held_out_rows_say_when_boosting_stops(task):
    contract, frame = made_up.every_type(task, 400)
    outcomes = np.random.default_rng(0).permutation(frame["outcome"])  # nothing to learn
    frame = frame.assign(outcome=pd.Series(outcomes, dtype=frame["outcome"].dtype))
    rows, metric = folds.Rows.of(frame, contract), metrics.for_task(task)
    pipeline = models.build(models.MODELS["boosting"], contract, task, 0)
    made = folds.make_folds(frame, contract, 2, 0)
    score = folds.score_fold(
        folds.Job("boosting", pipeline, 0, stops=True), rows, made[0], next(iter(metric.values()))
    )
    assert 1 <= score.rounds < pipeline.get_params()["model__max_iter"]


def test_a_class_that_is_new_among_the_held_out_rows_does_not_stop_boosting():
    y = ["a", "b"] * 40 + ["c"] * 40
    group = ["one", "two"] * 40 + ["three"] * 40
    levels = {"type": "category", "role": "target", "levels": ["a", "b", "c"]}
    contract = made_up.contract_of(x=X, g={"type": "category", "role": "group"}, y=levels)
    table = frame(y, g=group)
    rows = folds.Rows.of(table, contract)
    pipeline = models.build(models.MODELS["boosting"], contract, "multiclass", 0)
    for fold in folds.make_folds(table, contract, 3, 0):
        assert folds.score_fold(
            folds.Job("boosting", pipeline, 0, stops=True), rows, fold, metrics.METRICS["accuracy"]
        )


FAMILIES = [
    (task, name)
    for task in made_up.TARGETS
    for name, model in models.MODELS.items()
    if model.suits(task, 0)
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("task", "name"), FAMILIES)
def test_no_family_warns_on_a_normal_run(task, name):
    contract, frame = made_up.every_type(task, 200)
    rows, metric = folds.Rows.of(frame, contract), next(iter(metrics.for_task(task).values()))
    model, made = models.MODELS[name], folds.make_folds(frame, contract, 2, 0)
    for parameters in ({}, *model.portfolio(task)[:1]):
        built = models.build(model, contract, task, 0, parameters)
        job = folds.Job(name, built, 0, model.rounds is not None)
        assert folds.score_fold(job, rows, made[0], metric)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("task", made_up.TARGETS)
def test_a_network_that_its_cap_stops_does_not_warn(task):
    contract, frame = made_up.every_type(task)
    rows, metric = folds.Rows.of(frame, contract), next(iter(metrics.for_task(task).values()))
    cap = "model__regressor__max_iter" if task == "regression" else "model__max_iter"
    built = models.build(models.MODELS["mlp_lbfgs"], contract, task, 0, {cap: 1})
    made = folds.make_folds(frame, contract, 2, 0)
    assert folds.score_fold(folds.Job("mlp_lbfgs", built, 0), rows, made[0], metric)


class Threads(RegressorMixin, BaseEstimator):
    """Predicts how many threads the busiest pool of the process had while it was fitted."""

    def fit(self, X, y):
        self.threads_ = max(pool["num_threads"] for pool in threadpool_info())
        return self

    def predict(self, X):
        return np.full(len(X), float(self.threads_))


def test_a_job_keeps_to_one_thread_so_that_jobs_side_by_side_do_not_take_each_others_cores():
    contract, frame = made_up.every_type("regression")
    rows, made = folds.Rows.of(frame, contract), folds.make_folds(frame, contract, 2, 0)
    before = models.build(models.MODELS["tree"], contract, "regression", 0).steps[:2]
    job = folds.Job("threads", Pipeline([*before, ("model", Threads())]), 0)
    with threadpool_limits(3):
        assert max(pool["num_threads"] for pool in threadpool_info()) == 3
        score = folds.score_fold(job, rows, made[0], metrics.METRICS["rmse"])
    assert set(score.values.tolist()) == {1.0}


def test_a_model_that_does_not_take_its_rows_is_named_with_the_reason():
    contract, frame = made_up.every_type("binary")
    rows, metric = folds.Rows.of(frame, contract), metrics.METRICS["log_loss"]
    alike = np.flatnonzero(rows.y == "a")
    built = models.build(models.MODELS["linear"], contract, "binary", 0)
    with pytest.raises(folds.Unfit) as caught:
        folds.score_folds([folds.Job("linear", built, 0)], rows, [(alike, alike)], metric)
    name, reason = caught.value.args
    assert name == "linear" and "at least 2 classes" in reason


def test_folds_in_time_without_a_rare_class_are_left_out():
    y = ["a" if day in (3, 5, 25, 26, 38) else "b" for day in range(40)]
    table = frame(y, t=pd.date_range("2026-01-01", periods=40))
    contract = made_up.contract_of(x=X, t={"type": "datetime", "role": "time"}, y=CLASS)
    found = folds.make_folds(table, contract, 4, 0)
    assert [held[0] for _, held in found] == [24, 32]
    assert all(table["y"].iloc[part].nunique() == 2 for fold in found for part in fold)
    never = table.assign(y=["a"] * 8 + ["b"] * 32)
    assert len(folds.make_folds(never, contract, 4, 0)) == 4, "there are no better ones"
