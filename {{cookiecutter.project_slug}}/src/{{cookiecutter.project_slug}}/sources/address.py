"""The address of a table, and the credentials that it must not hold."""

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from ..errors import InputError

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
# The password is what stands between the first colon after the user's name and the last @.
PASSWORD = re.compile(r"(?<=://)([^:@/]*):(.+)@")
# A web server takes a token in place of the user's name, with or without a password.
USER = re.compile(r"(?<=://)([^:@/?#]+)(?=(:[^@]*)?@)")
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

    @staticmethod
    def scheme_of(source: str) -> str:
        """Return the kind of a source; a plain path is a `file`."""
        return source.partition("://")[0].partition("+")[0].lower() if "://" in source else "file"

    @classmethod
    def parse(cls, source: str) -> "Address":
        """Take a source apart.

        Raises:
            InputError: it holds a credential, or an environment variable that it names is not set.
        """
        scheme = cls.scheme_of(source)
        if scheme == "file":
            return cls(source, scheme, source.removeprefix("file://"), "")
        if without_secrets(source) != source:
            raise InputError(
                "credentials do not belong here: write ${NAME} in place of ***, and set NAME in "
                "the environment with `export NAME=…`"
            )
        location, _, fragment = source.partition("#")
        return cls(source, scheme, PLACEHOLDER.sub(_fill, location), fragment)

    @property
    def name(self) -> str:
        """The file's name, whose ending tells the format; the fragment where there is one."""
        path = self.location.partition("?")[0] if self.scheme != "file" else self.location
        return PurePosixPath(self.fragment or path).name

    def scrub(self, text: str) -> str:
        """Return others' text, such as a driver's error, without what the environment filled in."""
        for name in PLACEHOLDER.findall(self.source):
            value = os.environ.get(name, "")
            for secret in {value, quote(value, safe=""), unquote(value)} - {""}:
                text = text.replace(secret, "${" + name + "}")
        return text


def _fill(found: re.Match[str]) -> str:
    if found[1] not in os.environ:
        raise InputError(
            f"the environment variable {found[1]} is not set; set it with "
            f"`export {found[1]}=…` before the command"
        )
    return quote(os.environ[found[1]], safe="")


def without_secrets(source: str) -> str:
    """Return a source fit for messages and records: `***` in place of credentials.

    Placeholders such as `${PASSWORD}` say nothing and stay.
    """
    if Address.scheme_of(source) == "file":
        return source

    def hidden(value: str) -> str:
        return value if PLACEHOLDER.fullmatch(value) else "***"

    source = PASSWORD.sub(lambda found: f"{found[1]}:{hidden(found[2])}@", source)
    if Address.scheme_of(source) in ("http", "https"):
        source = USER.sub(lambda found: hidden(found[1]), source)
    return TOKEN.sub(lambda found: found[1] + hidden(found[2]), source)
