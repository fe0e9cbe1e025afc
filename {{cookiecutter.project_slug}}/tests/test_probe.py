import operator
import time

import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from {{cookiecutter.project_slug}} import bundle, probe


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


def test_a_fitted_model_of_types_that_are_not_trusted_is_a_fault_though_a_compiled_one_is_served(
    project,
):
    folder = project / "models/candidate"
    manifest = bundle.load(folder).manifest
    assert manifest["scorer"] == "compiled"
    skops.io.dump(FunctionTransformer(operator.attrgetter("a")), folder / "model.skops")
    bundle.seal(folder, manifest)
    bundle.load(folder)
    found = probe.measure(folder)
    assert "attrgetter" in found.fault
    assert found.milliseconds is None


def test_a_bundle_that_hangs_is_given_up(project):
    found = probe.measure(project / "models/candidate", seconds=0.01)
    assert found.fault == "not done after 0.01 seconds"


def test_whatever_a_fitted_model_raises_is_a_fault(project, monkeypatch):
    monkeypatch.setattr(bundle.Bundle, "require_model", lambda self: 1 / 0)
    found = probe.measure(project / "models/candidate")
    assert (found.milliseconds, found.fault) == (None, "division by zero")


def test_a_fitted_model_that_hangs_is_given_up(project, monkeypatch):
    monkeypatch.setattr(bundle.Bundle, "require_model", lambda self: time.sleep(60))
    found = probe.measure(project / "models/candidate", seconds=5)
    assert (found.milliseconds, found.fault) == (None, "not done after 5 seconds")
