import copy

import pytest

from {{cookiecutter.project_slug}} import verdicts


def ends(value, low, high, **more):
    return {"value": value, "low": low, "high": high, **more}


GOOD = {
    "metrics": {"roc_auc": ends(0.9, 0.85, 0.94)},
    "comparisons": {
        "baseline": ends(0.4, 0.35, 0.44),
        "linear": ends(0.02, 0.01, 0.03),
        "champion": ends(0.01, 0.001, 0.02, version="7"),
    },
    "calibration": ends(0.03, 0.0, 0.04),
    "slices": [ends(0.8, 0.7, 0.92, column="city", slice="Cork", rows=40, gap=0.1)],
    "fairness": {"sex": {"equalized_odds_difference": ends(0.03, 0.0, 0.08)}},
    "behaviour": [{"test": "row order", "column": None, "passed": True}],
    "doubling": 0.01,
}
QUESTIONS = ["constant", "linear", "model in use (version 7)", "probabilities", "everywhere"]
QUESTIONS += ["groups alike", "behave", "more data"]


@pytest.fixture
def binary(params):
    return params.model_copy(update={"task": "binary", "metric": "roc_auc"})


def found(results, params):
    return [(one.answer, one.mark) for one in verdicts.verdicts(results, params)]


def test_a_good_model_gets_a_yes_to_every_question(binary):
    answers = verdicts.verdicts(GOOD, binary)
    assert [(one.answer, one.mark) for one in answers] == [("Yes", "good")] * 8
    assert all(word in one.question for word, one in zip(QUESTIONS, answers, strict=True))


@pytest.mark.parametrize(
    ("part", "value", "place", "answer"),
    [
        ("linear", ends(0.0, -0.01, 0.01), 1, ("Not surely", "fair")),
        ("linear", ends(-0.1, -0.2, -0.05), 1, ("No", "bad")),
        ("champion", ends(0.0, 0.0, 0.0, version="7"), 2, ("As good", "fair")),
        ("calibration", ends(0.05, 0.02, 0.09), 3, ("Roughly", "fair")),
        ("calibration", ends(0.2, 0.1, 0.3), 3, ("No", "bad")),
        ("slices", [{**GOOD["slices"][0], "high": 0.85}] * 5, 4, ("Not everywhere", "fair")),
        ("fairness", {}, 5, ("Not known", "fair")),
        (
            "fairness",
            {"sex": {"equalized_odds_difference": ends(0.3, 0.2, 0.4)}},
            5,
            ("No", "bad"),
        ),
        ("behaviour", [{**GOOD["behaviour"][0], "passed": False}], 6, ("No", "bad")),
        ("doubling", None, 7, ("Not surely", "fair")),
    ],
)
def test_what_is_wrong_is_said(binary, part, value, place, answer):
    results = copy.deepcopy(GOOD)
    (results["comparisons"] if part in results["comparisons"] else results)[part] = value
    answers = found(results, binary)
    assert answers[place] == answer
    assert [one for i, one in enumerate(answers) if i != place] == [("Yes", "good")] * 7


def test_without_a_champion_it_is_not_asked_about(binary):
    results = copy.deepcopy(GOOD)
    results["comparisons"]["champion"] = None
    assert len(verdicts.verdicts(results, binary)) == 7


def test_gaps_of_numbers_are_shares_of_the_error(params):
    results = copy.deepcopy(GOOD)
    results["metrics"] = {"mae": ends(50.0, 45.0, 55.0)}
    results["fairness"] = {"sex": {"mean_absolute_error_difference": ends(20.0, 10.0, 30.0)}}
    numbers = params.model_copy(update={"task": "regression", "metric": "mae"})
    one = next(v for v in verdicts.verdicts(results, numbers) if "groups" in v.question)
    assert (one.answer, one.mark) == ("No", "bad")
    assert "40%" in one.why and "at least 20%" in one.why
