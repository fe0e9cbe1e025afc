"""Lists the names that the project's lock installs, which no project may take.

python scripts/reserved_names.py SITE_PACKAGES LOCK          prints them
python scripts/reserved_names.py SITE_PACKAGES LOCK --write  writes them into the hook

SITE_PACKAGES is where the lock is installed. It knows the import names; the lock also knows
packages for other systems, such as waitress on Windows.
"""

import argparse
import re
import textwrap
from importlib.metadata import Distribution, distributions
from pathlib import Path

HOOK = Path(__file__).parents[1] / "hooks" / "pre_gen_project.py"
BLOCK = re.compile(
    r"(?<=^# reserved names: begin\n)(.*?)(?=^# reserved names: end\n)", re.DOTALL | re.MULTILINE
)
ASSIGNMENT = 'INSTALLED = """\n{names}\n"""\n'
LINES = textwrap.TextWrapper(100, initial_indent=" " * 4, subsequent_indent=" " * 4)


def as_slug(name: str) -> str:
    """A distribution's or module's name, spelled like a slug."""
    return re.sub("[-_.]+", "_", name).lower()


def locked_names(lock: Path) -> set[str]:
    """The distributions in the lock."""
    return {as_slug(name) for name in re.findall(r"^([\w.-]+)==", lock.read_text("utf-8"), re.M)}


def import_names(distribution: Distribution) -> set[str]:
    """The top-level packages and modules that a distribution puts into site-packages."""
    tops = {file.parts[0] for file in distribution.files or [] if is_module(file.parts)}
    return {as_slug(top.split(".")[0]) for top in tops}


def is_module(parts: tuple[str, ...]) -> bool:
    """Whether the path of an installed file says that its top is a package or a module."""
    folder = len(parts) > 1 and parts[0].isidentifier()
    return folder or (len(parts) == 1 and parts[0].endswith((".py", ".so", ".pyd")))


def reserved_names(site_packages: Path, lock: Path) -> list[str]:
    """Every name that the lock installs and that would otherwise pass as a slug."""
    locked = locked_names(lock)
    names = set(locked)
    for distribution in distributions(path=[str(site_packages)]):
        if as_slug(distribution.name) in locked:  # not the project itself
            names |= import_names(distribution)
    return sorted(name for name in names if re.match("[a-z]", name))


def with_names(hook: str, names: list[str]) -> str:
    """The hook's text with these names between its two comments."""
    block = ASSIGNMENT.format(names=LINES.fill(" ".join(names)))
    changed, count = BLOCK.subn(block, hook)
    if count != 1:
        raise SystemExit(f"{HOOK} has lost its comments '# reserved names: begin' and '… end'.")
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("site_packages", type=Path, help="where the lock is installed")
    parser.add_argument("lock", type=Path, help="the project's requirements.lock")
    parser.add_argument("--write", action="store_true", help="write them into the hook")
    asked = parser.parse_args()
    names = reserved_names(asked.site_packages, asked.lock)
    if asked.write:
        HOOK.write_text(with_names(HOOK.read_text("utf-8"), names), "utf-8")
    else:
        print("\n".join(names))


if __name__ == "__main__":
    main()
