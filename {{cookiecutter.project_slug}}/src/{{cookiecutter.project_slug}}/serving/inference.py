"""The Open Inference Protocol, version 2: clients of KServe and Triton.

Each column of the contract is a tensor of shape (n,) or (n, 1); a missing value is NaN, or an empty
text, or the whole tensor left out. A single tensor of shape (n, columns) is taken in contract
order. Tensors may be JSON or binary (Triton's binary tensor data extension).
"""

import json
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Path, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from ..predictions import Array
from .served import Served
from .tables import Unusable, validate
from .telemetry import Telemetry
from .tensors import of_json, split, to_binary

TYPES = {"integer": "INT64", "number": "FP64", "boolean": "BOOL"}
LENGTH = "inference-header-content-length"


def add(app: FastAPI, served: Served, telemetry: Telemetry) -> None:
    """Add the routes of the protocol."""
    name, version = str(served.facts["name"]), str(served.facts["version"])
    Name = Annotated[str, Path(json_schema_extra={"enum": [name]})]
    extensions = ["binary_tensor_data"]

    @app.get("/v2", summary="The server")
    async def server() -> dict[str, Any]:
        return {"name": name, "version": version, "extensions": extensions}

    @app.get("/v2/health/live", summary="Is the process up?")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @app.get("/v2/health/ready", summary="Can it predict?")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    def known(model: str, wanted: str | None) -> str | None:
        if model != name:
            return f"there is no model {model!r} here; it is called {name!r}"
        if wanted not in (None, version):
            return f"version {wanted!r} is not served, but {version!r}"
        return None

    @app.get("/v2/models/{model}", summary="The model's tensors", responses=ABSENT)
    @app.get(
        "/v2/models/{model}/versions/{wanted}", summary="The model's tensors", responses=ABSENT
    )
    async def metadata(model: Name, wanted: str | None = None) -> Response:
        problem = known(model, wanted)
        return refused(problem, 404) if problem else JSONResponse(describe(served))

    @app.get("/v2/models/{model}/ready", summary="Is the model ready?", responses=ABSENT)
    @app.get(
        "/v2/models/{model}/versions/{wanted}/ready",
        summary="Is the model ready?",
        responses=ABSENT,
    )
    async def model_ready(model: Name, wanted: str | None = None) -> Response:
        problem = known(model, wanted)
        found = {"name": name, "ready": True}
        return refused(problem, 404) if problem else JSONResponse(found)

    told = documented(served)

    @app.post("/v2/models/{model}/infer", **told)
    @app.post("/v2/models/{model}/versions/{wanted}/infer", **told)
    async def infer(request: Request, model: Name, wanted: str | None = None) -> Response:
        problem = known(model, wanted)
        if problem:
            return refused(problem, 404)
        body, length = await request.body(), request.headers.get(LENGTH)
        try:
            return await run_in_threadpool(answer, served, body, length, telemetry)
        except Unusable as error:
            return refused(str(error), 400)


def fault(why: str) -> dict[str, Any]:
    """Return the documentation of an error as the protocol has it."""
    shape = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    return {"description": why, "content": {"application/json": {"schema": shape}}}


ABSENT: dict[int | str, dict[str, Any]] = {404: fault("No such model, or version")}


def documented(served: Served) -> dict[str, Any]:
    """Return what the documentation says of scoring, with a row as an example."""
    row = served.examples[0]
    inputs = [
        {**one, "shape": [1], "data": [row[one["name"]]]}
        for one in describe(served)["inputs"]
        if one["name"] in row
    ]
    shape = {"type": "object", "required": ["inputs"], "examples": [{"inputs": inputs}]}
    return {
        "summary": "Score tensors",
        "response_model": dict[str, Any],
        "responses": {**ABSENT, 400: fault("The tensors cannot be scored")},
        "openapi_extra": {
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": shape},
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                },
            }
        },
    }


def refused(problem: str | None, status: int) -> Response:
    """Return an error as the protocol has it, in ASCII."""
    return Response(json.dumps({"error": problem}), status, media_type="application/json")


