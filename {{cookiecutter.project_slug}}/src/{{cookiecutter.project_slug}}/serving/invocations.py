"""MLflow's scoring protocol: a drop-in for `mlflow models serve`."""

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from .served import Served
from .tables import Unusable, of_csv, to_csv, validate
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


def _rows(body: bytes, kind: str, served: Served) -> list[dict[str, Any]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"the body is not UTF-8: {error}") from None
    if kind == "text/csv":
        return of_csv(text, served.champion.contract, served.settings.max_rows)
    if kind != "application/json":
        raise Unusable(f"content-type is {kind!r}; send application/json or text/csv")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"the body is not JSON: {error}") from None
    given = [form for form in FORMS if isinstance(content, dict) and form in content]
    if len(given) != 1:
        raise Unusable(f"the body must be an object with exactly one of {', '.join(FORMS)}")
    return of_form(given[0], content[given[0]], list(served.champion.contract.features))


def of_form(form: str, value: Any, names: list[str]) -> list[dict[str, Any]]:
    """Return the rows of one of MLflow's forms.

    Args:
        form: one of `FORMS`.
        value: its content.
        names: the columns, for rows that come without names.

    Raises:
        Unusable: the content is not of the form.
    """
    if form == "dataframe_split":
        if not isinstance(value, dict) or not {"columns", "data"} <= value.keys():
            raise Unusable("dataframe_split must be an object with columns and data")
        names, value = value["columns"], value["data"]
    elif isinstance(value, dict) and form in ("inputs", "instances"):
        lists = all(isinstance(cells, list) for cells in value.values())
        value = _turned(value) if lists else [value]
    if not isinstance(value, list) or not isinstance(names, list):
        raise Unusable(f"{form} must hold a list of rows")
    return [_row(row, names, form, number) for number, row in enumerate(value)]


def _turned(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    if len({len(cells) for cells in columns.values()}) > 1:
        raise Unusable("the columns of inputs differ in length")
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _row(row: Any, names: list[Any], form: str, number: int) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    if not isinstance(row, list) or len(row) != len(names):
        raise Unusable(f"{form}: row {number} must be an object, or a list of {len(names)} cells")
    return dict(zip(map(str, names), row, strict=True))
