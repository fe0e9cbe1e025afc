"""MLflow's scoring protocol: a drop-in for `mlflow models serve`."""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from .served import Served
from .tables import Unusable, bound, of_csv, to_csv, validate
from .telemetry import Telemetry

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def add(app: FastAPI, served: Served, telemetry: Telemetry) -> None:
    """Add the routes of the protocol."""
    records = {"dataframe_records": served.examples[:2]}
    table = to_csv(served.examples[:2], list(served.champion.contract.features))

    def score(body: bytes, kind: str) -> Response:
        try:
            rows = _rows(body, kind, served)
            answers = served.predictions(validate(served, rows))
        except Unusable as error:
            content = {"error_code": "BAD_REQUEST", "message": str(error)}
            return Response(json.dumps(content), 400, media_type="application/json")
        telemetry.rows.inc(len(answers))
        return Response(to_json({"predictions": answers}), media_type="application/json")

    @app.post(
        "/invocations",
        summary="Score rows, as MLflow's server does",
        response_model=dict[str, Any],
        responses={400: {"description": "The rows cannot be scored"}},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": {"type": "object", "examples": [records]}},
                    "text/csv": {"schema": {"type": "string", "examples": [table]}},
                },
            }
        },
    )
    async def invocations(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        return await run_in_threadpool(score, await request.body(), kind)

    @app.get("/ping", summary="Is the model loaded?", response_class=PlainTextResponse)
    async def ping() -> str:
        return "\n"

    @app.get("/version", summary="MLflow's version", response_class=PlainTextResponse)
    async def version() -> str:
        return str(served.champion.manifest["libraries"].get("mlflow", "none"))


def _rows(body: bytes, kind: str, served: Served) -> Iterator[dict[str, Any]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"the body is not UTF-8: {error}") from None
    contract, limit = served.champion.contract, served.settings.max_rows
    if kind == "text/csv":
        return of_csv(text, contract, limit)
    if kind != "application/json":
        raise Unusable(f"content-type is {kind!r}; send application/json or text/csv")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"the body is not JSON: {error}") from None
    given = [form for form in FORMS if isinstance(content, dict) and form in content]
    if len(given) != 1:
        raise Unusable(f"the body must be an object with exactly one of {', '.join(FORMS)}")
    return of_form(given[0], content[given[0]], list(contract.features), limit)


def of_form(form: str, value: Any, names: list[str], limit: int) -> Iterator[dict[str, Any]]:
    """Return the rows of one of MLflow's forms, one after the other.

    Args:
        form: one of `FORMS`.
        value: its content.
        names: the columns of the contract, for rows that come without names.
        limit: the rows that there may be.

    Raises:
        Unusable: the content is not of the form, or there are too many rows.
    """
    if form == "dataframe_split":
        if not isinstance(value, dict) or not {"columns", "data"} <= value.keys():
            raise Unusable("dataframe_split must be an object with columns and data")
        names, value = value["columns"], value["data"]
        if not isinstance(names, list) or any(isinstance(name, list | dict) for name in names):
            raise Unusable("dataframe_split: columns must be a list of names")
        names = [str(name) for name in names]
    elif isinstance(value, dict) and form in ("inputs", "instances"):
        if all(isinstance(cells, list) for cells in value.values()):
            return _turned(value, names, limit)
        value = [value]
    if not isinstance(value, list):
        raise Unusable(f"{form} must hold a list of rows")
    bound(len(value), limit)
    return (_row(row, names, form, number) for number, row in enumerate(value))


def _turned(
    columns: dict[str, list[Any]], names: list[str], limit: int
) -> Iterator[dict[str, Any]]:
    counts = {len(cells) for cells in columns.values()}
    if len(counts) > 1:
        raise Unusable("the columns of inputs differ in length")
    count = max(counts, default=0)
    bound(count, limit)
    known = [name for name in names if name in columns]
    return ({name: columns[name][number] for name in known} for number in range(count))


def _row(row: Any, names: list[str], form: str, number: int) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    if not isinstance(row, list) or len(row) != len(names):
        raise Unusable(f"{form}: row {number} must be an object, or a list of {len(names)} cells")
    return dict(zip(names, row, strict=True))
