"""Files of other machines, through fsspec: downloaded whole before anything is read."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from rich.progress import wrap_file

from .address import Address

PART = 1 << 20  # bytes at once


def storage(address: Address, scratch: Path) -> Path:
    """Download a file with the credentials that the driver finds by itself."""
    return _download(address, address.location, scratch)


def web(address: Address, scratch: Path) -> Path:
    """Download a file over HTTP, as one stream."""
    import aiohttp

    # A download may take hours, but not a minute without a byte.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
    options = {"block_size": 0, "client_kwargs": {"timeout": timeout}}
    return _download(address, address.location, scratch, **options)


def shell(address: Address, scratch: Path) -> Path:
    """Download a file over SFTP, from a host that ~/.ssh/known_hosts knows."""
    location = address.location
    options: dict[str, Any] = {"known_hosts": ()}  # without this, from any host
    if password := urlsplit(location).password:  # the driver would take it as it is quoted
        options["password"] = unquote(password)
        location = location.replace(f":{password}@", "@", 1)
    return _download(address, location, scratch, **options)


def _download(address: Address, location: str, scratch: Path, **options: Any) -> Path:
    import fsspec

    target = scratch / address.name
    with fsspec.open(location, "rb", **options) as remote, target.open("wb") as local:
        size = getattr(remote, "size", None) or 0
        with wrap_file(remote, size, description=address.name, transient=True) as shown:
            shutil.copyfileobj(shown, local, PART)
    return target
