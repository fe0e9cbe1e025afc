import itertools
import subprocess
import sys
from datetime import datetime

import made_up
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{cookiecutter.project_slug}} import (
    bundle,
    errors,
    folds,
    models,
    predictions,
    scorer,
)
from {{cookiecutter.project_slug}}.contract import cells
from {{cookiecutter.project_slug}}.estimators import boosting
from {{cookiecutter.project_slug}}.features import encoder, encoding
from {{cookiecutter.project_slug}}.scorer import (
    answers,
    compilation,
    kernels,
    masks,
    parity,
    rows,
    storage,
)

BY_SCIKIT_LEARN = {"neighbors", "svm", "lightgbm", "xgboost"}
COMBINATIONS = [
    (task, name)
    for task, name in itertools.product(made_up.TARGETS, models.MODELS)
    if models.MODELS[name].suits(task, 0) and name not in BY_SCIKIT_LEARN
]


def learned(task, *names, parameters=None, power=1):
    contract, frame = made_up.every_type(task)
    if task == "regression":
        frame["outcome"] = frame["outcome"].abs() ** power
    known = folds.Rows.of(frame, contract)
    built = [models.build(models.MODELS[n], contract, task, 1, parameters or {}) for n in names]
    fitted = [one.fit(known.X, known.y) for one in built]
    return made_up.ensemble_of(known, *fitted), contract, cells.rows_of_table(frame, contract)


def columns(asked, contract):
    return encoding.with_engineered(cells.columns_of_rows(asked, contract))


@pytest.mark.parametrize(("task", "name"), COMBINATIONS)
def test_plain_numbers_say_what_the_pipeline_says_also_where_trees_split(task, name):
    model, contract, asked = learned(task, name)
    plain = compilation.compile(model)
    every = columns([*asked, *parity.probes(model, asked, contract)], contract)
    expected = model.score_cells(every)
    assert predictions.apart(plain.score_cells(every), expected) <= bundle.PARITY
    assert np.isfinite(expected).all()


@pytest.mark.parametrize(("task", "name"), COMBINATIONS)
def test_a_row_gets_the_same_bits_alone_as_with_others(task, name):
    model, contract, asked = learned(task, name)
    plain = compilation.compile(model)
    together = plain.score_cells(columns(asked, contract))
    alone = [plain.score_cells(columns([row], contract))[0] for row in asked[:40]]
    few = plain.score_cells(columns(asked[:3], contract))
    np.testing.assert_array_equal(np.array(alone), together[:40])
    np.testing.assert_array_equal(few, together[:3])


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_a_row_gets_the_same_bits_in_a_table_of_many(task):
    model, contract, known = learned(task, "boosting")
    plain = compilation.compile(model)
    asked = [*known, *parity.probes(model, known, contract)]
    assert len(asked) < answers.MANY
    few = plain.score_cells(columns(asked, contract))
    times = answers.BLOCK // len(asked) + 2
    many = plain.score_cells(columns(asked * times, contract))
    np.testing.assert_array_equal(many, np.concatenate([few] * times))
    assert plain.members[0].kernels[0].answers, "the trees are small enough"


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_small_trees_say_the_same_bits_by_masks_as_by_their_graph(task, monkeypatch):
    model, contract, known = learned(task, "boosting")
    plain = compilation.compile(model)
    asked = [*known, *parity.probes(model, known, contract)]
    assert len(asked) > masks.BLOCK
    said = [plain.score_cells(columns(asked[:count], contract)) for count in (masks.FEW, None)]
    assert plain.members[0].kernels[0].masks, "the trees are small enough"
    monkeypatch.setattr(masks, "LARGEST", 0)
    graph = compilation.compile(model)
    by_graph = graph.score_cells(columns(asked, contract))
    assert not graph.members[0].kernels[0].masks
    np.testing.assert_array_equal(said[0], by_graph[: masks.FEW])
    np.testing.assert_array_equal(said[1], by_graph)


