import json

import filelock
import mlflow
import numpy as np
import pytest
from released import another_candidate, rewrite

from {{cookiecutter.project_slug}} import bundle, tracking, versions


def verdict(project):
    return json.loads((project / "reports/release.json").read_text())


def registered(alias):
    tracking.connect()
    return mlflow.MlflowClient().get_model_version_by_alias(tracking.NAME, alias)


NO_GAIN = {"gain": {"value": 0.1, "low": 0.0, "high": 0.2}}


def test_a_model_that_passes_becomes_the_champion(project, champion):
    assert verdict(project)["passed"]
    assert (project / "models/champion").readlink().as_posix() == "versions/1"
    assert champion.manifest["name"] == tracking.NAME
    assert champion.manifest["verdict"]["passed"]


def test_the_next_model_that_passes_is_the_next_version_and_the_last_one_stays(project, command):
    before = versions.current()
    another_candidate(project)
    assert command("release") == 0
    now = bundle.load(project / "models/champion").manifest
    assert int(now["version"]) > int(before)
    assert now["version"] == verdict(project)["version"]
    assert bundle.load(project / "models/versions" / before)
    assert str(registered("champion").version) == now["registered"]
    assert registered("champion").tags["verdict"] == "passed the gate"


def test_a_model_that_is_the_champion_already_is_not_released_twice(project, command):
    before = versions.names(), versions.history()
    assert command("release") == 0
    assert (versions.names(), versions.history()) == before


@pytest.mark.parametrize(
    ("changes", "rule"),
    [(NO_GAIN, "better than the baseline"), ({"disagreement": 1e-3}, "requests and tables agree")],
)
def test_a_model_that_breaks_a_rule_is_refused_and_the_champion_stays(
    project, command, capsys, changes, rule
):
    before = (project / "models/champion").readlink()
    rewrite(project, **changes)
    assert command("release") == 3
    shown = capsys.readouterr()
    assert f"refused ({rule})" in shown.err
    assert "fail" in shown.out
    assert (project / "models/champion").readlink() == before
    assert not verdict(project)["passed"]
    assert [found["name"] for found in verdict(project)["rules"] if not found["passed"]] == [rule]
    refused = registered("challenger")
    assert str(refused.version) == verdict(project)["version"]
    assert rule in refused.description
    assert refused.tags["verdict"] == f"refused: {rule}"
    assert refused.tags[f"rule.{rule}"] == "failed"


def test_a_model_of_outcomes_that_are_chance_is_refused_and_the_champion_stays(
    project, raw, contract, command, capsys
):
    y = np.random.default_rng(3).permutation(raw[contract.target])
    raw.assign(**{contract.target: y}).to_parquet(project / "data/rows.parquet", index=False)
    stages = ("collect", "preprocess", "train", "tune", "evaluate", "release")
    assert [command(stage) for stage in stages] == [0, 0, 0, 0, 0, 3]
    assert "better than the baseline" in capsys.readouterr().err
    assert bundle.load(project / "models/champion").manifest["version"] == "1"


def test_a_model_that_was_given_a_copy_of_the_target_is_refused(
    project, raw, contract, edit, command, capsys
):
    column = contract.columns[contract.target].model_dump(exclude_defaults=True)
    copy = {key: value for key, value in column.items() if key not in ("role", "positive")}
    edit(project / "contract.yaml", "columns.told afterwards", copy)
    told = raw.assign(**{"told afterwards": raw[contract.target]})
    told.to_parquet(project / "data/rows.parquet", index=False)
    stages = ("collect", "preprocess", "train", "tune", "evaluate", "release")
    assert [command(stage) for stage in stages] == [0, 0, 0, 0, 0, 3]
    assert "no column gives the target away" in capsys.readouterr().err
    failed = [rule for rule in verdict(project)["rules"] if not rule["passed"]]
    assert "told afterwards" in next(r for r in failed if "target" in r["name"])["why"]


def test_without_a_column_of_the_champion_a_model_is_released_by_force_alone_and_with_it_compared(
    project, contract, edit, command, capsys
):
    stages = ("preprocess", "train", "tune", "evaluate")
    *_, last = contract.features
    edit(project / "contract.yaml", f"columns.{last}.role", "ignore")
    assert [command(stage) for stage in stages] == [0] * len(stages)
    assert command("release") == 3
    shown = capsys.readouterr()
    assert "no worse than the champion" in shown.err
    assert f"columns that are gone or of another type: {last}" in " ".join(shown.out.split())
    assert command("release", "--force", "the column is no more") == 0
    edit(project / "contract.yaml", f"columns.{last}.role", None)
    assert [command(stage) for stage in stages] == [0] * len(stages)
    found = json.loads((project / "reports/metrics.json").read_text())
    assert found["comparisons"]["champion"]["version"] == versions.current() != "1"


def test_a_refused_model_is_promoted_with_a_reason_which_is_kept(project, command):
    another_candidate(project)
    rewrite(project, **NO_GAIN)
    assert command("release", "--force", "the baseline is wrong") == 0
    manifest = bundle.load(project / "models/champion").manifest
    assert not verdict(project)["passed"]
    assert verdict(project)["forced"] == manifest["verdict"]["forced"] == "the baseline is wrong"
    assert versions.history()[-1]["why"] == "forced: the baseline is wrong"
    assert registered("champion").tags["verdict"] == "forced: the baseline is wrong"
    assert registered("champion").tags["rule.better than the baseline"] == "failed"
    assert command("release") == 0  # it stays the champion


@pytest.mark.parametrize("reason", ["", "  "])
def test_force_without_a_reason_is_refused(project, command, capsys, reason):
    another_candidate(project)
    assert command("release", "--force", reason) == 2
    assert "the reason is empty" in capsys.readouterr().err
    assert versions.names() == ["1"]


def test_what_would_be_served_otherwise_than_evaluated_is_refused_even_by_force(project, command):
    another_candidate(project)
    rewrite(project, disagreement=1e-3)
    assert command("release", "--force", "hurry") == 3
    assert versions.current() == "1"


def test_results_of_another_model_are_refused(project, command, capsys):
    rewrite(project, candidate="0" * 12)
    assert command("release") == 2
    assert "another model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("champion", "message"),
    [({"low": 0.0, "version": "7"}, "with version 7,"), (None, "with no champion,")],
)
def test_results_against_another_champion_are_refused(project, command, capsys, champion, message):
    another_candidate(project)
    rewrite(project, comparisons={"champion": champion})
    assert command("release") == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "evaluate again" in shown


def test_a_damaged_candidate_is_refused_and_the_champion_stays(project, command, capsys):
    before = (project / "models/champion").readlink()
    (project / "models/candidate/model.skops").write_bytes(b"\0")
    assert command("release") == 2
    assert "model.skops" in capsys.readouterr().err
    assert (project / "models/champion").readlink() == before


def test_a_damaged_champion_does_not_stop_the_next_release(project, command):
    (project / "models/versions/1/manifest.json").write_bytes(b"\0")
    another_candidate(project)
    assert command("release") == 0
    assert versions.current() != "1"
    assert bundle.load(project / "models/champion")


def test_only_one_release_is_under_way_at_a_time(project, command, capsys):
    with filelock.FileLock(project / "models/.release.lock"):
        assert command("release") == 2
    assert "another release" in capsys.readouterr().err
