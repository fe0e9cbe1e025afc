"""The page at `/`: its files made one, and the policies that browsers hold pages to."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

_PARTS = re.compile(r'<(link rel="stylesheet" href|script src)="([a-z]+\.(css|js))">')
_INSIDE = re.compile(rb"<(style|script)>(.*?)</\1>", re.DOTALL)
STILL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of a page of texts and pictures, which runs nothing."""


@cache
def page() -> bytes:
    """Return the page with its style and its scripts inside, so that it is a single request."""
    folder = files(__package__) / "page"

    def inside(part: re.Match[str]) -> str:
        text = (folder / part[2]).read_text(encoding="utf-8")
        return f"<style>{text}</style>" if part[3] == "css" else f"<script>{text}"

    return _PARTS.sub(inside, (folder / "index.html").read_text(encoding="utf-8")).encode()


@cache
def policy() -> str:
    """Return the page's Content-Security-Policy.

    Only the style and the scripts inside, known by their hashes, count; nothing is fetched from or
    sent to another server, and no text becomes HTML.
    """
    hashes: dict[str, list[str]] = {"style": [], "script": []}
    for kind, text in _INSIDE.findall(page()):
        digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
        hashes[kind.decode()].append(f"'sha256-{digest}'")
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(hashes['script'])}",
            f"style-src {' '.join(hashes['style'])}",
            "connect-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
