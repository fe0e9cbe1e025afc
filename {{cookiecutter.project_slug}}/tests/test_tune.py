import json

import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import metrics
from {{cookiecutter.project_slug}}.stages import train, tune


@pytest.fixture(scope="session")
def board(typed, contract, params):
    return train.compare(typed, contract, params)


@pytest.fixture(scope="session")
def trials(typed, contract, params, board):
    return tune.search(typed, contract, params, board)


def test_the_default_parameters_of_the_best_families_are_tried_first(trials, board, params):
    first = sorted(trials, key=lambda trial: trial.trial)[: params.tune.models]
    best = board[board["model"] != "dummy"].head(params.tune.models)
    assert [trial.model for trial in first] == best["model"].tolist()
    assert [trial.mean for trial in first] == best["mean"].tolist()
    assert [trial.parameters for trial in first] == [{}] * params.tune.models


def test_the_search_tries_as_often_as_it_may_and_puts_the_best_first(trials, params):
    assert len(trials) == params.tune.models + params.tune.trials
    means = [trial.mean for trial in trials]
    greater = metrics.find(params.metric, params.task).greater_is_better
    assert means == sorted(means, reverse=greater)


def test_the_same_seed_makes_the_same_search(trials, typed, contract, params, board):
    seen = []
    again = tune.search(typed, contract, params, board, seen.append)
    assert [(t.model, t.mean, t.parameters) for t in again] == [
        (t.model, t.mean, t.parameters) for t in trials
    ]
    assert len(seen) == params.tune.trials


def test_no_new_trial_begins_when_the_seconds_are_over(typed, contract, params, board):
    hurried = params.tune.model_copy(update={"seconds": 1e-9})
    found = tune.search(typed, contract, params.model_copy(update={"tune": hurried}), board)
    assert len(found) == params.tune.models


def test_a_leaderboard_of_the_baseline_alone_is_tuned_to_the_baseline(
    typed, contract, params, board
):
    found = tune.search(typed, contract, params, board[board["model"] == "dummy"])
    assert [trial.model for trial in found] == ["dummy"]


def test_golden_rows_are_like_the_data_but_drawn_column_by_column(typed, contract):
    rows = tune.golden_rows(typed, contract, 0)
    assert rows == tune.golden_rows(typed, contract, 0)
    assert {len(row) for row in rows} == {len(contract.features)}


def test_the_stage_writes_the_best_trial_as_the_candidate(project, command, champion):
    assert command("tune") == 0
    best = pd.read_csv("reports/trials.csv").iloc[0]
    manifest = json.loads((project / "models/candidate/manifest.json").read_text())
    assert manifest["model"] == best["model"] == champion.manifest["model"]
    assert manifest["parameters"] == champion.manifest["parameters"]
    assert json.loads(best["parameters"]) == pytest.approx(manifest["parameters"])
    model = "model.skops"
    assert manifest["cross_validated"] == champion.manifest["cross_validated"]
    assert manifest["files"]["golden.json"] == champion.manifest["files"]["golden.json"], model
