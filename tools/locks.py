"""The lock files say the same as pyproject.toml and package.json, name digests for everything and no registry. Works
offline."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^ ;\\]+)")


def pins(file: Path) -> dict[str, Version]:
    """Name -> version of a lock file."""
    return {
        canonicalize_name(match["name"]): Version(match["version"])
        for line in file.read_text(encoding="utf-8").splitlines()
        if (match := _PIN.match(line))
    }


def complaints() -> Iterator[str]:
    """What is wrong, one line each."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [Requirement(text) for text in project["project"]["dependencies"]]
    wanted_dev = [Requirement(text) for text in project["dependency-groups"]["dev"]]
    run, dev = pins(ROOT / "requirements.lock"), pins(ROOT / "requirements-dev.lock")
    for locked, name, requirements in (
        (run, "requirements.lock", wanted),
        (dev, "requirements-dev.lock", [*wanted, *wanted_dev]),
    ):
        for requirement in requirements:
            version = locked.get(canonicalize_name(requirement.name))
            if version is None:
                yield f"{name}: {requirement.name} is missing"
            elif not requirement.specifier.contains(version, prereleases=True):
                yield f"{name}: {requirement.name}=={version} does not satisfy {requirement.specifier}"
        yield from _without_digest(ROOT / name)
    for package, version in run.items():
        if dev.get(package) != version:
            yield f"{package} is {version} in requirements.lock and {dev.get(package)} in requirements-dev.lock"
    yield from _without_digest(ROOT / "tools" / "node.lock")
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    locked_package = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    for kind in ("dependencies", "devDependencies"):
        if package.get(kind, {}) != locked_package["packages"][""].get(kind, {}):
            yield f"package-lock.json: {kind} differ from package.json"
    for path, entry in locked_package["packages"].items():
        if path and not entry.get("integrity"):
            yield f"package-lock.json: {path} has no digest"
        if "resolved" in entry:
            yield f"package-lock.json: {path} names a registry"


def _without_digest(file: Path) -> Iterator[str]:
    text = file.read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=[A-Za-z0-9])", text):
        if _PIN.match(entry) and "--hash=sha256:" not in entry:
            yield f"{file.name}: {entry.splitlines()[0]} has no digest"
    if re.search(r"https?://|--(extra-)?index-url|--find-links", text):
        yield f"{file.name}: names a registry or a place"


def main() -> int:
    """The command line: exit code 1 when something is wrong."""
    found = list(complaints())
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
