"""What the tests of leaving share: the installation a body leaves, its archive, and where it comes to."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.commands.moving import HERE, WITHOUT_ALPHA, Installation


@pytest.fixture(scope="module")
def old(cluster: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The installation the body leaves."""
    made = Installation(cluster, f"verbund_test_run_{os.getpid()}_old", tmp_path_factory.mktemp("old"))
    cluster.copy(template_database, made.name)
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / "worked_body.py")],
            env=made.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield made
    finally:
        cluster.drop(made.name)


@pytest.fixture(scope="module")
def exported(old: Installation, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The archive of alpha and what the command said."""
    folder = tmp_path_factory.mktemp("out") / "alpha"
    done = old.run("body", "export", "alpha", "--to", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    return folder, done.stdout


@pytest.fixture
def new(cluster: Any, template_database: str, tmp_path: Path) -> Iterator[Installation]:
    """The installation the body comes to: it has an alliance and another body, and nothing of alpha."""
    made = Installation(cluster, f"verbund_test_run_{os.getpid()}_new_{os.urandom(3).hex()}", tmp_path / "new")
    made.var.mkdir()
    cluster.copy(template_database, made.name)
    made.do(*WITHOUT_ALPHA)
    try:
        yield made
    finally:
        cluster.drop(made.name)


@pytest.fixture
def copied(exported: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the archive to spoil."""
    target = tmp_path / "copied"
    shutil.copytree(exported[0], target)
    return target


@pytest.fixture(scope="module")
def guarded(cluster: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One new installation for all hostile archives: each must leave it as it was."""
    made = Installation(cluster, f"verbund_test_run_{os.getpid()}_guarded", tmp_path_factory.mktemp("guarded"))
    cluster.copy(template_database, made.name)
    made.do(*WITHOUT_ALPHA)
    try:
        yield made
    finally:
        cluster.drop(made.name)
