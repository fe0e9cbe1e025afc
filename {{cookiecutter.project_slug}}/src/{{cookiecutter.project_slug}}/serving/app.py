"""The HTTP interface to the champion."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi_offline import FastAPIOffline
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ..bundle import DOCUMENTS
from . import inference, invocations
from .following import Follower
from .gateway import OPEN, Gateway
from .messages import Problems, response_model
from .pages import STILL, page, policy
from .served import Reply, Served
from .settings import Settings
from .telemetry import Telemetry

REPORT, CARD = DOCUMENTS
BODIES = {
    "408": "The body took too long",
    "413": "The body is too large",
    "503": "Too many requests at once",
}
"""What the gateway says of requests with a body."""


def documented(openapi: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the OpenAPI document with what the gateway answers."""
    document = openapi()
    shape = {"schema": {"$ref": "#/components/schemas/Problems"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            told = {} if path.startswith(OPEN) else {"401": "No API key, where keys are set"}
            told |= BODIES if method == "post" else {}
            if path != "/predict":
                operation["responses"].pop("422", None)  # FastAPI's own, for any parameter
            operation["responses"] |= {
                code: {"description": why, "content": {"application/json": shape}}
                for code, why in told.items()
            }
    return document


def create_app(settings: Settings) -> Gateway:
    """Load the champion and return the application that serves it.

    Raises:
        InputError: there is no champion, or it is damaged.
    """
    return Gateway(settings, Follower(settings, Telemetry(), application))


def application(follower: Follower, served: Served) -> FastAPI:
    """Return the routes for one released model, and their documentation."""
    contract = served.champion.contract
    app = FastAPIOffline(
        title=str(served.facts["name"]),
        version=str(served.facts["version"]),
        description=f"Predicts `{contract.target}`, as released by `make run`.",
    )
    _predict(app, served)
    _health(app, follower, served)
    _about(app, served)
    invocations.add(app, served, follower.telemetry)
    inference.add(app, served, follower.telemetry)
    app.openapi = partial(documented, app.openapi)  # type: ignore[method-assign]
    return app


def _predict(app: FastAPI, served: Served) -> None:
    schema = inline(served.message.model_json_schema())

    @app.post(
        "/predict",
        summary="Score rows",
        response_model=response_model(served.champion.contract),
        responses={
            415: {"model": Problems, "description": "The body is not JSON"},
            422: {"model": Problems, "description": "A row breaks the contract"},
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
        },
    )
    async def predict(request: Request) -> Response:
        # For documentation: the gateway answers before, in the same words.
        return respond(served.answer(await request.body(), request.headers["x-request-id"]))


def _health(app: FastAPI, follower: Follower, served: Served) -> None:
    @app.get("/health/live", summary="Is the process up?")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", summary="Can it predict?")
    async def ready() -> dict[str, Any]:
        problem = {"problem": follower.problem} if follower.problem else {}
        return {"status": "ready", "model": served.facts, **problem}

    @app.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(follower.telemetry.text(), media_type=CONTENT_TYPE_LATEST)


def _about(app: FastAPI, served: Served) -> None:
    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        headers = {"content-security-policy": policy()}
        return Response(page(), media_type="text/html", headers=headers)

    @app.get("/model", summary="What is served")
    async def model() -> Response:
        return respond(Reply(200, json.dumps(served.description, allow_nan=False).encode()))

    if found := served.documents.get(REPORT):

        @app.get("/report", summary="How good it is", response_class=HTMLResponse)
        async def report() -> Response:
            return HTMLResponse(found, headers={"content-security-policy": STILL})

    if card := served.documents.get(CARD):

        @app.get("/model-card", summary="What it is for", response_class=PlainTextResponse)
        async def model_card() -> Response:
            return PlainTextResponse(card)


def respond(reply: Reply) -> Response:
    """Return an answer in JSON."""
    return Response(reply.body, status_code=reply.status, media_type="application/json")


def inline(schema: dict[str, Any]) -> dict[str, Any]:
    """Put definitions in the place of references, since OpenAPI keeps them elsewhere."""
    definitions = schema.pop("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, list):
            return [resolve(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolve(definitions[part["$ref"].rpartition("/")[2]])
        return {key: resolve(value) for key, value in part.items()}

    resolved: dict[str, Any] = resolve(schema)
    return resolved
