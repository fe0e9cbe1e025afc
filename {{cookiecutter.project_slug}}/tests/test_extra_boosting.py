import numpy as np
import pytest
from sklearn.base import clone

from {{cookiecutter.project_slug}}.estimators import extra_boosting


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(600, 4))


def regressor(random_state=0, **values):
    return extra_boosting.ExtraBoostingRegressor(max_iter=200, random_state=random_state, **values)


def classifier(**values):
    return extra_boosting.ExtraBoostingClassifier(max_iter=200, random_state=0, **values)


def test_numbers_are_learned_from_columns_with_gaps(X):
    y = X[:, 0] * X[:, 1]
    X[::5, 2] = np.nan
    y[::5] += 10  # a missing cell tells something
    model = regressor().fit(X[:450], y[:450])
    assert model.score(X[450:], y[450:]) > 0.9


@pytest.mark.parametrize("classes", [2, 4])
def test_classes_are_learned_with_their_probabilities(X, classes):
    ends = {2: [0.0], 4: [-0.5, 0.0, 0.5]}[classes]
    y = np.array(["d", "a", "c", "b"])[np.digitize(X[:, 0] * X[:, 1], ends)]
    model = classifier().fit(X[:450], y[:450])
    said = model.predict_proba(X)
    assert model.score(X[450:], y[450:]) > 0.8
    assert said.shape == (600, classes) and said.sum(axis=1) == pytest.approx(1)
    assert set(model.classes_) == set(y)


def test_a_model_is_that_of_its_seed(X):
    y = X[:, 0] * X[:, 1]
    one, same, other = (clone(regressor(random_state=s)).fit(X, y).predict(X) for s in (1, 1, 2))
    assert (one == same).all() and (one != other).any()


def test_a_row_gets_the_same_bits_alone_and_in_a_table(X):
    y = np.digitize(X[:, 0], [-1, 0, 1])
    model = classifier().fit(X, y)
    X[3, 0] = np.nan
    alone = np.vstack([model.predict_proba(row[None]) for row in X[:20]])
    assert (alone == model.predict_proba(X)[:20]).all()


def test_held_out_rows_say_after_how_many_rounds_to_stop(X):
    told, noise = X[:, 0] * X[:, 1] > 0, np.random.default_rng(1).random(600) > 0.5
    rounds = []
    for y in (told, noise):
        model = classifier().fit(X[:450], y[:450], X_val=X[450:], y_val=y[450:])
        rounds.append(model.n_iter_)
        alone = classifier().set_params(max_iter=model.n_iter_).fit(X[:450], y[:450])
        assert (alone.predict_proba(X) == model.predict_proba(X)).all()
    assert rounds[0] > rounds[1] and rounds[1] < 30


def test_no_second_round_begins_when_the_seconds_are_over(X):
    assert regressor().fit(X, X[:, 0], seconds=0.0).n_iter_ == 1


def test_what_was_set_is_as_it_was_after_a_fit(X):
    model = classifier(early_stopping=True)
    before = model.get_params()
    assert model.fit(X, X[:, 0] > 0).get_params() == before
    with pytest.raises(ValueError, match="inf"):
        model.fit(np.full_like(X, np.inf), X[:, 0] > 0)
    assert model.get_params() == before
