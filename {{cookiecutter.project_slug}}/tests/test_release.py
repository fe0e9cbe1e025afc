import json

import filelock
import mlflow
import numpy as np
import pytest

from {{cookiecutter.project_slug}} import bundle, tracking
from {{cookiecutter.project_slug}}.stages import release


def verdict(project):
    return json.loads((project / "reports/release.json").read_text())


def rewrite(project, **changes):
    """Change results of the evaluation."""
    path = project / "reports/metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_model_that_passes_becomes_the_champion(project, champion):
    assert verdict(project)["passed"]
    assert (project / "models/champion").readlink().as_posix() == "versions/1"
    assert champion.manifest["name"] == tracking.NAME


def test_the_next_model_that_passes_is_the_next_version_and_the_last_one_stays(project, command):
    before = bundle.load(project / "models/champion").manifest["version"]
    assert command("release") == 0
    now = bundle.load(project / "models/champion").manifest["version"]
    assert int(now) > int(before)
    assert now == verdict(project)["version"]
    assert bundle.load(project / "models/versions" / before)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"gain": {"value": 0.1, "low": 0.0, "high": 0.2}}, "better than the baseline"),
        ({"disagreement": 1e-3}, "requests and tables agree"),
    ],
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
    assert [found["rule"] for found in verdict(project)["rules"] if not found["passed"]] == [rule]
    tracking.connect()
    refused = mlflow.MlflowClient().get_model_version_by_alias(tracking.NAME, "challenger")
    assert str(refused.version) == verdict(project)["version"]
    assert rule in refused.description


def test_a_model_of_outcomes_that_are_chance_is_refused_and_the_champion_stays(
    project, raw, contract, command, capsys
):
    y = np.random.default_rng(3).permutation(raw[contract.target])
    raw.assign(**{contract.target: y}).to_parquet(project / "data/rows.parquet", index=False)
    stages = ("collect", "preprocess", "train", "tune", "evaluate", "release")
    assert [command(stage) for stage in stages] == [0, 0, 0, 0, 0, 3]
    assert "better than the baseline" in capsys.readouterr().err
    assert bundle.load(project / "models/champion").manifest["version"] == "1"


def test_a_gain_must_exceed_the_limit(params):
    def passes(low, limit):
        results = {"gain": {"low": low}, "disagreement": 0.0}
        gate = params.release.model_copy(update={"min_gain": limit})
        return release.judge(results, params.model_copy(update={"release": gate}))[0].passed

    assert passes(0.11, 0.1)
    assert not passes(0.1, 0.1)
    assert not passes(0.0, 0)


def test_results_of_another_model_are_refused(project, command, capsys):
    rewrite(project, candidate="0" * 12)
    assert command("release") == 2
    assert "another model" in capsys.readouterr().err


def test_a_damaged_candidate_is_refused_and_the_champion_stays(project, command, capsys):
    before = (project / "models/champion").readlink()
    (project / "models/candidate/model.skops").write_bytes(b"\0")
    assert command("release") == 2
    assert "model.skops" in capsys.readouterr().err
    assert (project / "models/champion").readlink() == before


def test_only_one_release_is_under_way_at_a_time(project, command, capsys):
    with filelock.FileLock(project / "models/.release.lock"):
        assert command("release") == 2
    assert "another release" in capsys.readouterr().err
