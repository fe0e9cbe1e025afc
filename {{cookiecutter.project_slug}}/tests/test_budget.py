import joblib
import pytest

from {{cookiecutter.project_slug}} import budget
from {{cookiecutter.project_slug}}.deadline import Deadline


class Clock:
    """Shows the time that a test says."""

    def __init__(self):
        self.wall = self.cpu = 100.0

    def monotonic(self):
        return self.wall

    def time(self):
        return self.wall

    def process_time(self):
        return self.cpu


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(budget, "time", found)
    return found


@pytest.fixture
def two_processes():
    with joblib.parallel_config(backend="loky", n_jobs=2):
        yield


def test_time_on_the_wall_runs_out_by_itself(clock, two_processes):
    found = budget.Budget(10, "wall")
    clock.wall += 4
    clock.cpu += 1
    found.charge(7.0)
    assert (found.spent, found.left) == (4, 6)
    clock.wall += 7
    assert found.left == -1


def test_processor_time_does_not_pass_while_nothing_is_done(clock):
    found = budget.Budget(10, "cpu")
    clock.wall += 60
    clock.cpu += 3
    assert found.left == 7


def test_what_other_processes_spend_is_added_and_they_spend_it_at_the_same_time(
    clock, two_processes
):
    found = budget.Budget(10, "cpu")
    found.charge(4.0)
    assert found.left == 6
    assert found.deadline(reserve=0) == Deadline(clock.wall + 3, "wall")


def test_one_process_is_not_charged_twice(clock):
    found = budget.Budget(10, "cpu")
    clock.cpu += 4
    found.charge(4.0)
    assert found.left == 6


def test_a_search_that_goes_on_has_what_the_interrupted_one_left(clock):
    found = budget.Budget(10, "wall")
    found.resume(7.0)
    assert found.left == 3


def test_without_seconds_there_is_no_end(clock):
    found = budget.Budget(None, "wall")
    assert found.left == float("inf")
    assert found.deadline(5) is None


def test_a_reserve_is_kept_back(clock):
    assert budget.Budget(10, "wall").deadline(4) == Deadline(clock.wall + 6, "wall")


def test_what_one_process_spends_ends_by_its_own_clock_whatever_else_the_machine_does(clock):
    found = budget.Budget(10, "cpu")
    clock.wall += 60
    clock.cpu += 3
    assert found.deadline(2) == Deadline(clock.cpu + 5, "cpu")
