"""A promotion that is killed, meets another one, or finds no room: real processes, no mocks."""

import contextlib
import json
import shutil
import signal

import mlflow
import pytest
from released import NAME, another_candidate, start

from {{cookiecutter.project_slug}} import bundle, files, tracking, versions

# Steps in their order: just before each, the process kills itself.
STEPS = {
    "register": "tracking, 'register', kill",
    "copy": "release, 'add', kill",
    "publish": "files, 'settle', kill",
    "switch": "versions, 'switch', kill",
    "record": "files, 'point', switch_and_kill",
    "verdict": "tracking, 'pronounce', kill",
    "alias": "tracking, 'point', kill",
    "tell": "versions, 'tell', kill",
}
ROLLBACK_STEPS = ["switch", "record", "verdict", "alias", "tell"]
# One process that has imported everything, and a fork of it for each case: that is quick.
DRIVER = f"""
import json, os, signal, sys
from {NAME} import bundle, files, gate, rollback, tracking, versions
from {NAME}.stages import release

switch = files.point

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def switch_and_kill(*where):
    switch(*where)
    kill()

def promote():
    rules = [gate.Rule("rule", True, 1.0, 0.0, "why")]
    with versions.lock():
        results = files.read_json(files.METRICS)
        release.promote(bundle.load(files.CANDIDATE), rules, results, None)

def case(folder, place, work):
    if pid := os.fork():
        return os.waitpid(pid, 0)[1]
    try:
        os.chdir(folder)
        exec("setattr(" + place + ")")
        dict(promote=promote, rollback=rollback.main)[work]()
    finally:
        os._exit(1)

print(json.dumps([case(*one) for one in json.loads(sys.argv[1])]))
"""
# Writes that fail as on a full disk, or in a folder that even root may not write to.
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))"
READ_ONLY = "import ctypes; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # without CAP_DAC_OVERRIDE"
BOUND = f"""
import os, sys
BOUND
os.execv(sys.executable, [sys.executable, "-m", "{NAME}", "release"])
"""


def verdicts():
    """Return the verdicts of the registry, by version."""
    tracking.connect()
    found = mlflow.MlflowClient().search_model_versions(f"name = '{tracking.NAME}'")
    return {str(one.version): one.tags.get("verdict") for one in found}


def alias():
    """Return the number that the registry has for the champion."""
    tracking.connect()
    client = mlflow.MlflowClient()
    return str(client.get_model_version_by_alias(tracking.NAME, "champion").version)


def assert_all_is_well(project):
    """The champion is complete, and history and registry know it; nothing is left over."""
    champion = bundle.load(project / "models/champion")
    assert champion.manifest["version"] == versions.history()[-1]["version"]
    assert alias() == champion.manifest["registered"]
    assert verdicts()[alias()] == "passed the gate"
    assert not versions.unfinished()
    files.sweep()
    assert [*(project / "models").rglob(".*.scratch")] == []


@pytest.fixture(scope="module")
def killed(finished, released_twice, tmp_path_factory):
    """Projects in which a promotion, or a rollback, was killed at a step."""
    folders = {}
    for work, steps, origin in (
        ("promote", STEPS, finished),
        ("rollback", ROLLBACK_STEPS, released_twice),
    ):
        for step in steps:
            folders[work, step] = tmp_path_factory.mktemp("killed") / "project"
            shutil.copytree(origin, folders[work, step], symlinks=True)
            if work == "promote":
                with contextlib.chdir(folders[work, step]):
                    another_candidate(folders[work, step])
    cases = [[str(folder), STEPS[step], work] for (work, step), folder in folders.items()]
    told, said = start(finished, "-c", DRIVER, json.dumps(cases)).communicate()
    assert told, said
    assert json.loads(told.splitlines()[-1]) == [signal.SIGKILL] * len(cases), said
    return folders


@pytest.mark.parametrize("step", STEPS)
def test_a_promotion_killed_at_any_step_leaves_a_whole_champion_and_is_finished(
    killed, monkeypatch, command, step
):
    project = killed["promote", step]
    monkeypatch.chdir(project)
    switched = list(STEPS).index(step) > list(STEPS).index("switch")
    champion = bundle.load(project / "models/champion")
    assert (champion.manifest["version"] == "1") != switched
    assert command("release") == 0
    assert versions.current() != "1"
    assert len(versions.history()) == 2
    assert_all_is_well(project)
    assert "pending" not in verdicts().values()


