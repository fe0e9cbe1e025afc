"""What `serving.py` runs inside a project's environment: the peers, and what they are asked.

serving_peer.py SLUG describe BUNDLE FILE | fit BUNDLE FOLDER | raw|bare|naive PORT BUNDLE FOLDER
"""

# mypy: disable-error-code="import-not-found,import-untyped,no-any-return"

import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

SLUG = sys.argv[1]
ONE = {"label": "no", "probabilities": {"no": 0.75, "yes": 0.25}, "set": ["no"]}
CONSTANT = {"predictions": [ONE], "model": {"name": "bare", "version": "1"}, "request_id": "0" * 32}


def part(name: str) -> Any:
    """Import a module of the project."""
    return import_module(f"{SLUG}.{name}")


def champion(folder: str) -> Any:
    """Load a bundle."""
    return part("bundle").load(Path(folder))


def request(folder: str) -> Any:
    """Return the pydantic model of a request, as ours has it."""
    contract = champion(folder).contract
    example = part("contract.row").example_row(contract)
    return part("serving.messages").request_model(contract, 1000, example)


def describe(folder: str, target: str) -> None:
    """Write the rows that the bundle knows, as clients send them, and what it must say of them."""
    loaded = champion(folder)
    golden = json.loads((loaded.folder / "golden.json").read_text())
    contract = loaded.contract
    rows = [part("contract.row").request_of(row, contract) for row in golden["rows"]]
    facts = {
        "rows": rows,
        "columns": list(contract.features),
        "said": golden["predictions"],
        "model": loaded.manifest.get("model"),
        "compiled": loaded.compiled is not None,
    }
    Path(target).write_text(json.dumps(facts))


def plain(estimator: Any) -> Any:
    """Return scikit-learn's own estimator with the parameters of one of ours, unfitted."""
    if hasattr(estimator, "steps"):
        return plain(estimator[-1])
    kind = next(k for k in type(estimator).__mro__ if k.__module__.startswith("sklearn."))
    known = inspect.signature(kind).parameters
    given = {name: getattr(estimator, name) for name in known if hasattr(estimator, name)}
    if "categorical_features" in given:
        given["categorical_features"] = None
    return kind(**given)


def usual(estimator: Any, train: Any, texts: list[str], numbers: list[str]) -> Any:
    """Return the pipeline that people write around an estimator, fitted."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
        ]
    )
    return make_pipeline(columns, estimator).fit(train[numbers + texts], train["target"])


def fit(folder: str, target: str) -> None:
    """Write the usual pipelines with the bundle's estimators, for joblib and for MLflow."""
    import joblib
    import pandas as pd
    from mlflow import sklearn as flavour
    from mlflow.models import infer_signature
    from sklearn.ensemble import VotingClassifier

    loaded, table = champion(folder), pd.read_parquet("data/split/train.parquet")
    features = loaded.contract.features
    numbers = [n for n, c in features.items() if c.type in ("integer", "number")]
    texts = [n for n in features if n not in numbers]
    train = table[numbers].astype("float64")
    for name in texts:
        train[name] = table[name].astype(object)
    train["target"] = table[loaded.contract.target].astype(str)
    members = [(str(i), plain(m)) for i, m in enumerate(loaded.model.members)]
    estimator = VotingClassifier(members, voting="soft") if members[1:] else members[0][1]
    pipeline, place = usual(estimator, train, texts, numbers), Path(target)
    place.mkdir(parents=True, exist_ok=True)
    joblib.dump(pipeline, place / "pipeline.joblib")
    signature = infer_signature(train[numbers + texts], pipeline.predict_proba(train.head()))
    options = {"signature": signature, "pip_requirements": ["scikit-learn"]}
    format_ = {"serialization_format": "cloudpickle", "pyfunc_predict_fn": "predict_proba"}
    flavour.save_model(pipeline, str(place / "mlflow"), **options, **format_)


def serve(application: Any, port: str) -> None:
    """Run an application as ours is run: uvloop, httptools, no access log."""
    import uvicorn

    uvicorn.run(application, port=int(port), access_log=False, log_level="warning")


def raw(port: str, *_: str) -> None:
    """Answer with nothing between uvicorn and a constant."""
    said = json.dumps(CONSTANT).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(said))]

    async def hello(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": said})

    serve(hello, port)


def bare(port: str, folder: str, *_: str) -> None:
    """Answer with a constant behind FastAPI and the same model of a request as ours."""
    from fastapi import FastAPI

    app, message = FastAPI(), request(folder)

    @app.post("/predict")  # type: ignore[untyped-decorator]
    async def predict(asked: message) -> dict[str, Any]:  # type: ignore[valid-type]
        return CONSTANT

    serve(app, port)


def naive(port: str, folder: str, fitted: str) -> None:
    """Answer as most tutorials do: FastAPI, a DataFrame, the pipeline."""
    import joblib
    import pandas as pd
    from fastapi import FastAPI

    app, message = FastAPI(), request(folder)
    pipeline = joblib.load(Path(fitted) / "pipeline.joblib")

    @app.post("/predict")  # type: ignore[untyped-decorator]
    def predict(asked: message) -> dict[str, Any]:  # type: ignore[valid-type]
        rows = pd.DataFrame([row.model_dump(by_alias=True) for row in asked.rows])  # type: ignore[attr-defined]
        return {"predictions": pipeline.predict_proba(rows).tolist()}

    serve(app, port)


if __name__ == "__main__":
    globals()[sys.argv[2]](*sys.argv[3:])
