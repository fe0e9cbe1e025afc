"""The HTTP interface to the champion."""

import json
import uuid
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from .. import bundle
from .messages import Problems, problems, request_model, response_model
from .pages import page, policy
from .settings import Settings


class TooLarge(Exception):
    """A body has more bytes than the settings allow."""


def create_app(settings: Settings) -> FastAPI:
    """Load the champion and return the application that serves it.

    Raises:
        InputError: there is no champion, or it is damaged.
    """
    champion = bundle.load(settings.champion)
    facts = {key: champion.manifest.get(key) for key in ("name", "version")}
    message = request_model(champion.contract, settings.max_rows)
    app = FastAPIOffline(
        title=str(facts["name"]),
        version=str(facts["version"]),
        description=f"Predicts `{champion.contract.target}`, as released by `make run`.",
    )

    def score(body: bytes) -> list[dict[str, Any]]:
        return champion.answers(message.model_validate_json(body).rows)  # type: ignore[attr-defined]

    @app.post(
        "/predict",
        summary="Score rows",
        response_model=response_model(champion.contract),
        responses={413: {"model": Problems}, 422: {"model": Problems}},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": inline(message.model_json_schema())}},
            }
        },
    )
    async def predict(request: Request) -> Response:
        identity = uuid.uuid4().hex
        try:
            # The body is validated from its bytes, strictly: a moment is text there, and NaN is
            # caught before it can reach a model or an answer.
            predictions = await run_in_threadpool(score, await read(request, settings.max_bytes))
        except ValidationError as error:
            return reply(422, {"errors": problems(error), "request_id": identity})
        except TooLarge:
            rule = f"a body may have {settings.max_bytes} bytes; send fewer rows"
            fault = {"row": None, "column": None, "value": None, "rule": rule}
            return reply(413, {"errors": [fault], "request_id": identity})
        return reply(200, {"predictions": predictions, "model": facts, "request_id": identity})

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        headers = {
            "Content-Security-Policy": policy(),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(page(), media_type="text/html", headers=headers)

    @app.get("/health/live", summary="Is the process up?")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", summary="Can it predict?")
    async def ready() -> dict[str, Any]:
        return {"status": "ready", "model": facts}

    @app.get("/model", summary="What is served")
    async def model() -> Response:
        contract = champion.contract.model_dump(exclude_defaults=True)
        return reply(200, {**champion.manifest, "contract": contract})

    return app


async def read(request: Request, limit: int) -> bytes:
    """Return the body of a request.

    Raises:
        TooLarge: as soon as it exceeds the limit.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


def reply(status: int, content: Any) -> Response:
    """Return JSON in ASCII, so that any text that a client sent can be shown to it."""
    text = json.dumps(content, allow_nan=False)
    return Response(text, status_code=status, media_type="application/json")


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