def test_a_tree_that_all_classes_share_is_written_once_and_says_the_same(monkeypatch):
    model, contract, known = learned("multiclass", "extra_boosting")
    asked = [*known, *parity.probes(model, known, contract)]
    every = columns(asked, contract)
    once = compilation.compile(model)
    monkeypatch.setattr(compilation, "MANY_NODES", np.inf)
    each = compilation.compile(model)
    graphs = [plain.members[0].kernels[0].graph for plain in (once, each)]
    assert len(graphs[0]) < len(graphs[1]) / 2
    said = once.score_cells(every)
    np.testing.assert_allclose(said, each.score_cells(every), atol=1e-14)
    alone = [once.score_cells(columns([row], contract))[0] for row in asked[:40]]
    np.testing.assert_array_equal(alone, said[:40])
    monkeypatch.setattr(kernels, "LOOKED_UP", 1)
    np.testing.assert_array_equal(once.score_cells(every), said)


def test_a_whole_number_beyond_doubles_is_rounded_alone_as_in_a_matrix():
    edge = 2**53
    X, y = np.repeat([[edge - 2.0], [edge + 2.0]], 50, axis=0), np.repeat([0.0, 1.0], 50)
    (trees,) = compilation._kernels(boosting.QuickBoostingRegressor().fit(X, y))
    assert trees.masks.gaps[0].thresholds == [edge]
    for cell in (edge - 1, edge, edge + 1, edge + 2):
        assert trees.row([cell]) == trees(np.array([[float(cell)]])).tolist()[0]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_question_about_missing_levels_alone_is_asked(sign):
    X = np.tile([[0.0], [np.nan]], (masks.FEW + 50, 1))
    y = sign * np.isnan(X[:, 0])
    model = boosting.QuickBoostingRegressor(categorical_features=[0], max_iter=3).fit(X, y)
    (trees,) = compilation._kernels(model)
    assert [*trees.masks.levels[0].masks] == [masks.NO_LEVEL]
    said = trees(X)[:, 0]
    np.testing.assert_allclose(said, model.predict(X))
    np.testing.assert_array_equal(said, [trees.row(row)[0] for row in X.tolist()])


def test_trees_that_are_large_or_a_single_leaf_are_scored_as_well():
    rng, half = np.random.default_rng(0), answers.MANY // 2
    X, y = rng.normal(size=(2 * half, 3)), rng.random(2 * half)
    model = boosting.QuickBoostingRegressor(max_iter=3, min_samples_leaf=1)
    for leaves, is_small in ((2, True), (None, False)):
        (trees,) = compilation._kernels(model.set_params(max_leaf_nodes=leaves).fit(X, y))
        assert bool(trees.answers) == is_small
        parts = np.concatenate([trees(X[:half]), trees(X[half:])])
        np.testing.assert_array_equal(trees(X), parts)
    (trees,) = compilation._kernels(model.fit(X, np.ones(len(X))))
    np.testing.assert_array_equal(trees(X)[:, 0], model.predict(X))


@pytest.mark.parametrize("task", made_up.TARGETS)
def test_a_scorer_is_the_same_after_it_was_written_and_read(task, tmp_path):
    model, contract, asked = learned(task, "linear", "boosting", "mlp")
    plain = compilation.compile(model)
    storage.save(tmp_path / "scorer.npz", plain)
    read = storage.load(tmp_path / "scorer.npz")
    every = columns(asked, contract)
    np.testing.assert_array_equal(read.score_cells(every), plain.score_cells(every))


def test_the_logarithm_of_a_target_is_undone():
    model, contract, asked = learned(
        "regression", "boosting", parameters={"target": "logarithm"}, power=2
    )
    every = columns(asked, contract)
    plain = compilation.compile(model)
    assert predictions.apart(plain.score_cells(every), model.score_cells(every)) <= bundle.PARITY


def test_a_tree_that_is_a_single_leaf_has_a_plain_form():
    model, contract, asked = learned(
        "regression", "tree", parameters={"model__min_samples_leaf": 150}
    )
    every = columns(asked, contract)
    plain = compilation.compile(model)
    np.testing.assert_array_equal(plain.score_cells(every), model.score_cells(every))


