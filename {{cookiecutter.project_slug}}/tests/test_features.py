import joblib
import made_up
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from {{cookiecutter.project_slug}}.contract import cells
from {{cookiecutter.project_slug}}.estimators import coded, neighbors, network, spline
from {{cookiecutter.project_slug}}.features import encoder, encoding, selection

SCALED = pytest.mark.parametrize("scaled", [True, False], ids=["scaled", "for trees"])


@pytest.fixture(params=["own", *made_up.TARGETS])
def learned(request, contract, typed):
    """A contract with a table of it, and the outcomes as numbers."""
    if request.param != "own":
        contract, typed = made_up.every_type(request.param)
    y = typed[contract.target]
    return contract, typed, y.to_numpy(float) if contract.classes is None else y.to_numpy(str)


def fit(contract, frame, y, scaled):
    return encoder.Encoder(encoder.kinds(contract), scaled=scaled).fit(frame, y)


def alone(fitted, contract, frame):
    """Encode each row of a table by itself, as a request of one row."""
    for row in cells.rows_of_table(frame, contract):
        columns = cells.columns_of_rows([row], contract)
        yield fitted.encode(encoding.with_engineered(columns))[0]


@SCALED
def test_a_row_gets_the_same_bits_alone_and_in_a_table(learned, scaled):
    contract, frame, y = learned
    fitted = fit(contract, frame, y, scaled)
    matrix = fitted.transform(frame)
    assert matrix.dtype == np.float64
    assert matrix.shape == (len(frame), fitted.width_)
    assert np.array_equal(np.array(list(alone(fitted, contract, frame))), matrix, equal_nan=True)


@SCALED
def test_order_and_surplus_of_columns_and_rows_do_not_matter(learned, scaled):
    contract, frame, y = learned
    fitted = fit(contract, frame, y, scaled)
    other = frame[frame.columns[::-1]].assign(surplus="?").iloc[::-1]
    np.testing.assert_array_equal(fitted.transform(other)[::-1], fitted.transform(frame))


@SCALED
def test_every_column_of_the_matrix_has_a_name_of_its_own(learned, scaled):
    fitted = fit(*learned, scaled)
    assert len(set(fitted.get_feature_names_out())) == fitted.width_


def test_scaled_matrices_are_complete_and_comparable(learned):
    matrix = fit(*learned, scaled=True).transform(learned[1])
    assert np.isfinite(matrix).all()
    assert np.abs(matrix).max() <= 10


@SCALED
def test_encoding_teaches_the_encoder_nothing(learned, scaled):
    contract, frame, y = learned
    half = len(frame) // 2
    fitted = fit(contract, frame[:half], y[:half], scaled)
    before = joblib.hash(fitted)
    fitted.transform(frame[half:])
    assert (
        joblib.hash(fitted) == before == joblib.hash(fit(contract, frame[:half], y[:half], scaled))
    )


def one_column(values, y=None, *, scaled=True, **column):
    contract = made_up.contract_of(x={"nullable": True, **column})
    dtype = {"number": "float64", "datetime": "datetime64[us]"}.get(column["type"], "str")
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    fitted = encoder.Encoder(encoder.kinds(contract), scaled=scaled)
    learned = fitted.fit_transform(frame, np.arange(len(frame), dtype=float) if y is None else y)
    return learned, lambda *cell: fitted.encode({"x": list(cell)})


def test_an_unknown_level_has_a_code_of_its_own():
    known, encode = one_column(["a", "b", None], type="category", levels=["a", "b", "c"])
    assert known.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert encode("c", None).tolist() == [[0, 0, 0], [0, 0, 1]]


def test_trees_see_codes_and_nan():
    known, encode = one_column(["b", "a"], type="category", levels=["a", "b"], scaled=False)
    assert known.tolist() == [[1], [0]]
    assert np.isnan(encode("c", None)).all()


def test_an_unknown_key_is_encoded_by_the_mean_of_all():
    y = np.array([0.0, 1.0] * 20)
    _, encode = one_column(["a", "b"] * 20, y, type="category", scaled=False)
    low, high, unknown = encode("a", "b", "z").ravel()
    assert low < unknown < high
    assert unknown == pytest.approx(y.mean())


