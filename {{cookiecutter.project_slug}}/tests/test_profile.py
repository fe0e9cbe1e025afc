import made_up
import pandas as pd
import pytest

from {{cookiecutter.project_slug}} import profile
from {{cookiecutter.project_slug}}.contract.inference import Finding


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_column_is_shown_the_target_first_then_the_strongest(task):
    contract, frame = made_up.every_type(task)
    findings = [Finding(name, column, "because") for name, column in contract.columns.items()]
    found = profile.profiles(frame, contract, findings)
    assert [one.finding.name for one in found][:2] == ["outcome", "whole"]
    assert {one.finding.name for one in found} == set(contract.columns)
    assert found[1].association.low > 0.5
    page = profile.render(found, len(frame), "a <b> table", ["a note"], ["a leak"])
    for shown in (*contract.columns, "a &lt;b&gt; table", "a note", "a leak", "because"):
        assert shown in page
    assert "http" not in page  # nothing is loaded


def test_shares_of_bins_and_levels_add_up():
    numbers = profile.distribution(pd.Series(range(100)))
    moments = profile.distribution(pd.Series(pd.date_range("2024-01-01", periods=50)))
    for bars in (numbers, moments):
        assert len(bars) == profile.BINS
        assert sum(bar.share for bar in bars) == pytest.approx(1)
    assert moments[0].label.startswith("2024-01-01 00:00:00 to ")
    levels = profile.distribution(pd.Series(["a"] * 3 + ["b"]))
    assert [(bar.label, bar.share) for bar in levels] == [("a", 0.75), ("b", 0.25)]
    assert profile.distribution(pd.Series([], dtype=float)) == []
    huge = profile.distribution(pd.Series([-1.7e308, *range(20), 1.7e308]))
    assert sum(bar.share for bar in huge) == pytest.approx(1)
