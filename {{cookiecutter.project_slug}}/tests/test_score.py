import dataclasses

import pytest
from rich.console import Console

from {{cookiecutter.project_slug}} import checks, score


@pytest.fixture
def here(root, finished, monkeypatch, tmp_path):
    """A folder with this project's tests and the finished project's champion."""
    for name in ("tests", ".pre-commit-config.yaml", "requirements.lock"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "models").symlink_to(finished / "models")
    monkeypatch.chdir(tmp_path)


def test_every_proof_that_is_named_holds(here):
    proofs = [proof for check in checks.CHECKS for proof in check.proofs]
    assert [proof for proof in proofs if score.fault(proof)] == []
    sums = score.totals(score.judge())
    assert (sums["data"], sums["infrastructure"], sums["monitoring"]) == (6.0, 5.5, 4.5)
    assert sums["model"] in (3.5, 4.0)  # half a point hangs on a column that is sensitive


def test_a_rule_that_had_nothing_to_measure_is_worth_half_a_point(here):
    (judged,) = [one for one in score.judge() if "gate: calibrated" in one.check.proofs]
    assert judged.points == 0.5  # there was no champion to compare with
    assert judged.missing == (f"gate: no worse than the champion: {score.IDLE}",)


@pytest.mark.parametrize(
    ("proof", "what"),
    [
        ("tests/test_score.py::test_of_nothing", "there is no such test"),
        ("tests/test_nothing.py::test_of_nothing", "there is no such test"),
        ("gate: of nothing", "no such rule"),
        ("file: nothing.txt", "there is no such file"),
    ],
)
def test_a_proof_that_is_not_there_is_worth_nothing(here, monkeypatch, proof, what):
    changed = dataclasses.replace(checks.CHECKS[0], proofs=(*checks.CHECKS[0].proofs, proof))
    monkeypatch.setattr(score, "CHECKS", (changed, *checks.CHECKS[1:]))
    first = score.judge()[0]
    assert first.points == 0
    assert first.missing == (f"{proof}: {what}",)


def test_a_test_that_fails_proves_nothing(here):
    scored = score.judge(passed={})
    assert all(one.points == 0 for one in scored if any("::" in p for p in one.check.proofs))


def test_a_project_without_a_champion_has_nothing_of_the_gate(here, tmp_path):
    (tmp_path / "models").unlink()
    assert "no champion" in score.fault("gate: calibrated")


def test_a_skipped_test_proves_nothing(tmp_path):
    path = tmp_path / "test_x.py"
    path.write_text("@pytest.mark.skip\ndef test_a(): ...\ndef test_b(): ...\n")
    assert score.fault(f"{path}::test_a")
    assert not score.fault(f"{path}::test_b")


def test_the_command_runs_the_tests_and_with_quick_only_looks_for_them(
    tmp_path, monkeypatch, command, capsys
):
    test = "def test_right(): ...\n\ndef test_wrong():\n    raise ValueError\n"
    (tmp_path / "test_x.py").write_text(test)
    monkeypatch.chdir(tmp_path)
    proofs = [(f"test_x.py::test_{name}",) for name in ("right", "wrong")]
    changed = [dataclasses.replace(checks.CHECKS[0], proofs=one) for one in proofs]
    monkeypatch.setattr(score, "CHECKS", changed)
    assert command("score") == 0
    shown = capsys.readouterr().out
    assert "test_wrong: it fails" in shown and "test_right: it" not in shown
    assert command("score", "--quick") == 0
    assert "it fails" not in capsys.readouterr().out


def test_the_total_is_the_least_of_the_sections(here):
    console = Console(width=160, quiet=False)
    with console.capture() as shown:
        console.print(score.show(score.judge()))
    last = next(line for line in shown.get().splitlines() if "the least of the sections" in line)
    assert last.split()[1] in ("3.5", "4")
    assert "strongly tested" in shown.get()
    assert score.meaning(0.0) == "more research than product"
