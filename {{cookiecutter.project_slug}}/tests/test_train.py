import dataclasses
import time

import made_up
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from {{cookiecutter.project_slug}} import metrics, models
from {{cookiecutter.project_slug}}.stages import train


def means(found):
    return {one.model: one.mean for one in found}


def test_the_leaderboard_has_every_model_the_best_first(project, params):
    table = pd.read_csv("reports/leaderboard.csv")
    greater = metrics.find(params.metric, params.task).greater_is_better
    assert set(table["model"]) == set(params.train.models)
    costs = ["fit_seconds", "predict_seconds", "row_milliseconds", "megabytes"]
    assert list(table) == ["model", "mean", "standard_error", *costs]
    assert (table[costs] > 0).all(axis=None)
    assert table["mean"].tolist() == sorted(table["mean"], reverse=greater)
    assert table.notna().all(axis=None)


def test_a_repetition_gives_the_same_scores(project, typed, contract, params):
    scores = [means(train.compare(typed, contract, params)) for _ in range(2)]
    assert scores[0] == scores[1]


def test_two_processes_give_the_scores_of_one(typed, contract, params):
    compute = params.compute.model_copy(update={"workers": 2})
    both = [
        means(train.compare(typed, contract, chosen))
        for chosen in (params, params.model_copy(update={"compute": compute}))
    ]
    assert both[0] == both[1]


def test_an_unknown_model_is_refused_and_the_earlier_leaderboard_stays(
    project, edit, command, capsys
):
    before = (project / "reports/leaderboard.csv").read_text()
    edit(project / "params.yaml", "train.models", ["dummy", "lineer"])
    assert command("train") == 2
    assert "params.yaml: train.models: 'lineer' is not a model" in capsys.readouterr().err
    assert (project / "reports/leaderboard.csv").read_text() == before


def everything(params, task, folds=2, **tune):
    """Parameters that name no family."""
    changes = {
        "task": task,
        "metric": next(iter(metrics.for_task(task))),
        "train": params.train.model_copy(update={"models": None, "folds": folds}),
        "tune": params.tune.model_copy(update=tune),
    }
    return params.model_copy(update=changes)


def rare(size=4):
    """A table with a class of few rows."""
    contract, frame = made_up.every_type("multiclass", 150)
    found = frame[frame["outcome"] == "a"].index[size:]
    return contract, frame.drop(index=found).reset_index(drop=True)


def test_a_family_that_cannot_be_fitted_is_left_out_with_the_reason(params):
    contract, frame = rare()
    notes = []
    chosen = everything(params, "multiclass")
    board = train.compare(frame, contract, chosen, on_note=notes.append)
    fitted = {one.model for one in board}
    assert fitted == set(models.find(None, "multiclass", len(frame))) - {"svm"}
    [note] = notes
    assert note.startswith("svm is left out: ") and "3-fold" in note


def test_a_family_that_is_named_and_cannot_be_fitted_is_refused(params, refused):
    contract, frame = rare()
    chosen = everything(params, "multiclass")
    named = chosen.train.model_copy(update={"models": ("dummy", "svm")})
    with refused("params.yaml: train.models: svm cannot be fitted", "3-fold", "leave it out"):
        train.compare(frame, contract, chosen.model_copy(update={"train": named}))


def test_features_that_cannot_be_made_at_all_are_a_fault_and_no_note(params):
    contract, frame = made_up.every_type("regression")
    broken = frame.assign(share=float("inf"))
    broken["share"] = broken["share"].astype(object).mask(broken.index < 5, "much")
    with pytest.raises(Exception, match="much"):
        train.compare(broken, contract, everything(params, "regression"), on_note=print)


@pytest.mark.parametrize("workers", [1, 2])
def test_families_that_take_too_long_are_left_out_and_the_quick_ones_are_not(
    params, monkeypatch, workers
):
    endless = models.MODELS["forest"].regressor.__class__(1_000_000)
    for name in ("spline", "forest"):  # one of the first and one of the last
        slow = dataclasses.replace(models.MODELS[name], regressor=endless)
        monkeypatch.setitem(models.MODELS, name, slow)
    contract, frame = made_up.every_type("regression")
    chosen = everything(params, "regression", seconds=20.0)
    compute = params.compute.model_copy(update={"workers": workers})
    notes = []
    board = train.compare(
        frame, contract, chosen.model_copy(update={"compute": compute}), on_note=notes.append
    )
    assert {one.model for one in board} >= {*train.ALWAYS, "tree", "neighbors"}
    assert {note.partition(" ")[0] for note in notes} >= {"spline", "forest"}
    assert all("tune.seconds" in note for note in notes)


class Slow(Ridge):
    def fit(self, *arguments):
        end = time.process_time() + 1.5
        while time.process_time() < end:
            pass
        return super().fit(*arguments)


def test_of_two_that_there_is_no_time_for_the_better_one_is_compared(params, monkeypatch):
    contract, frame = made_up.every_type("regression")
    monkeypatch.setattr(
        models,
        "MODELS",
        {name: models.MODELS[name] for name in train.ALWAYS}
        | {
            name: dataclasses.replace(models.MODELS["linear"], regressor=Slow(alpha))
            for name, alpha in (("worse", 1e9), ("better", 1.0))
        },
    )
    chosen = everything(params, "regression", folds=5, seconds=16.0, clock="cpu")
    board = train.compare(frame, contract, chosen)
    assert {one.model for one in board} == {*train.ALWAYS, "better"}


def test_the_dummy_the_linear_model_and_boosting_are_compared_however_short_the_time(params):
    contract, frame = made_up.every_type("binary")
    notes = []
    chosen = everything(params, "binary", seconds=0.01)
    board = train.compare(frame, contract, chosen, on_note=notes.append)
    assert {one.model for one in board} == set(train.ALWAYS)
    left_out = [note for note in notes if "left out" in note]
    assert len(left_out) + len(board) == len(models.find(None, "binary", len(frame)))
    assert any("boosting stopped early" in note and "tune.seconds" in note for note in notes)


def test_folds_that_there_is_no_time_for_are_left_out_for_every_family(params):
    contract, frame = made_up.every_type("binary")
    notes = []
    chosen = everything(params, "binary", folds=5, seconds=0.01)
    board = train.compare(frame, contract, chosen, on_note=notes.append)
    assert {len(one.scores) for one in board} == {train.FEWEST}
    assert any(note.startswith("2 of 5 folds") and "tune.seconds" in note for note in notes)


def test_boosting_learns_fewer_and_larger_rounds_rather_than_to_go_on_beyond_the_time(params):
    contract, frame = made_up.every_type("multiclass")

    def boosting(seconds):
        board = train.compare(frame, contract, everything(params, "multiclass", seconds=seconds))
        return {one.model: one for one in board}["boosting"]

    hurried, usual = boosting(0.01), boosting(600.0)
    rounds = ([score.rounds for score in one.scores] for one in (hurried, usual))
    assert all(few < many for few, many in zip(*rounds, strict=True))
    assert hurried.parameters == {"model__learning_rate": 0.2}
    assert usual.parameters == {}


def test_families_that_are_named_take_the_time_that_they_need(params, typed, contract):
    hurried = params.model_copy(update={"tune": params.tune.model_copy(update={"seconds": 0.01})})
    assert means(train.compare(typed, contract, hurried)) == means(
        train.compare(typed, contract, params)
    )
