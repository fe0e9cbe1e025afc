import made_up
import numpy as np
import pandas as pd
import pytest

from {{cookiecutter.project_slug}}.stages import preprocess


@pytest.fixture(scope="session")
def prepared(raw, contract, params):
    return preprocess.prepare(raw, contract, params)


def table(size=400, **columns):
    rng = np.random.default_rng(1)
    return pd.DataFrame({"x": rng.normal(size=size), **columns, "y": rng.normal(size=size)})


GROUP = {"x": {"type": "number"}, "g": {"type": "category", "role": "group"}}
TIME = {"x": {"type": "number"}, "t": {"type": "datetime", "role": "time"}}


def keys(frame):
    return set(pd.util.hash_pandas_object(frame[sorted(frame.columns)], index=False))


def test_every_row_is_in_train_or_test_and_none_in_both(prepared, typed):
    assert len(prepared.train) + len(prepared.test) == len(typed)
    assert not keys(prepared.train) & keys(prepared.test)
    assert keys(prepared.train) | keys(prepared.test) == keys(typed)


def test_each_class_is_in_train_and_test(prepared, contract):
    y = [part[contract.target] for part in (prepared.train, prepared.test)]
    for label in contract.classes or ():
        assert all((part == label).any() for part in y)


def test_rows_without_target_and_duplicates_and_broken_rows_are_left_out_and_counted(
    raw, prepared, contract, params
):
    unknown = raw.head(3).astype(object).assign(**{contract.target: None})
    broken = raw.head(1).astype(object).assign(**{raw.columns[-1]: "nonsense"})
    found = preprocess.prepare(
        pd.concat([raw.astype(object), raw.head(2).astype(object), unknown, broken]),
        contract,
        params,
    )
    assert found.counts == {
        "rows": len(raw) + 6,
        "invalid": 1,
        "without_target": 3,
        "duplicates": 2,
        "train": len(prepared.train),
        "test": len(prepared.test),
    }
    assert "nonsense" in found.quarantine["reason"].iloc[0]
    assert found.train.equals(prepared.train)
    assert found.test.equals(prepared.test)


def test_the_order_of_rows_and_columns_changes_no_side(raw, prepared, contract, params):
    other = raw.sample(frac=1, random_state=5)[raw.columns[::-1]]
    found = preprocess.prepare(other, contract, params)
    if contract.name("time"):
        assert len(found.test) == len(prepared.test)
    else:
        assert keys(found.test) == keys(prepared.test)


def test_a_row_keeps_its_side_when_rows_are_appended():
    contract = made_up.contract_of(x={"type": "number"})
    rows = table()
    train, test = preprocess.split(rows.head(300), contract, 0.25, 20)
    more_train, more_test = preprocess.split(rows, contract, 0.25, 20)
    assert keys(train) < keys(more_train)
    assert keys(test) < keys(more_test)
    assert 0.15 < len(more_test) / len(rows) < 0.35


def test_equal_rows_are_on_both_sides_and_keep_them_when_others_are_appended():
    contract = made_up.contract_of(x={"type": "number"})
    rows = pd.concat([table().head(20)] * 20, ignore_index=True)
    train, test = preprocess.split(rows.head(300), contract, 0.25, 20)
    assert keys(train) == keys(test) == keys(rows)
    more = preprocess.split(rows, contract, 0.25, 20)
    for before, after in zip((train, test), more, strict=True):
        assert len(before) < len(after)
        assert (after["x"].value_counts().sub(before["x"].value_counts()) >= 0).all()


def test_another_seed_makes_another_split():
    contract = made_up.contract_of(x={"type": "number"})
    one, other = (keys(preprocess.split(table(), contract, 0.25, seed)[1]) for seed in (1, 2))
    assert one != other


def test_a_group_is_never_on_both_sides():
    rows = table(g=[f"group {i % 40}" for i in range(400)])
    train, test = preprocess.split(rows, made_up.contract_of(**GROUP), 0.25, 20)
    assert set(train["g"]) | set(test["g"]) == set(rows["g"])
    assert not set(train["g"]) & set(test["g"])


def test_the_latest_rows_are_the_test_and_equal_moments_stay_together():
    days = pd.to_datetime("2026-01-01") + pd.to_timedelta(np.arange(400) // 30, "D")
    rows = table(t=days).sample(frac=1, random_state=0)
    train, test = preprocess.split(rows, made_up.contract_of(**TIME), 0.25, 20)
    assert train["t"].max() < test["t"].min()
    assert train["t"].is_monotonic_increasing
    assert 100 <= len(test) < 130


def test_a_rare_class_has_a_row_in_the_test_and_most_of_the_others_to_train():
    contract = made_up.contract_of(x={"type": "number"}, y=made_up.TARGETS["binary"])
    for size, seed in [(1, 20), (2, 20), (3, 20), *((5, seed) for seed in range(9))]:
        rows = table().assign(y=["a"] * size + ["b"] * (400 - size))
        train, test = preprocess.split(rows, contract, 0.2, seed)
        learned, held_out = [(part["y"] == "a").sum() for part in (train, test)]
        assert learned >= size * 0.4
        assert held_out >= min(1, size - 1)


def test_too_many_broken_rows_stop_the_stage(raw, contract, params, refused):
    broken = raw.astype(object)
    broken.iloc[: len(raw) // 2, -1] = "nonsense"
    with refused(f"{len(raw) // 2} of {len(raw)}", "preprocess.max_invalid", "'nonsense'"):
        preprocess.prepare(broken, contract, params)


def test_a_table_from_which_nothing_can_be_learned_is_refused(raw, contract, params, refused):
    with refused("rows are left after the split", "preprocess.test_size"):
        preprocess.prepare(raw.head(1), contract, params)
    same = raw.astype(object).assign(**{contract.target: raw[contract.target].iloc[0]})
    with refused(contract.target, "in every training row"):
        preprocess.prepare(same, contract, params)


def test_a_table_without_rows_or_targets_or_values_is_refused(raw, contract, params, refused):
    with refused("the table has no rows"):
        preprocess.prepare(raw.head(0), contract, params)
    by_time = made_up.contract_of(**TIME)
    rows = table(t="2026-01-01").assign(y=None)
    with refused("no row has a target", "y is missing in all 400 rows"):
        preprocess.prepare(rows, by_time, params.model_copy(update={"task": "regression"}))
    nothing = made_up.contract_of(x={"type": "number", "nullable": True})
    with refused("no feature has a value"):
        preprocess.prepare(
            table().assign(x=None), nothing, params.model_copy(update={"task": "regression"})
        )


def test_a_task_that_does_not_suit_the_target_is_refused(raw, contract, params, refused):
    other = "binary" if contract.classes is None else "regression"
    with refused("params.yaml: task", f"set task: {params.task}"):
        preprocess.prepare(raw, contract, params.model_copy(update={"task": other}))


def test_a_failed_stage_leaves_the_earlier_split(project, edit, command, capsys):
    before = keys(pd.read_parquet("data/split/train.parquet"))
    assert command("preprocess") == 0
    edit(project / "params.yaml", "preprocess.max_invalid", 0)
    spoilt = pd.read_parquet("data/raw/table.parquet").astype(object)
    spoilt.iloc[0, -1] = "nonsense"
    spoilt.astype({spoilt.columns[-1]: str}).to_parquet("data/raw/table.parquet")
    assert command("preprocess") == 2
    assert "preprocess.max_invalid" in capsys.readouterr().err
    assert keys(pd.read_parquet("data/split/train.parquet")) == before
