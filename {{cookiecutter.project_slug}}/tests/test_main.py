import pytest
from ruamel.yaml import YAML

from {{cookiecutter.project_slug}} import __main__


def test_help_lists_every_command(command, capsys):
    assert command("--help") == 0
    shown = capsys.readouterr().out
    for name in ("run", "serve", "predict", "collect", "release"):
        assert f" {name} " in shown


def test_each_stage_has_one_name_everywhere(root, params):
    stages = YAML(typ="safe").load(root / "dvc.yaml")["stages"]
    commands = [command.callback.__name__ for command in __main__.app.registered_commands]
    sections = list(type(params).model_fields)
    assert [name for name in commands if name in stages] == list(stages)
    assert [name for name in sections if name in stages] == list(stages)
    for name, stage in stages.items():
        assert stage["cmd"] == f"python -m {__main__.NAME} {name}"
        for path in stage["deps"]:
            if path.startswith("src/"):
                assert (root / path).exists()


@pytest.mark.parametrize(
    "name", ["run", "collect", "preprocess", "train", "tune", "evaluate", "release"]
)
def test_a_command_outside_a_project_ends_with_one_message(
    command, tmp_path, monkeypatch, capsys, name
):
    monkeypatch.chdir(tmp_path)
    assert command(name) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: params.yaml: the file is not there")
    assert list(tmp_path.iterdir()) == []
