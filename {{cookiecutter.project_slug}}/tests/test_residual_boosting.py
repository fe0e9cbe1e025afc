import numpy as np
import pytest
from sklearn.base import clone

from {{cookiecutter.project_slug}} import models


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(900, 3))


def regressor(random_state=0, **values):
    family = clone(models.MODELS["residual_boosting"].regressor)
    rounds = {"boosting__max_iter": 100, "boosting__random_state": 0}
    return family.set_params(random_state=random_state, **{**rounds, **values})


def error(model, X, y):
    return np.mean((model.predict(X) - y) ** 2)


def test_a_trend_and_what_columns_do_together_are_learned_better_than_by_either_part(X):
    y = 20 * X[:, 0] + 5 * (X[:, 1] > 0) * (X[:, 2] > 0)
    model = regressor().fit(X[:600], y[:600])
    rest = X[600:], y[600:]
    for part in (model.linear, model.boosting):
        assert error(model, *rest) < 0.5 * error(clone(part).fit(X[:600], y[:600]), *rest)


def test_the_trend_stays_within_the_outcomes_that_were_seen(X):
    model = regressor().fit(X, X[:, 0])
    said = model.predict(np.array([[1e6, 0.0, 0.0], [-1e6, 0.0, 0.0]]))
    assert said == pytest.approx([X[:, 0].max(), X[:, 0].min()], abs=0.5)


def test_held_out_rows_say_after_how_many_rounds_to_stop(X):
    told = X[:, 0] * X[:, 1]
    noise = np.random.default_rng(1).normal(size=900)
    rounds = []
    for y in (told, noise):
        model = regressor(boosting__early_stopping=True)
        model.fit(X[:600], y[:600], X_val=X[600:], y_val=y[600:])
        rounds.append(model.n_iter_)
    assert rounds[0] > rounds[1] and rounds[1] < 60


def test_no_second_round_begins_when_the_seconds_are_over(X):
    model = regressor(boosting__early_stopping=True)
    model.fit(X[:600], X[:600, 0], X_val=X[600:], y_val=X[600:, 0], seconds=0.0)
    assert model.n_iter_ == 1


def test_a_model_is_that_of_its_seed(X):
    y = X[:, 0] * X[:, 1]
    one, same, other = (regressor(seed).fit(X, y).predict(X) for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any()
