"""A plugin for the pytest of a project: of its tests, keep those that its example can change.

The Python of all examples is the same (test_tree.py), so that a test of a table, a model or a row
that is made up says the same in each.
"""

import pytest

# The fixtures that read the project's own table, contract and parameters; others derive from them.
READERS = {"original", "contract", "root"}
# What is done with versions, the registry, MLflow's runs, DVC's pipeline, the search, connections
# and tables that are made up is the same whatever the project's table is, and long. Each example is
# run as a whole in test_generated.py.
SAME = {
    "test_adopt.py",
    "test_bad_models.py",
    "test_comparison.py",
    "test_connection.py",
    "test_ending.py",
    "test_following.py",
    "test_learning.py",
    "test_pipeline.py",
    "test_promotion.py",
    "test_rollback.py",
    "test_search.py",
    "test_tracking.py",
    "test_train.py",
    "test_verdicts.py",
    "test_versions.py",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what reads nothing of the project's own."""
    own: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        fixtures = getattr(item, "fixturenames", READERS)
        reads = READERS.intersection(fixtures) and item.path.name not in SAME
        (own if reads else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = own