@pytest.mark.parametrize("name", ["neighbors", "svm"])
def test_a_model_without_a_plain_form_is_scored_by_scikit_learn(name, tmp_path):
    model, contract, asked = learned("binary", name)
    with pytest.raises(compilation.NotCompiled):
        compilation.compile(model)
    saved = bundle.save(tmp_path / "model", model, contract, asked[:5])
    assert saved.compiled is None
    assert "scikit-learn" in saved.manifest["scorer"]
    expected = model.score_cells(columns(asked, contract))
    np.testing.assert_array_equal(saved.score(asked).values, expected)


def test_a_plain_form_that_says_something_else_is_not_used(tmp_path, monkeypatch):
    model, contract, asked = learned("binary", "linear")
    plain = compilation.compile(model)
    linear = next(k for k in plain.members[0].kernels if isinstance(k, kernels.Linear))
    linear.intercept = linear.intercept + 1e-6
    monkeypatch.setattr(parity, "compile", lambda _: plain)
    saved = bundle.save(tmp_path / "model", model, contract, asked[:5])
    assert saved.compiled is None
    assert "away from" in saved.manifest["scorer"]


def test_a_compiled_bundle_is_loaded_and_scores_without_scikit_learn_or_pandas(tmp_path):
    model, contract, asked = learned("binary", "boosting", "linear")
    saved = bundle.save(tmp_path / "model", model, contract, asked[:5])
    assert saved.manifest["scorer"] == "compiled"
    package = bundle.__name__.partition(".")[0]
    program = (
        "import sys, pathlib\n"
        f"from {package} import bundle\n"
        "bundle.load(pathlib.Path(sys.argv[1]))\n"
        "absent = {'sklearn', 'scipy', 'pandas', 'skops', 'mlflow', 'onnx', 'onnxruntime'}\n"
        "heavy = absent & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "model")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


NUMBERS = st.one_of(st.none(), st.floats(width=64))


@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_a_number_is_encoded_alone_as_in_a_column(found):
    column = [float("nan") if cell is None else cell for cell in found]
    for encoded in (
        encoding.Number(),
        encoding.ScaledNumber(1.5, 2.0, 0.1, True),
        encoding.ScaledNumber(1.5, 2.0, 1e-300, False),
    ):
        alone = [list(rows.quick(encoded)(cell)) for cell in found]
        np.testing.assert_array_equal(np.array(alone), encoded.encode(column))


@given(st.lists(st.none() | st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=5))
def test_a_level_is_encoded_alone_as_in_a_column(found):
    encoded = encoding.Level({"a": 0, "b": 1}, np.arange(8.0).reshape(4, 2))
    alone = [list(rows.quick(encoded)(cell)) for cell in found]
    np.testing.assert_array_equal(np.array(alone), encoded.encode(found))


MOMENTS = st.datetimes().map(lambda moment: (moment - datetime(1970, 1, 1)).total_seconds())


@given(st.lists(st.none() | MOMENTS, min_size=1, max_size=5))
def test_a_moment_is_encoded_alone_as_in_a_column(found):
    column = [float("nan") if cell is None else cell for cell in found]
    tables = {part: np.arange(size + 1.0).reshape(-1, 1) for part, size in encoding.PARTS.items()}
    encoded = encoding.Moment([*encoding.PARTS], tables, encoding.Number())
    alone = [list(rows.quick(encoded)(cell)) for cell in found]
    np.testing.assert_array_equal(np.array(alone), encoded.encode(column))


def test_a_file_that_is_no_scorer_is_refused(tmp_path):
    path = tmp_path / "scorer.npz"
    for content in (b"", b"PK", b"not an archive"):
        path.write_bytes(content)
        with pytest.raises(errors.InputError, match="not a compiled model"):
            storage.load(path)
    np.savez(path, layout=np.array('{"kind": "Sigmoid", "fields": {}}'))
    with pytest.raises(errors.InputError, match="holds a Sigmoid"):
        storage.load(path)
    np.savez(path, layout=np.array([object()]))
    with pytest.raises(errors.InputError, match="not a compiled model"):
        storage.load(path)


def test_every_encoding_and_kernel_can_be_stored():
    assert {"Level", "Moment", "Trees", "Gaussians", "Scorer"} <= set(storage.KINDS)
    assert storage.KINDS["Scorer"] is scorer.Scorer
    assert encoder.Encoder.__name__ not in storage.KINDS, "that is of scikit-learn"
