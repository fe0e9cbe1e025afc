import mlflow
import pytest
from released import NAME, start

from {{cookiecutter.project_slug}} import bundle, rollback, tracking, versions


def alias():
    tracking.connect()
    client = mlflow.MlflowClient()
    return str(client.get_model_version_by_alias(tracking.NAME, "champion").version)


def test_the_champion_of_before_comes_back_and_the_registry_knows(second, two, command, capsys):
    assert command("rollback") == 0
    assert "version 1 is the champion" in capsys.readouterr().out
    assert bundle.load(second / "models/champion").manifest["version"] == "1"
    assert versions.names() == two
    last = versions.history()[-1]
    assert (last["version"], last["from"], last["why"]) == ("1", two[1], "rolled back")
    assert alias() == versions.manifest(second / "models/champion")["registered"]
    assert not versions.unfinished()


def test_a_version_can_be_chosen(two, command):
    assert command("rollback", "--to", "1") == 0
    assert command("rollback", "--to", two[1]) == 0
    assert versions.current() == two[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--to", "99"], "there is no version '99'"), (["--to", "../1"], "there is no version")],
)
def test_a_version_that_is_not_there_is_refused_with_those_that_are(
    two, command, capsys, arguments, message
):
    assert command("rollback", *arguments) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert f"1, {two[1]}" in shown
    assert versions.current() == two[1]


def test_the_champion_is_no_version_to_go_back_to(two, refused):
    with refused("is the champion already"):
        rollback.main(two[1])


def test_a_damaged_version_is_not_made_the_champion(second, two, command, capsys):
    (second / "models/versions/1/model.skops").write_bytes(b"\0")
    assert command("rollback") == 2
    assert "model.skops" in capsys.readouterr().err
    assert versions.current() == two[1]


def test_a_registry_that_does_not_answer_is_told_by_the_next_run(
    second, two, command, capsys, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "nonsense://host")
        assert command("rollback") == 0
    assert "next `make run` tells it" in capsys.readouterr().out
    assert versions.current() == "1"
    assert versions.unfinished()
    assert alias() != "1"
    assert command("release") == 3
    assert "refused (not rolled back before)" in capsys.readouterr().err
    assert not versions.unfinished()
    assert alias() == versions.manifest(second / "models/champion")["registered"]


def test_a_model_that_was_rolled_back_returns_by_force_alone(two, command):
    assert command("rollback") == 0
    assert command("release", "--force", "it was the data") == 0
    assert versions.names() == [*two, versions.current()]
    assert command("release") == 0


def test_the_switch_waits_for_nothing_slow(second, two):
    slow = ("mlflow", "sklearn", "pandas", "dvc")
    code = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({slow})); "
        f"sys.argv[1:] = ['rollback']; runpy.run_module({NAME!r}, run_name='__main__')"
    )
    told, said = start(second, "-c", code).communicate()
    assert "version 1 is the champion" in told
    assert versions.current() == "1", said
    assert versions.unfinished()
