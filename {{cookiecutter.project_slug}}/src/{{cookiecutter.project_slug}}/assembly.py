"""From candidates to the model: which ones, how they are combined, and the last fit."""

from collections.abc import Sequence

import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from . import blending, calibration, models
from .blending import Choice, HeldOut
from .candidates import Candidate
from .combination import Combination
from .ensemble import Ensemble
from .features.encoder import Encoder
from .predictions import Array
from .search import Search


def choose(search: Search, left: float) -> tuple[list[Choice], Choice]:
    """Return every choice, single candidates and blends, and the preferred one.

    Args:
        search: what was found.
        left: seconds to fit it; blends that would take longer are left out.
    """
    metric, tune = search.metric, search.params.tune
    found = search.candidates
    choices = blending.single(found) + blending.blends(
        found,
        held_out(search, blending.pool(found, metric)),
        metric,
        search.params.seed,
    )
    slow = [sum(search.refit_seconds(found[i]) for i in one.members) for one in choices]
    timely = [
        one
        for one, seconds in zip(choices, slow, strict=True)
        if seconds <= left or len(one.members) == 1
    ]
    return choices, blending.prefer(
        timely,
        metric,
        tune.prefer,
        tune.max_milliseconds,
        tune.max_megabytes,
    )


def held_out(search: Search, positions: Sequence[int]) -> HeldOut:
    """Return what candidates said of held-out rows."""
    rows, found = search.rows, search.candidates
    values = {i: found[i].held_out(search.folds, len(rows.y)) for i in positions}
    return HeldOut(values, rows.y, rows.classes, search.folds)


def finish(search: Search, choice: Choice) -> Ensemble:
    """Learn from held-out predictions how to combine and to decide; fit on all training rows."""
    params, rows = search.params, search.rows
    said = held_out(search, choice.members).values
    first = said[choice.members[0]].reshape(len(rows.y), -1)[:, 0]
    known = ~np.isnan(first)  # the earliest rows of an order in time are never held out
    values, y = [said[i][known] for i in choice.members], rows.y[known]
    costs = None
    if rows.classes is None:
        combination, outcomes = Combination(choice.weights), y
    else:
        position = {label: code for code, label in enumerate(rows.classes)}
        outcomes = np.array([position[label] for label in y.tolist()])
        combination = calibration.calibrate(choice.weights, values, outcomes, params.seed)
        costs = decision_costs(search, combination(values), outcomes)
    region = calibration.conformal(combination(values), outcomes, params.tune.coverage)
    members = refit([search.candidates[i] for i in choice.members], search)
    return Ensemble(members, combination, region, rows.classes, costs)


def decision_costs(search: Search, probabilities: Array, codes: Array) -> Array | None:
    """Return the costs to decide by: those of params.yaml, or for two classes a threshold.

    The threshold gives the best macro F1 on held-out rows, or the best value of the project's
    metric if that is of decisions; accuracy wants none.
    """
    params, classes = search.params, search.rows.classes
    if params.tune.costs and classes:
        return calibration.cost_matrix(params.tune.costs, classes)
    if classes is None or len(classes) != 2 or params.metric == "accuracy":
        return None
    if search.metric.of in ("labels", "decisions") and params.metric != "f1_macro":
        return calibration.best_threshold(probabilities, codes, classes, search.metric)
    return calibration.deciding(calibration.threshold(probabilities[:, 1], codes == 1))


def refit(chosen: Sequence[Candidate], search: Search) -> list[Pipeline]:
    """Fit candidates on all training rows, each on one core; those that encode alike do it once."""
    rows, encoded = search.rows, list[tuple[Encoder, Array]]()

    def encode(encoder: Encoder) -> tuple[Encoder, Array]:
        for other, matrix in encoded:
            if other.get_params() == encoder.get_params():
                return other, matrix
        encoded.append((encoder, encoder.fit_transform(rows.X, rows.y)))
        return encoded[-1]

    def one(candidate: Candidate) -> Pipeline:
        model = models.MODELS[candidate.model]
        pipeline = models.build(
            model,
            search.contract,
            search.params.task,
            search.params.seed,
            candidate.final_parameters(model.rounds),
        )
        with threadpool_limits(1):
            encoder, matrix = encode(pipeline[0])
            pipeline[1:].fit(matrix, rows.y)
        return Pipeline([("encode", encoder), *pipeline.steps[1:]])

    return [one(candidate) for candidate in chosen]
