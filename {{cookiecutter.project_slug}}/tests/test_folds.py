import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import folds, metrics, models

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
    said = []
    metric = metrics.Metric(
        lambda y, values: said.append(values[0].copy()) or 0.0,
        "values" if contract.classes is None else "probabilities",
        (params.task,),
        True,
        "spy",
    )
    learned, held_out = folds.make_folds(typed, contract, 2, 0)[0]
    garbled = typed.copy()
    donors = np.resize(learned[:7], len(held_out) - 1)
    garbled.iloc[held_out[1:]] = typed.iloc[donors].to_numpy()
    for name in ("linear", "tree"):
        pipeline = models.build(models.MODELS[name], contract, params.task, 0)
        for table in (typed, garbled.astype(typed.dtypes)):
            rows = folds.Rows.of(table, contract)
            folds.score_fold(name, pipeline, rows, (learned, held_out), 0, metric)
        np.testing.assert_allclose(said[-1], said[-2], rtol=1e-12)


def test_scores_are_in_order_repeatable_and_reported_as_they_come(contract, params, typed):
    rows = folds.Rows.of(typed, contract)
    metric = metrics.find(params.metric, params.task)
    pipelines = {
        name: models.build(models.MODELS[name], contract, params.task, 0)
        for name in ("tree", "dummy")
    }
    made = folds.make_folds(typed, contract, 2, 0)
    reported = []
    first = folds.cross_validate(pipelines, rows, made, metric, reported.append)
    second = folds.cross_validate(pipelines, rows, made, metric)
    assert first[["name", "fold"]].to_numpy().tolist() == [
        ["tree", 0],
        ["tree", 1],
        ["dummy", 0],
        ["dummy", 1],
    ]
    assert first["score"].equals(second["score"])
    assert len(reported) == 4


@pytest.mark.parametrize(
    ("name", "order"), [("roc_auc", ["high", "low"]), ("rmse", ["low", "high"])]
)
def test_a_summary_has_the_best_first_with_its_standard_error(name, order):
    scores = pd.DataFrame(
        [folds.Score("low", k, s, 1.0, 2.0) for k, s in enumerate([0.1, 0.3])]
        + [folds.Score("high", k, s, 1.0, 2.0) for k, s in enumerate([0.7, 0.9])]
    )
    found = folds.summarise(scores, metrics.METRICS[name])
    assert found["model"].tolist() == order
    low = found.set_index("model").loc["low"]
    assert low["mean"] == pytest.approx(0.2)
    assert low["standard_error"] == pytest.approx(np.std([0.1, 0.3], ddof=1) / np.sqrt(2))
