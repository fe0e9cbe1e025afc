from pathlib import Path

from released import start

from {{cookiecutter.project_slug}} import processes


def test_this_process_lives_and_one_that_had_its_number_before_does_not():
    mine = processes.tags()
    assert processes.alive(mine)
    if mine["started"]:
        assert not processes.alive({**mine, "started": "1"})


def test_a_process_that_ended_does_not_live():
    process = start(Path(), "-c", "pass")
    process.communicate()
    assert not processes.alive({"pid": str(process.pid)})
