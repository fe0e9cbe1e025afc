"""The 28 checks of the ML Test Score (Breck et al. 2017), each with what proves it here.

A proof is a test (`tests/test_x.py::test_name`), a rule of the gate that the champion passed
(`gate: name`), or a file of the project (`file: path`).
"""

from dataclasses import dataclass
from typing import Literal

Section = Literal["data", "model", "infrastructure", "monitoring"]
SECTIONS: tuple[Section, ...] = ("data", "model", "infrastructure", "monitoring")


@dataclass(frozen=True)
class Check:
    """A check; without a proof it scores nothing."""

    section: Section
    name: str
    proofs: tuple[str, ...] = ()
    points: float = 1.0
    """When it is proven: 1 if that happens by itself, 0.5 if a person has to do it."""
    later: str = ""
    """What is missing, and how it is scored once that is there."""


def _tests(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/test_{file}.py::test_{name}" for name in names)


CHECKS = (
    Check(
        "data",
        "what features are expected to hold is written down",
        _tests(
            "contract_table",
            "a_row_that_breaks_the_contract_is_set_apart_with_the_reason",
            "the_projects_own_rows_keep_the_contract",
        ),
    ),
    Check(
        "data",
        "every feature is of use",
        _tests("importance", "the_column_that_decides_is_the_most_important"),
        0.5,
        later="the report shows it; a person has to drop what is of no use",
    ),
    Check(
        "data",
        "no feature costs too much",
        (
            "gate: fast enough",
            *_tests("blending", "models_beyond_the_limits_are_left_out_while_others_are_there"),
        ),
    ),
    Check(
        "data",
        "features keep to what is allowed",
        _tests(
            "contract",
            "ignored_columns_are_kept_out_of_the_model_unless_they_are_watched",
        ),
    ),
    Check(
        "data",
        "private data is guarded",
        _tests("privacy", "a_released_bundle_holds_no_text_and_no_row_of_the_data")
        + _tests("sources", "a_credential_in_an_address_is_refused_and_not_repeated"),
        0.5,
        later="who may read data/ and mlflow.db is for a person to see to",
    ),
    Check(
        "data",
        "a new feature is added quickly",
        _tests("features", "an_engineered_feature_treats_each_row_by_itself"),
    ),
    Check(
        "data",
        "the code of features is tested",
        _tests(
            "features",
            "a_row_gets_the_same_bits_alone_and_in_a_table",
            "transformers_keep_the_rules_of_scikit_learn",
        ),
    ),
    Check(
        "model",
        "the code of a model is reviewed and versioned",
        ("file: .pre-commit-config.yaml",),
        0.5,
        later="`lineage` names the commit; that a person reviewed it is for the owner's rules",
    ),
    Check(
        "model",
        "offline metrics go with online ones",
        later="1 when outcomes of served predictions are compared with the test's metrics",
    ),
    Check(
        "model",
        "hyperparameters are tuned",
        _tests("search", "the_best_families_are_tried_more_often_each_with_its_portfolio_first"),
    ),
    Check(
        "model",
        "it is known what a stale model costs",
        later="0.5 when a version of some months ago is evaluated on the rows of today",
    ),
    Check(
        "model",
        "a simpler model is not better",
        (
            "gate: better than the baseline",
            *_tests(
                "evaluate",
                "the_gain_over_the_constant_the_linear_model_and_the_champion_is_on_the_same_rows",
            ),
        ),
        0.5,
        later="the report compares with a linear model; a person has to prefer it",
    ),
    Check(
        "model",
        "it is good enough on every important slice",
        (
            "gate: no slice far behind",
            *_tests("bad_models", "a_model_that_is_of_no_use_in_one_city_is_refused"),
        ),
    ),
    Check(
        "model",
        "it treats groups alike",
        ("gate: groups treated alike", *_tests("fairness", "an_unfair_group_is_measured")),
    ),
    Check(
        "infrastructure",
        "training is reproducible",
        _tests("reproducibility", "the_predictions_of_all_test_rows_are_the_same_on_every_machine"),
    ),
    Check(
        "infrastructure",
        "the specification of a model is tested",
        _tests(
            "models",
            "both_ends_of_every_search_space_can_be_built",
            "a_model_learns_what_is_easy_and_the_same_with_the_same_seed",
        ),
    ),
    Check(
        "infrastructure",
        "the whole pipeline is tested",
        _tests("pipeline", "one_command_goes_from_the_table_to_a_champion_and_a_report"),
    ),
    Check(
        "infrastructure",
        "a model is judged before it is served",
        (
            "gate: no worse than the champion",
            "gate: calibrated",
            *_tests("release", "a_model_that_breaks_a_rule_is_refused_and_the_champion_stays"),
        ),
    ),
    Check(
        "infrastructure",
        "a model can be looked at on one example",
        _tests("serving", "every_example_in_the_documentation_is_answered_as_its_golden_row"),
        0.5,
        later="a person asks the server, or the bundle in Python",
    ),
    Check(
        "infrastructure",
        "a model is tried before it takes all requests",
        (
            "gate: loads in a fresh process",
            *_tests("probe", "a_damaged_bundle_is_a_fault_that_is_named"),
        ),
        0.5,
        later="1 when part of the requests of production go to a new model first",
    ),
    Check(
        "infrastructure",
        "a model can be rolled back quickly and safely",
        _tests(
            "rollback",
            "the_champion_of_before_comes_back_and_the_registry_knows",
            "the_switch_waits_for_nothing_slow",
        )
        + _tests("promotion", "a_rollback_killed_at_any_step_is_finished_by_the_next_one"),
    ),
    Check(
        "monitoring",
        "a change of a dependency is noticed",
        (
            "file: requirements.lock",
            *_tests("collect", "a_table_unlike_the_earlier_one_is_refused_and_the_earlier_stays"),
        ),
        0.5,
        later="1 when a retraining that refuses its data tells somebody in production",
    ),
    Check(
        "monitoring",
        "data keeps its invariants when training and when serving",
        _tests("preprocess", "too_many_broken_rows_stop_the_stage")
        + _tests("serving", "a_wrong_cell_is_named_by_row_and_column"),
    ),
    Check(
        "monitoring",
        "features are the same when training and when serving",
        (
            "gate: requests and tables agree",
            *_tests("contract_table", "a_row_has_the_same_cells_as_a_request_and_in_a_table"),
        ),
    ),
    Check(
        "monitoring",
        "a model is not too old",
        _tests("pipeline", "a_response_leads_back_to_the_commit_the_data_and_the_parameters"),
        0.5,
        later="a person reads its age in `lineage`; 1 when an alarm tells it in production",
    ),
    Check(
        "monitoring",
        "numbers stay finite",
        _tests(
            "serving",
            "numbers_that_are_none_are_refused",
            "numbers_far_from_any_seen_before_are_answered",
        ),
    ),
    Check(
        "monitoring",
        "speed and memory do not get worse",
        ("gate: fast enough", "gate: small enough"),
        0.5,
        later="1 when an alarm on the server's latency and memory is set in production",
    ),
    Check(
        "monitoring",
        "served predictions do not get worse",
        later="1 when outcomes of served predictions are compared with predictions, with an alarm",
    ),
)
