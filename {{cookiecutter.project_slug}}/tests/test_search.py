import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from {{cookiecutter.project_slug}} import (
    budget,
    compute,
    files,
    folds,
    interruption,
    metrics,
    models,
    search,
)
from {{cookiecutter.project_slug}}.stages import train

NO_END = budget.Budget(None, "wall")


@pytest.fixture(scope="module")
def defaults(typed, contract, params):
    return train.compare(typed, contract, params)


@pytest.fixture
def start(typed, contract, params, defaults, tmp_path):
    def make(trials=6, folder="search", **changes):
        tune = params.tune.model_copy(update={"trials": trials, **changes})
        return search.Search(
            folds.Rows.of(typed, contract),
            folds.make_folds(typed, contract, params.train.folds, params.seed),
            contract,
            params.model_copy(update={"tune": tune}),
            metrics.find(params.metric, params.task),
            defaults,
            tmp_path / folder,
        )

    return make


def facts(found):
    return [(t.trial, t.model, dict(t.parameters), t.first_fold) for t in found.trials]


def costs(found):
    return [(c.average("row_calls"), c.average("megabytes")) for c in found.candidates]


def test_the_best_families_are_tried_more_often_each_with_its_portfolio_first(start, params):
    found = start(trials=12)
    found.run(NO_END)
    assert len(found.trials) == 12
    best, *others = found.families
    counts = [sum(t.model == name for t in found.trials) for name in found.families]
    assert counts == sorted(counts, reverse=True), (best, others)
    for name in found.families:
        tried = [dict(t.parameters) for t in found.trials if t.model == name]
        skewed = params.task == "regression" and models.is_skewed(found.rows.y)
        portfolio = models.MODELS[name].portfolio(params.task, skewed)
        shared = min(len(tried), len(portfolio))
        assert tried[:shared] == portfolio[:shared]


def test_the_same_seed_makes_the_same_search_on_one_process_or_two(start):
    found = [start(folder="first"), start(folder="second")]
    found[0].run(NO_END)
    with train.parallel(found[1].params.compute.model_copy(update={"workers": 2})):
        found[1].run(NO_END)
    assert facts(found[0]) == facts(found[1])
    # What a model is preferred by is not timed.
    np.testing.assert_allclose(costs(found[0]), costs(found[1]), rtol=0.01)