def describe(served: Served) -> dict[str, Any]:
    """Return the metadata of the model."""
    contract = served.champion.contract
    outputs = (
        [("label", "BYTES", [-1]), ("probabilities", "FP64", [-1, len(contract.classes)])]
        if contract.classes
        else [("value", "FP64", [-1]), ("interval", "FP64", [-1, 2])]
    )
    return {
        "name": served.facts["name"],
        "versions": [str(served.facts["version"])],
        "platform": "scikit-learn",
        "inputs": [
            {"name": name, "datatype": TYPES.get(column.type, "BYTES"), "shape": [-1]}
            for name, column in contract.features.items()
        ],
        "outputs": [{"name": n, "datatype": kind, "shape": shape} for n, kind, shape in outputs],
    }


def answer(served: Served, body: bytes, length: str | None, telemetry: Telemetry) -> Response:
    """Score a request.

    Raises:
        Unusable: it is malformed, or a row breaks the contract.
    """
    asked, rest = split(body, length)
    columns = len(served.champion.contract.features)
    tensors = of_json(asked.get("inputs"), rest, served.settings.max_rows, columns)
    answers = served.predictions(validate(served, _rows(tensors, served)))
    telemetry.rows.inc(len(answers))
    outputs = _outputs(answers, served)
    wanted = _wanted(asked.get("outputs"), list(outputs))
    parameters = asked.get("parameters") or {}
    binary = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    described, blobs = [], []
    for one in wanted:
        kind, values = outputs[one["name"]]
        said: dict[str, Any] = {
            "name": one["name"],
            "datatype": kind,
            "shape": list(values.shape),
        }
        options = one.get("parameters") or {}
        if isinstance(options, dict) and options.get("binary_data", binary) is True:
            blobs.append(to_binary(values, kind))
            said["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            said["data"] = values.ravel().tolist()
        described.append(said)
    identity = {"id": asked["id"]} if isinstance(asked.get("id"), str) else {}
    head = json.dumps(
        {
            "model_name": served.facts["name"],
            "model_version": str(served.facts["version"]),
            **identity,
            "outputs": described,
        },
        allow_nan=False,
    ).encode()
    if not blobs:
        return Response(head, media_type="application/json")
    headers = {LENGTH: str(len(head))}
    return Response(b"".join([head, *blobs]), 200, headers, "application/octet-stream")


def _wanted(asked: Any, names: list[str]) -> list[dict[str, Any]]:
    if not asked:
        return [{"name": name} for name in names]
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise Unusable("outputs must be a list of objects")
    found = [one.get("name") for one in asked]
    if len(found) > len(names) or any(found.count(name) > 1 for name in found):
        raise Unusable(f"outputs must each be named once; there are {names}")
    if unknown := [name for name in found if name not in names]:
        raise Unusable(f"there is no output {str(unknown[0])[:100]!r}; there are {names}")
    return asked


def _rows(tensors: dict[str, Array], served: Served) -> list[dict[str, Any]]:
    names = list(served.champion.contract.features)
    (only,) = tensors.values() if len(tensors) == 1 else (None,)
    if only is not None and only.ndim == 2 and only.shape[1] == len(names) > 1:
        return [dict(zip(names, row, strict=True)) for row in only.tolist()]
    unknown = [name for name in tensors if name not in names]
    if unknown:
        raise Unusable(f"there is no input {unknown[0]!r}; there are {names}")
    columns = {}
    for name, values in tensors.items():
        if values.ndim > 1 and values.size != len(values):
            raise Unusable(f"input {name!r} must have shape [n] or [n, 1], not {values.shape}")
        columns[name] = values.ravel().tolist()
    if len({len(cells) for cells in columns.values()}) != 1:
        raise Unusable("the inputs differ in length")
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _outputs(answers: list[dict[str, Any]], served: Served) -> dict[str, tuple[str, Array]]:
    if served.champion.contract.classes is None:
        return {
            "value": ("FP64", np.array([one["value"] for one in answers])),
            "interval": ("FP64", np.array([one["interval"] for one in answers])),
        }
    labels = [str(v).lower() if isinstance(v := one["label"], bool) else v for one in answers]
    probabilities = [[*one["probabilities"].values()] for one in answers]
    return {
        "label": ("BYTES", np.array(labels, dtype=object)),
        "probabilities": ("FP64", np.array(probabilities)),
    }
