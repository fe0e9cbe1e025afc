import made_up
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from {{cookiecutter.project_slug}} import association
from {{cookiecutter.project_slug}}.contract import Column

NUMBER, CATEGORY = Column(type="number"), Column(type="category")


def ranked(strength, rng):
    x = rng.normal(size=200)
    y = strength * x + np.sqrt(1 - strength**2) * rng.normal(size=200)
    truth = 6 / np.pi * np.arcsin(strength / 2)  # of normal variables
    return association.spearman(stats.rankdata(x), stats.rankdata(y)), truth


def grouped(strength, rng):
    groups = np.repeat([0, 1, 2], 70)
    means = np.array([-1.0, 0.0, 1.0]) * np.sqrt(1.5 * strength**2 / (1 - strength**2))
    return association.correlation_ratio(means[groups] + rng.normal(size=210), groups), strength


def crossed(strength, rng):
    cells = np.full((3, 3), (1 - strength) / 9) + np.eye(3) * strength / 3
    drawn = rng.choice(9, 300, p=cells.ravel())
    return association.cramer(drawn // 3, drawn % 3), strength


@pytest.mark.parametrize("make", [ranked, grouped, crossed])
@pytest.mark.parametrize("strength", [0.0, 0.3, 0.8])
def test_an_interval_holds_the_truth_about_as_often_as_it_says(make, strength):
    rng = np.random.default_rng(0)
    found = [make(strength, rng) for _ in range(200)]
    held = [one.low - 1e-9 <= truth <= one.high + 1e-9 for one, truth in found]
    assert 0.91 <= np.mean(held) <= 1
    assert np.mean([one.value for one, _ in found]) == pytest.approx(found[0][1], abs=0.05)


def test_each_pair_of_types_has_its_statistic():
    number = pd.Series(np.arange(60.0))
    category = pd.Series(["a", "b", "c"] * 20)
    for cells, column, target, goal, measure in [
        (number, NUMBER, number**2, NUMBER, "Spearman"),
        (number, NUMBER, category, CATEGORY, "correlation ratio"),
        (category, CATEGORY, number, NUMBER, "correlation ratio"),
        (category, CATEGORY, category, CATEGORY, "Cramér's V"),
    ]:
        found = association.associate(cells, column, target, goal)
        assert found.measure == measure
        assert found.low <= found.value <= found.high
    perfect = association.associate(category, CATEGORY, category.str.upper(), CATEGORY)
    assert (perfect.value, perfect.low) == (1, 1)
    assert association.associate(number, NUMBER, number**2, NUMBER).value == pytest.approx(1)


def test_there_is_none_for_texts_and_for_what_does_not_vary():
    number = pd.Series(np.arange(60.0))
    text = Column(type="text")
    assert association.associate(number.astype(str), text, number, NUMBER) is None
    assert association.associate(number * 0, NUMBER, number, NUMBER) is None
    assert association.associate(number.where(number < 3), NUMBER, number, NUMBER) is None


def test_a_category_of_many_levels_is_measured_by_its_frequent_ones():
    rng = np.random.default_rng(0)
    levels = pd.Series([f"l{number}" for number in rng.integers(0, 500, 900)])
    found = association.associate(levels, CATEGORY, pd.Series(rng.normal(size=900)), NUMBER)
    assert found.low == 0 and found.value < 0.25


def test_the_features_that_go_most_with_the_target_are_the_strongest():
    contract, frame = made_up.every_type("regression")
    y, X = frame["outcome"], frame[list(contract.features)]
    assert association.strongest(X, y, contract, 2) == ["whole", "note"]  # a text may matter
    assert association.strongest(X, y, contract, 99) == list(contract.features)