def test_ctrl_c_waits_until_a_trial_is_written(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # put back in the end
    stop = interruption.Stop()
    stop.ask()  # while nothing may be interrupted
    with pytest.raises(KeyboardInterrupt), stop.allowed():
        raise AssertionError("not reached")


def test_a_search_that_was_interrupted_goes_on_to_what_it_would_have_found(start):
    whole = start(trials=10, folder="whole")
    whole.run(NO_END)
    part = start(trials=10, folder="part")

    def interrupt(trial):
        if trial.trial == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        part.run(budget.Budget(None, "wall"), interrupt)
    assert len(part.trials) == 4
    again = start(trials=10, folder="part")
    assert facts(again) == facts(part), "trials are on disk"
    assert again.spent > 0
    again.run(NO_END)
    assert facts(again) == facts(whole)
    assert [c.mean for c in again.candidates] == [c.mean for c in whole.candidates]


def test_no_trial_begins_when_the_seconds_are_over(start):
    found = start(trials=None, seconds=1e-9)
    found.run(budget.Budget(1e-9, "wall"))
    assert found.trials == []
    assert found.candidates == list(found.defaults)


def test_a_fit_that_would_go_on_for_minutes_ends_with_the_seconds(start, monkeypatch):
    endless = {"n_estimators": 1_000_000}
    slow = dataclasses.replace(
        models.MODELS["forest"], classifier_portfolio=(endless,), regressor_portfolio=(endless,)
    )
    monkeypatch.setitem(models.MODELS, "linear", slow)
    monkeypatch.setitem(models.MODELS, "tree", slow)
    found = start(trials=None, seconds=5.0)
    found.run(budget.Budget(5.0, "wall"))
    assert all("n_estimators" not in str(trial.parameters) for trial in found.trials)


def test_trials_that_are_clearly_behind_on_the_first_fold_are_given_up(
    start, defaults, monkeypatch, tmp_path
):
    hopeless = dataclasses.replace(
        models.MODELS["tree"],
        classifier=models.MODELS["dummy"].classifier,
        regressor=models.MODELS["dummy"].regressor,
        classifier_portfolio=({},),
        regressor_portfolio=({},),
        classifier_space={},
        regressor_space={},
    )
    monkeypatch.setitem(models.MODELS, "tree", hopeless)
    linear = next(one for one in defaults if one.model == "linear")
    found = dataclasses.replace(
        start(trials=4, folder="hopeless"),
        defaults=[linear, dataclasses.replace(linear, model="tree")],
        folder=tmp_path / "other",
    )
    found.run(NO_END)
    given_up = [t for t in found.trials if t.candidate is None]
    assert "tree" in [t.model for t in given_up]
    assert all(c.model != "tree" for c in found.candidates[2:])


def test_families_that_train_had_no_time_for_are_tried_first_and_hurried(start, defaults):
    found = start(trials=5)
    any_family = found.params.train.model_copy(update={"models": None})
    every = found.params.model_copy(update={"train": any_family})
    quick = [one for one in defaults if one.model in ("dummy", "linear", "tree")]
    found = dataclasses.replace(
        found, defaults=quick, folder=found.folder.with_name("late"), params=every
    )
    assert found.late == ["boosting", "extra_boosting"]
    found.run(NO_END)
    tried = [(trial.model, dict(trial.parameters)) for trial in found.trials]
    hurried = {"model__learning_rate": 0.2}
    assert tried[:2] == [("boosting", hurried), ("extra_boosting", hurried)]
    assert len(tried) == 5 and found.late == []
    kept = {trial.model for trial in found.trials if trial.candidate}
    assert set(found.families) <= kept | {"linear", "tree"}


def test_a_leaderboard_of_the_baseline_alone_is_not_searched(start, defaults):
    found = start(folder="alone")
    alone = dataclasses.replace(
        found,
        defaults=[one for one in defaults if one.model == "dummy"],
        folder=found.folder.with_name("nothing"),
        trials=[],
    )
    alone.run(NO_END)
    assert alone.trials == []


def test_ctrl_c_keeps_the_best_so_far_of_two_processes_and_a_rerun_goes_on(
    project, edit, command, capsys
):
    edit(project / "params.yaml", "tune.trials", 200)
    edit(project / "params.yaml", "compute.workers", 2)
    (project / files.CANDIDATE / "manifest.json").unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", budget.__name__.partition(".")[0], "tune"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while process.poll() is None and len(list(project.glob("models/search/*/*.npz"))) < 3:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "make run" in out
    assert "Traceback" not in err
    manifest = json.loads((project / files.CANDIDATE / "manifest.json").read_text())
    assert np.isfinite(manifest["cross_validated"])
    done = int(re.search(r"^(\d+) trials", out, re.MULTILINE)[1])
    edit(project / "params.yaml", "tune.trials", done + 6)
    assert command("tune") == 0
    assert f"{done + 6} trials" in capsys.readouterr().out
    assert not list(project.glob("models/search/*")), "a finished search leaves nothing behind"


def test_nothing_is_told_of_a_pool_that_ctrl_c_ended_but_of_other_threads(params, monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda one: told.append(one.thread.name))
    with compute.parallel(params.compute):
        for name in ("ExecutorManagerThread", "another"):
            thread = threading.Thread(target=lambda: {}["a job that was cleared"], name=name)
            thread.start()
            thread.join()
    assert told == ["another"]


def test_parameters_that_cannot_be_fitted_are_given_up(start, monkeypatch):
    too_many = {"n_estimators": -1}
    broken = dataclasses.replace(
        models.MODELS["tree"],
        classifier=models.MODELS["forest"].classifier,
        regressor=models.MODELS["forest"].regressor,
        classifier_portfolio=(too_many,),
        regressor_portfolio=(too_many,),
        classifier_space={},
        regressor_space={},
    )
    monkeypatch.setitem(models.MODELS, "tree", broken)
    found = start(trials=6, folder="unfit")
    found.run(NO_END)
    assert {t.candidate for t in found.trials if t.model == "tree"} == {None}
    assert len(found.trials) == 6
