"""The address of a table: its parts, and the credentials that it must not hold."""

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from ..errors import InputError

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
# What stands between the first colon after the user's name and the last @, but not a port.
PASSWORD = re.compile(r"^([\w.+-]+://[^:@/]*):(?!\d+/)(\$\{\w+\}(?=@)|.+)@")
TOKEN = re.compile(
    r"(?<=[?&;])([^=&;#]*(?:password|passwd|pwd|token|secret|key|sig|signature|credential)=)([^&;#]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Address:
    """The parts of a source such as `postgresql://app:${PASSWORD}@host/shop#orders`."""

    source: str
    scheme: str
    location: str
    """All before the fragment, placeholders filled from the environment."""
    fragment: str

    @property
    def name(self) -> str:
        """The name whose ending tells the format; for an address without one, the fragment."""
        path = self.location.partition("?")[0] if "://" in self.location else self.location
        return PurePosixPath(self.fragment or path).name


def scheme_of(source: str) -> str:
    """Return the kind of a source; a plain path is a `file`."""
    return source.partition("://")[0].partition("+")[0].lower() if "://" in source else "file"


def is_local(source: str) -> bool:
    """Return whether a source is a file of this machine."""
    return scheme_of(source) == "file"


def parse(source: str) -> Address:
    """Take a source apart.

    Raises:
        InputError: it holds a credential, or an environment variable that it names is not set.
    """
    scheme = scheme_of(source)
    if scheme == "file":
        return Address(source, scheme, source.removeprefix("file://"), "")
    _refuse_credentials(source)
    location, _, fragment = source.partition("#")
    return Address(source, scheme, PLACEHOLDER.sub(_fill, location), fragment)


def _fill(found: re.Match[str]) -> str:
    if found[1] not in os.environ:
        raise InputError(
            f"the environment variable {found[1]} is not set; set it with "
            f"`export {found[1]}=…` before the command"
        )
    return quote(os.environ[found[1]], safe="")


def _refuse_credentials(source: str) -> None:
    if without_secrets(source) != source:
        raise InputError(
            f"{without_secrets(source)}: credentials do not belong here: write ${{NAME}} in place "
            "of ***, and set NAME in the environment with `export NAME=…`"
        )


def without_secrets(source: str) -> str:
    """Return a source fit for messages and records: `***` in place of credentials.

    Placeholders such as `${PASSWORD}` say nothing and stay.
    """

    def hide(found: re.Match[str]) -> str:
        end = "@" if found.re is PASSWORD else ""
        separator = ":" if found.re is PASSWORD else ""
        kept = found[2] if PLACEHOLDER.fullmatch(found[2]) else "***"
        return f"{found[1]}{separator}{kept}{end}"

    location, mark, fragment = source.partition("#")
    if "@" in fragment and not PASSWORD.search(location):  # perhaps a password with a #
        location, mark, fragment = source, "", ""
    return TOKEN.sub(hide, PASSWORD.sub(hide, location)) + mark + fragment


def scrub(text: str, source: str) -> str:
    """Return a text of others, such as a driver's error, without what came from the environment."""
    for name in PLACEHOLDER.findall(source):
        value = os.environ.get(name, "")
        for secret in {value, quote(value, safe=""), unquote(value)} - {""}:
            text = text.replace(secret, f"${{{name}}}")
    return text