def test_the_outcome_of_a_row_does_not_leak_into_its_own_key():
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    keys = [f"key {number}" for number in rng.integers(0, 200, 400)]
    crossed, encode = one_column(keys, y, type="category")
    assert abs(np.corrcoef(crossed.ravel(), y)[0, 1]) < 0.2
    assert np.corrcoef(encode(*keys).ravel(), y)[0, 1] > 0.5


def test_missing_numbers_become_the_median_and_are_marked():
    known, _ = one_column([1.0, 2.0, 6.0, None], type="number")
    filled = np.array([1.0, 2.0, 6.0, 2.0])
    np.testing.assert_allclose(known[:, 0], (filled - filled.mean()) / filled.std())
    assert known[:, 1].tolist() == [0, 0, 0, 1]


def test_a_moment_is_read_by_the_calendar():
    moments = ["1969-12-31T23:59:59", "2024-02-29T06:30:00", "2026-12-05T00:00:00"]
    encoded, _ = one_column(moments, type="datetime", scaled=False)
    stamps = pd.DatetimeIndex(moments)
    expected = [stamps.month - 1, stamps.day - 1, stamps.day_of_week, stamps.hour, stamps.minute]
    np.testing.assert_array_equal(encoded[:, 1:], np.column_stack(expected))
    assert encoded[0, 0] < encoded[1, 0] < encoded[2, 0]


def test_texts_that_share_words_are_nearer_than_texts_that_do_not():
    texts = ["red apple pie", "red apple tart", "fast blue car", "fast blue bike", None]
    encoded, encode = one_column(texts, type="text")
    assert encoded[0] @ encoded[1] > encoded[0] @ encoded[2]
    assert not encoded[4].any()
    assert not encode("nothing known").any()


def test_a_text_column_of_which_no_word_comes_twice_is_harmless():
    assert not one_column(["one", "two"], type="text")[0].any()


@pytest.mark.parametrize("name", encoding.FEATURES)
def test_an_engineered_feature_treats_each_row_by_itself(name, typed):
    function, inputs = encoding.FEATURES[name]
    columns = {column: cells.of_series(typed[column]) for column in inputs}
    together = encoding.with_engineered(columns)[name]
    single = [
        encoding.with_engineered({c: v[i : i + 1] for c, v in columns.items()})[name][0]
        for i in range(len(typed))
    ]
    np.testing.assert_array_equal(together, single)
    assert not np.isinf(together).any()
    assert name not in encoding.with_engineered({})
    assert function.__doc__


@pytest.mark.parametrize("task", made_up.TARGETS)
@pytest.mark.parametrize("name", selection.SELECTIONS)
def test_a_selection_keeps_what_tells_about_the_target(name, task):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(200, 5)), np.zeros(200)])
    y = (
        X[:, 2]
        if task == "regression"
        else np.digitize(X[:, 2], [0] if task == "binary" else [-1, 1])
    )
    step = selection.SELECTIONS[name](task, 0)
    kept = X if step == "passthrough" else step.fit(X, y).transform(X)
    assert X[:, 2] in kept.T
    assert kept.shape[1] == {"none": 6, "variance": 5}.get(name, 3)


@parametrize_with_checks(
    [
        encoder.Encoder(),
        encoder.Encoder(scaled=False),
        selection.Varying(),
        selection.Important(ExtraTreesClassifier(5, random_state=0), random_state=0),
        spline.Splines(),
        coded.CodedClasses(LogisticRegression()),
        neighbors.FewNeighborsClassifier(),
        neighbors.FewNeighborsRegressor(),
        network.CappedMLPClassifier(max_iter=100),
        network.CappedMLPRegressor(max_iter=100),
        network.CyclicMLPClassifier(max_iter=28),
        network.CyclicMLPRegressor(max_iter=28),
    ]
)
def test_transformers_keep_the_rules_of_scikit_learn(estimator, check):
    check(estimator)
