"""Tables of every type, made up: they can be learned from, and mutated ones are refused."""

import made_up
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from {{cookiecutter.project_slug}} import folds, models, predictions
from {{cookiecutter.project_slug}}.contract import table

WORDS = ["", "a", "ß", "two words", "-1", "NaN", "x" * 300, "日本", "0", "true"]
MAKERS = {
    "integer": lambda rng, size: rng.choice([0, -7, 2**53 + 1, -(2**62), 12], size).tolist(),
    "number": lambda rng, size: rng.choice([0.0, -1e300, 1e-300, 3.5, 1e308], size).tolist(),
    "boolean": lambda rng, size: rng.choice(["yes", "No", "TRUE", "0"], size).tolist(),
    "category": lambda rng, size: rng.choice(WORDS[1:], size).tolist(),
    "text": lambda rng, size: [" ".join(rng.choice(WORDS, 4)).strip() or "." for _ in range(size)],
    "datetime": lambda rng, size: rng.choice(
        ["1969-12-31", "2024-02-29T23:59:59.999999", "2024-01-01T00:00:00+05:30"], size
    ).tolist(),
}
GARBAGE = {"integer": "1.5", "number": "much", "boolean": "perhaps", "datetime": "someday"}


@st.composite
def tables(draw):
    """A contract with one to six columns of any type, and a raw table that keeps it."""
    task = draw(st.sampled_from(["binary", "multiclass", "regression"]))
    types = draw(st.lists(st.sampled_from(list(MAKERS)), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(24, 60))
    columns, cells = {}, {}
    for position, kind in enumerate(types):
        name = draw(st.sampled_from(["class", "a b", "é", "", "{x}", "target"])) + str(position)
        columns[name] = {"type": kind, "nullable": draw(st.booleans())}
        values = pd.Series(MAKERS[kind](rng, size), dtype=object)
        missing = draw(st.sampled_from([0.0, 0.3, 1.0])) if columns[name]["nullable"] else 0.0
        cells[name] = values.mask(rng.random(size) < missing)
    columns["outcome"] = made_up.TARGETS[task]
    contract = made_up.contract_of(**columns)
    classes = contract.classes or tuple(float(number) for number in range(size))
    cells["outcome"] = [classes[row % len(classes)] for row in range(size)]
    return task, contract, pd.DataFrame(cells)


@settings(max_examples=40, deadline=None)
@given(tables(), st.sampled_from(["linear", "tree", "boosting"]))
def test_any_table_can_be_learned_from_in_any_order(made, name):
    task, contract, raw = made
    checked = table.check(raw, contract)
    assert checked.invalid.empty, checked.invalid["reason"].iloc[0]
    rows = folds.Rows.of(checked.valid, contract)
    pipeline = models.build(models.MODELS[name], contract, task, 0).fit(rows.X, rows.y)
    expected = predictions.predict(pipeline, rows.X, rows.classes).values
    assert np.isfinite(expected).all()
    shuffled = raw.iloc[::-1, ::-1].assign(surplus="?")
    valid = table.check(shuffled, contract).valid
    found = predictions.predict(pipeline, valid, rows.classes).values
    np.testing.assert_allclose(found[::-1], expected, rtol=1e-12)  # BLAS sums in blocks of rows


@settings(max_examples=40, deadline=None)
@given(tables(), st.data())
def test_a_mutated_table_is_refused_by_the_name_of_the_column(made, data):
    _, contract, raw = made
    name = data.draw(st.sampled_from(list(contract.features)))
    with pytest.raises(Exception, match="lacks columns") as caught:
        table.check(raw.rename(columns={name: f"{name}?"}), contract)
    assert f"{name} (did you mean {name}??)" in str(caught.value)
    column = contract.columns[name]
    mutated = raw.astype({name: object})
    if column.type in GARBAGE:
        mutated.loc[3, name] = GARBAGE[column.type]
    elif not column.nullable:
        mutated.loc[3, name] = None
    else:
        return
    [reason] = table.check(mutated, contract).invalid["reason"]
    assert reason.startswith(f"{name}: ")
