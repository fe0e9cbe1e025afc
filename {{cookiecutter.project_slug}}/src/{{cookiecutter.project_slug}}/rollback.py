"""rollback: an earlier champion back, at once."""

from . import versions
from .errors import InputError


def main(to: str | None = None) -> None:
    """Make an earlier version the champion; the one that it replaces stays.

    The switch comes first: nothing slow is imported, and the registry need not answer.

    Args:
        to: the version; None is the one that was champion before.

    Raises:
        InputError: there is no such version, or it is damaged.
    """
    with versions.lock():
        versions.mend()
        version = to or versions.previous()
        folder, replaced = versions.find(version), versions.current()
        if version == replaced:
            raise InputError(
                f"version {version} is the champion already; these are there: "
                f"{', '.join(versions.names())}"
            )
        versions.verify(folder)
        versions.switch(versions.entry(version, versions.ROLLBACK))
        told = f"version {version} is the champion, version {replaced} stays in {folder.parent}"
        print(told, flush=True)
        try:
            from .stages.release import announce

            announce()
        except InputError as error:
            print(f"The registry does not know it yet: {error}. The next `make run` tells it")
