import pandas as pd

from {{cookiecutter.project_slug}} import metrics
from {{cookiecutter.project_slug}}.stages import train


def means(found):
    return {one.model: one.mean for one in found}


def test_the_leaderboard_has_every_model_the_best_first(project, params):
    table = pd.read_csv("reports/leaderboard.csv")
    greater = metrics.find(params.metric, params.task).greater_is_better
    assert set(table["model"]) == set(params.train.models)
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
