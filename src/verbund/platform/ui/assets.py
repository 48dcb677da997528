"""Finds the few files of npm packages that the face serves; nothing else of node_modules is ever served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage, Storage

_KERN = "@kern-ux/native/dist"

# served as -> file below node_modules
FILES = {
    "kern/kern.css": f"{_KERN}/kern.min.css",
    "kern/fonts/FiraSans-Regular.woff2": f"{_KERN}/fonts/fira-sans/FiraSans-Regular.woff2",
    "kern/fonts/FiraSans-Medium.woff2": f"{_KERN}/fonts/fira-sans/FiraSans-Medium.woff2",
    "kern/fonts/FiraSans-SemiBold.woff2": f"{_KERN}/fonts/fira-sans/FiraSans-SemiBold.woff2",
}


def node_modules() -> Path:
    """The folder npm installs into: the setting NODE_MODULES, or node_modules beside the project."""
    return Path(settings.NODE_MODULES)


class NpmStorage(FileSystemStorage):
    """The listed files under the names they are served as."""

    def path(self, name: str) -> str:
        """The file below node_modules; KeyError for one that is not listed."""
        return str(node_modules() / FILES[name.replace("\\", "/")])


class NpmFinder(BaseFinder):
    """Static files from npm packages, by an explicit list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = NpmStorage(location=str(node_modules()))

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """An error for each missing file, with the command that brings it."""
        missing = [path for path in FILES.values() if not (node_modules() / path).is_file()]
        return [Error(f"The front-end file {path} is missing.", hint="Run `npm ci`.", id="ui.E001") for path in missing]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """The file's place, or [] when the path is not one of ours."""
        if path not in FILES or not (found := node_modules() / FILES[path]).is_file():
            return []
        return [str(found)] if find_all else str(found)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Every listed file that is there, for collectstatic."""
        for name, path in FILES.items():
            if (node_modules() / path).is_file():
                yield name, self.storage
