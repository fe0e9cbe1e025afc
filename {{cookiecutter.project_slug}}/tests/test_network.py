import numpy as np
import pytest

from {{cookiecutter.project_slug}}.estimators import network


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def drawn(rng, sizes):
    layers = network.Layers.empty(sizes)
    layers.values[:] = rng.normal(size=len(layers.values))
    return network.Layers(layers.values.astype(np.float64), sizes)


def test_gradients_are_the_slopes_of_the_loss(rng):
    sizes = [4, 5, 3, 2]
    layers, slopes = drawn(rng, sizes), drawn(rng, sizes)
    X, y = rng.normal(size=(7, 4)), rng.normal(size=(7, 2))

    def loss():
        return ((layers.forward(X)[-1] - y) ** 2).sum() / 2

    passed = layers.forward(X)
    layers.backward(X, passed, passed[-1] - y, 0.0, slopes)
    for position, slope in enumerate(slopes.values):
        value, ends = layers.values[position], []
        for shift in (1e-6, -1e-6):
            layers.values[position] = value + shift
            ends.append(loss())
        layers.values[position] = value
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-6)


def test_dropout_leaves_the_mean_as_it_is(rng):
    layers, X = drawn(rng, [3, 2000, 1]), rng.normal(size=(1, 3))
    _, inside, _ = layers.forward(X)
    _, dropped, _ = layers.forward(X, 0.25, np.random.RandomState(0))
    assert (dropped == 0).mean() == pytest.approx(0.25 + 0.75 * (inside == 0).mean(), abs=0.05)
    assert dropped.mean() == pytest.approx(inside.mean(), rel=0.1)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_product_of_two_columns_is_learned_on_any_scale(rng, scale):
    X = rng.normal(size=(900, 3))
    y = scale * (X[:, 0] * X[:, 1] + 5)
    model = network.CyclicMLPRegressor(random_state=0).fit(X[:600], y[:600])
    assert model.score(X[600:], y[600:]) > 0.95


def test_classes_are_learned_with_their_probabilities(rng):
    X = rng.normal(size=(1200, 2))
    y = np.where(X[:, 0] * X[:, 1] > 0, np.where(X[:, 0] > 0, "a", "b"), "c")
    for outcomes in (y, y == "c"):
        model = network.CyclicMLPClassifier(random_state=0).fit(X[:900], outcomes[:900])
        assert model.score(X[900:], outcomes[900:]) > 0.95
        assert model.predict_proba(X).sum(axis=1) == pytest.approx(1)


def test_held_out_rows_say_after_which_cycle_to_stop(rng):
    X = rng.normal(size=(400, 5))
    told, noise = X[:, 0] > 0, rng.random(400) > 0.5
    for y, longest in ((told, 252), (noise, 4)):
        model = network.CyclicMLPClassifier(random_state=0)
        model.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
        assert model.n_iter_ in {4, 12, 28, 60, 124, 252}
        assert model.n_iter_ <= longest
        alone = network.CyclicMLPClassifier(max_iter=model.n_iter_, random_state=0)
        assert alone.fit(X[:300], y[:300]).n_iter_ == model.n_iter_


def test_a_fit_stops_after_the_epoch_in_which_its_seconds_are_over(rng):
    X = rng.normal(size=(400, 5))
    model = network.CyclicMLPRegressor(random_state=0).fit(X, X[:, 0], seconds=0.0)
    assert model.n_iter_ == 1
    assert np.isfinite(model.predict(X)).all()