def test_a_version_whose_promotion_was_killed_before_the_switch_did_not_pass_for_the_registry(
    project, command
):
    another_candidate(project)
    before = set(verdicts())
    work = [str(project), STEPS["switch"], "promote"]
    told, said = start(project, "-c", DRIVER, json.dumps([work])).communicate()
    assert json.loads(told.splitlines()[-1]) == [signal.SIGKILL], said
    (number,) = set(verdicts()) - before
    assert verdicts()[number] == "pending"
    assert command("release") == 0
    assert verdicts()[number].startswith("given up")
    assert verdicts()[alias()] == "passed the gate"


@pytest.fixture(params=ROLLBACK_STEPS)
def step(request):
    return request.param


@pytest.fixture
def taken_back(killed, tmp_path, monkeypatch, step):
    """A copy of a project in which a rollback was killed, as the working directory."""
    project = shutil.copytree(killed["rollback", step], tmp_path / "project", symlinks=True)
    monkeypatch.chdir(project)
    return project


def test_a_rollback_killed_at_any_step_is_finished_by_the_next_one(taken_back, command, step):
    newest = versions.names()[-1]
    champion = bundle.load(taken_back / "models/champion").manifest["version"]
    assert champion == (newest if step == "switch" else "1")
    other = "1" if champion == newest else newest
    assert command("rollback", "--to", other) == 0
    assert_all_is_well(taken_back)


def test_a_model_whose_rollback_was_killed_does_not_return_by_itself(
    taken_back, command, capsys, step
):
    if step == "switch":  # it was not taken back yet
        assert command("release") == 0
        assert versions.current() != "1"
    else:
        assert command("release") == 3
        assert "refused (not rolled back before)" in capsys.readouterr().err
        assert versions.current() == "1"
    assert_all_is_well(taken_back)


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(project):
    another_candidate(project)
    both = [start(project, "-m", NAME, "release") for _ in range(2)]
    told = [process.communicate()[1] for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes
    # The second one either met the first, or came late and found the work done.
    for code, said in zip(codes, told, strict=True):
        assert code == 0 or (code == 2 and "another release or rollback" in said), said
    assert len(versions.history()) == 2
    assert_all_is_well(project)


def test_three_first_promotions_at_once_on_a_fresh_store_are_all_registered_whole(
    finished, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'fresh.db'}")
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        shutil.copytree(finished, folder, symlinks=True)
        (folder / "models/champion").unlink()
        shutil.rmtree(folder / "models/versions")
    several = [start(folder, "-m", NAME, "release") for folder in folders]
    told = [process.communicate() for process in several]
    assert [process.returncode for process in several] == [0, 0, 0], told
    champions = [bundle.load(folder / "models/champion").manifest for folder in folders]
    assert {champion["registered"] for champion in champions} == {"1", "2", "3"}
    assert verdicts() == dict.fromkeys(["1", "2", "3"], "passed the gate")
    assert alias() in verdicts()


def test_a_full_disk_is_told_and_nothing_is_half_written(project):
    another_candidate(project)
    assert_is_told(project, FULL)


def test_a_folder_without_the_right_to_write_is_told_and_stays_as_it_was(project):
    another_candidate(project)
    closed = [project / "models", project / "models/versions"]
    for folder in closed:
        folder.chmod(0o555)
    try:
        assert_is_told(project, READ_ONLY)
    finally:
        for folder in closed:
            folder.chmod(0o755)


def assert_is_told(project, bound):
    """A release inside such bounds ends with one message, and the champion stays."""
    before = (project / "models/champion").readlink(), versions.history()
    ran = start(project, "-c", BOUND.replace("BOUND", bound))
    _, said = ran.communicate()
    assert ran.returncode == 2, said
    assert "Traceback" not in said
    assert "error: " in said
    assert ((project / "models/champion").readlink(), versions.history()) == before
    assert bundle.load(project / "models/champion")
    files.sweep()
    assert versions.names() == ["1"]
