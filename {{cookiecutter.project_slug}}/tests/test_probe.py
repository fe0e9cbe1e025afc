import pytest

from {{cookiecutter.project_slug}} import probe


def test_a_bundle_is_loaded_and_timed_in_a_process_of_its_own(project):
    found = probe.measure(project / "models/champion")
    assert found.fault == ""
    assert found.milliseconds > 0
    assert 0 < found.megabytes < 100


@pytest.mark.parametrize("name", ["model.skops", "golden.json"])
def test_a_damaged_bundle_is_a_fault_that_is_named(project, name):
    (project / "models/candidate" / name).write_bytes(b"{}")
    found = probe.measure(project / "models/candidate")
    assert found.milliseconds is None
    assert name in found.fault


def test_a_bundle_that_hangs_is_given_up(project):
    found = probe.measure(project / "models/candidate", seconds=0.01)
    assert found.fault == "not done after 0.01 seconds"
