import time

import pytest

from {{cookiecutter.project_slug}} import budget


def test_time_on_the_wall_runs_out_by_itself():
    found = budget.Budget(0.05, "wall", workers=2)
    assert 0 < found.left <= 0.05
    time.sleep(0.06)
    assert found.left < 0


def test_processor_time_does_not_pass_while_nothing_is_done():
    found = budget.Budget(10, "cpu", workers=1)
    before = found.left
    time.sleep(0.05)
    assert found.left == pytest.approx(before, abs=0.04)


def test_what_other_processes_spend_is_added_and_they_spend_it_at_the_same_time():
    found = budget.Budget(10, "cpu", workers=2)
    before = found.left
    found.charge(4.0)
    assert found.left == pytest.approx(before - 4, abs=0.5)
    assert found.deadline(reserve=0) - time.time() == pytest.approx(3, abs=0.5)


def test_one_process_is_not_charged_twice():
    found = budget.Budget(10, "cpu", workers=1)
    found.charge(4.0)
    assert found.left > 9


def test_a_search_that_goes_on_has_what_the_interrupted_one_left():
    assert budget.Budget(10, "wall", 1, spent=7).left == pytest.approx(3, abs=0.1)


def test_without_seconds_there_is_no_end():
    found = budget.Budget(None, "wall", 1)
    assert found.left == float("inf")
    assert found.deadline(5) is None


def test_a_reserve_is_kept_back():
    found = budget.Budget(10, "wall", 1)
    assert found.deadline(4) - time.time() == pytest.approx(6, abs=0.1)
