"""Of the npm packages nothing is served but the files that are listed."""

from pathlib import Path
from typing import Any

import pytest

from verbund.platform.ui import assets

finder = assets.NpmFinder()


@pytest.fixture
def modules(tmp_path: Path, settings: Any) -> Path:
    """A folder of node modules with everything that is listed, and one thing that is not."""
    settings.NODE_MODULES = tmp_path
    for path in [*assets.FILES.values(), "@kern-ux/native/dist/js/kern-kopfzeile.js"]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    return tmp_path


def test_listed_files_are_found_under_their_names(modules: Path) -> None:
    assert {name for name, _ in finder.list(None)} == set(assets.FILES)
    for name, storage in finder.list(None):
        assert storage.exists(name)
        assert Path(finder.find(name)).is_relative_to(modules)


@pytest.mark.parametrize("path", ["kern/kern-kopfzeile.js", "@kern-ux/native/dist/js/kern-kopfzeile.js", "kern/../x"])
def test_nothing_else_is_found(modules: Path, path: str) -> None:
    assert finder.find(path) == []


def test_a_missing_file_is_told_with_the_command_that_brings_it(modules: Path) -> None:
    assert finder.check() == []
    (modules / assets.FILES["kern/kern.css"]).unlink()
    found = finder.check()
    assert [error.id for error in found] == ["ui.E001"]
    assert found[0].hint == "Run `npm ci`."
    assert finder.find("kern/kern.css") == []
