"""The champion, ready to answer."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.json import encode
from pydantic import ValidationError
from pydantic_core import from_json

from ..bundle import DOCUMENTS, Bundle
from ..contract.cells import Values
from ..contract.row import request_of, values
from .explanation import Explainer
from .messages import problems, request_model
from .plain import Plain
from .settings import Settings

EXAMPLES = 5
SMALL, FEW = 65_536, 128
"""Bytes of a body, and its rows, that are scored at once; those of a larger one in a thread."""
LARGE = 1_000_000
"""Bytes of a body that is looked over before it is validated."""
SURPLUS = 100
"""Keys of an object that the contract does not know, of which each is named."""


@dataclass(frozen=True)
class Reply:
    """An answer before it is sent."""

    status: int
    body: bytes
    rows: int = 0


class Served:
    """One released model, with all that is made of its contract. Never changes.

    Args:
        champion: verified.
        settings: of the server.
        application: makes the routes beside POST /predict.
    """

    def __init__(
        self, champion: Bundle, settings: Settings, application: Callable[["Served"], Any]
    ) -> None:
        self.champion = champion
        self.settings = settings
        self.facts = {key: champion.manifest.get(key) for key in ("name", "version")}
        self.explainer = Explainer(champion)
        golden = self.explainer.reference[:EXAMPLES]
        self.examples = [request_of(row, champion.contract) for row in golden]
        """Rows as clients send them."""
        self.message = request_model(champion.contract, settings.max_rows, self.examples[0])
        self._plain = Plain(champion.contract, min(FEW, settings.max_rows))
        # Read now, since the folder may be gone when they are asked for.
        self.documents = {
            file: (champion.folder / file).read_bytes()
            for file in DOCUMENTS
            if file in champion.manifest["files"]
        }
        self.application = application(self)

    def answer(self, body: bytes, identity: str) -> Reply:
        """Validate the body of POST /predict, strictly and from its bytes, and score it."""
        asked = self._read(body, identity)
        if isinstance(asked, Reply):
            return asked
        rows = [values(row) for row in asked.rows]
        return self.reply(self.predictions(rows, asked.explain), identity)

    async def answer_soon(self, body: bytes, identity: str) -> Reply:
        """Do the same, in a thread unless it is soon done."""
        rows = self.few(body)
        if rows is None:
            return await asyncio.to_thread(self.answer, body, identity)
        return self.reply(self.predictions(rows), identity)

    def few(self, body: bytes) -> Sequence[Values] | None:
        """Return rows that are scored sooner than other requests would miss their turn."""
        if self.champion.compiled is None or len(body) > SMALL:
            return None
        if (plain := self._plain.read(body)) is not None:
            return plain
        try:
            asked: Any = self.message.model_validate_json(body)
        except Exception:
            return None  # to say what is wrong may take long
        if asked.explain or len(asked.rows) > FEW:
            return None
        return [values(row) for row in asked.rows]

    def _read(self, body: bytes, identity: str) -> Any:
        """Return what a body asks, or its refusal."""
        if len(body) > LARGE and (rule := self._too_much(body)):
            return refusal(422, [fault(rule)], identity)
        try:
            asked: Any = self.message.model_validate_json(body)
        except ValidationError as error:
            return refusal(422, problems(error), identity)
        if asked.explain and len(asked.rows) > self.settings.max_explained:
            rule = f"at most {self.settings.max_explained} rows can be explained in one request"
            return refusal(422, [fault(rule, column="explain")], identity)
        return asked

    def reply(self, answers: list[dict[str, Any]], identity: str) -> Reply:
        """Return an answer with the predictions for its rows."""
        content = {"predictions": answers, "model": self.facts, "request_id": identity}
        return Reply(200, encode(content), len(answers))

    def _too_much(self, body: bytes) -> str | None:
        """Say what a large body has too much of: millions of faults would cost gigabytes."""
        try:
            content = from_json(body)
        except ValueError:
            return None  # said in the same words for small bodies and large ones
        rows = content.get("rows") if isinstance(content, dict) else content
        if isinstance(rows, list) and len(rows) > self.settings.max_rows:
            return f"rows must be at most {self.settings.max_rows}, not {len(rows)}"
        limit = len(self.champion.contract.features) + SURPLUS
        for one in (content, *(rows if isinstance(rows, list) else ())):
            if isinstance(one, dict) and len(one) > limit:
                return f"an object has {len(one)} keys; none may have more than {limit}"
        return None

    def predictions(self, rows: Sequence[Values], explain: bool = False) -> list[dict[str, Any]]:
        """Return the prediction for each validated row as a client gets it."""
        answers = self.champion.answers(rows)
        if explain:
            for row, answer in zip(rows, answers, strict=True):
                answer["explanation"] = self.explainer.explain(row, answer)
        return answers

    @property
    def description(self) -> dict[str, Any]:
        """What GET /model says."""
        contract = self.champion.contract
        return {
            **self.champion.manifest,
            "contract": contract.model_dump(exclude_defaults=True),
            "examples": self.examples,
            "limits": {
                "max_rows": self.settings.max_rows,
                "max_explained": self.settings.max_explained,
                "max_bytes": self.settings.max_bytes,
            },
            "links": {
                stem: f"/{stem.replace('_', '-')}"
                for stem in (file.partition(".")[0] for file in self.documents)
            },
        }


def fault(rule: str, column: str | None = None) -> dict[str, Any]:
    """Return what is wrong with a request as a whole."""
    return {"row": None, "column": column, "value": None, "rule": rule}


def refusal(status: int, errors: list[dict[str, Any]], identity: str, **more: str) -> Reply:
    """Return a refusal, in ASCII, so that any text that a client sent can be shown to it."""
    content = {"errors": errors, "request_id": identity, **more}
    return Reply(status, json.dumps(content, allow_nan=False).encode())
