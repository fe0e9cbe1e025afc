import shutil

import pydantic
import pytest

from {{cookiecutter.project_slug}} import config


@pytest.fixture
def path(root, tmp_path):
    return shutil.copy(root / "params.yaml", tmp_path / "params.yaml")


def test_the_projects_own_params_are_accepted(root):
    assert config.Params.load(root / "params.yaml").train.folds


@pytest.mark.parametrize(
    ("key", "value", "messages"),
    [
        ("tune.trails", 5, ["tune.trails is unknown", "did you mean trials?", "seconds"]),
        ("zebra", 5, ["zebra is unknown", "Known here: seed, task"]),
        ("evaluate", None, ["evaluate is missing"]),
        ("train.folds", None, ["train.folds is missing"]),
        ("seed", "twenty", ["seed", "'twenty' was given"]),
        ("preprocess.test_size", "0.2", ["preprocess.test_size", "number"]),
        ("preprocess.test_size", 1.5, ["preprocess.test_size", "1.5"]),
        ("release.min_gain", float("nan"), ["release.min_gain", "finite"]),
        ("train.folds", 1, ["train.folds", "greater than or equal to 2"]),
        ("train.models", [], ["train.models"]),
        ("train.models", [3], ["train.models.0", "string"]),
        ("task", "clustering", ["task", "'clustering' was given", "regression"]),
        ("tune", 3, ["tune", "3 was given"]),
        ("compute.workers", 0, ["compute.workers"]),
        ("compute.backend", "cluster", ["compute.backend", "'cluster' was given", "dask"]),
        ("tune.seconds", None, ["tune: needs seconds or trials"]),
        ("tune.prefer", "cheap", ["tune.prefer", "'cheap' was given", "balanced"]),
        ("tune.costs", {"yes": 5}, ["tune.costs.yes"]),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(path, edit, refused, key, value, messages):
    edit(path, key, value)
    with refused("params.yaml: ", *messages):
        config.Params.load(path)


def test_all_wrong_values_are_named_at_once(path, edit, refused):
    edit(path, "seed", -1)
    edit(path, "tune.trials", 0)
    with refused("seed", "tune.trials"):
        config.Params.load(path)


@pytest.mark.parametrize(
    "text",
    [b"seed: [1", b"- seed\n- task", b"", b"seed: 1\nseed: 2", b"metric: \xe9", b"\tseed: 1"],
)
def test_a_file_that_is_no_mapping_is_refused_by_its_name(path, refused, text):
    path.write_bytes(text)
    with refused("params.yaml: "):
        config.Params.load(path)


def test_a_missing_file_is_refused_with_a_remedy(tmp_path, refused):
    with refused("params.yaml", "not there", "git checkout"):
        config.Params.load(tmp_path / "params.yaml")


def test_params_cannot_be_changed(params):
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        params.seed = 1


def test_a_bare_no_is_a_word_as_in_yaml_1_2(path, refused):
    path.write_text(path.read_text().replace("\nmetric: ", "\nmetric: no # "))
    assert config.Params.load(path).metric == "no"
