"""A living installation for the journeys: a copy of the tests' database, web and worker as processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from verbund.commands.walk.children import Children
from verbund.commands.walk.instance import free_port
from verbund.commands.walk.town import Town

if TYPE_CHECKING:
    from verbund.commands.walk.accession.alliance import Alliance
    from verbund.commands.walk.site import Site

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "Lange-Reise-2026!"


@dataclass(frozen=True)
class Live:
    """A running installation; `environment` is what its processes run with."""

    port: int
    var: Path
    environment: dict[str, str]
    children: Children
    town: Town

    @property
    def url(self) -> str:
        """The town's portal."""
        return f"http://{self.town.host}:{self.port}"

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line `verbund` on this installation."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "verbund.commands.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running(cluster: Any, template: str, var: Path, name: str) -> Iterator[tuple[dict[str, str], Children]]:
    """A copy of the tests' database with web and worker started on it; nothing of it is left afterwards."""
    database = f"verbund_test_run_{os.getpid()}_{name}"
    cluster.drop(database)
    cluster.copy(template, database)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("VERBUND_", "DATABASE_", "PROMETHEUS_"))},
        "VERBUND_VAR": str(var),
        "VERBUND_SECRET_KEY": "journeys" * 8,
        "VERBUND_HTTPS": "0",
        "VERBUND_REQUIRE_SECOND_FACTOR": "1",
        "DATABASE_URL": cluster.url(database, "verbund_app"),
        "VERBUND_OWNER_DATABASE_URL": cluster.url(database, "verbund_owner"),
        "JOURNEY_PASSWORD": PASSWORD,
        "PYTHONPATH": str(ROOT / "src"),
    }
    _static_files(environment, var)
    children = Children(var, free_port(), environment)
    environment["VERBUND_PUBLIC_PORT"] = str(children.port)
    try:
        children.start()
        yield environment, children
        children.check()
        assert not children.errors()
    finally:
        children.stop()
        cluster.drop(database)


def furnished(environment: dict[str, str], script: str, body: str) -> dict[str, Any]:
    """Furnish a body with a script of this folder; what it prints."""
    done = subprocess.run(
        [sys.executable, "-P", str(ROOT / "tests" / "journeys" / script), body],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="session")
def live(cluster: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One installation for all journeys of a run."""
    var = tmp_path_factory.mktemp("installation")
    with running(cluster, template_database, var, "journeys") as (environment, children):
        town = Town(**furnished(environment, "furnish.py", "alpha"))
        children.wait()
        yield Live(children.port, var, environment, children, town)


@pytest.fixture(scope="module")
def joining(
    cluster: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Live, "Alliance"]]:
    """An installation of its own with an alliance that a new town can join, once: one for each module."""
    from verbund.commands.walk.accession.alliance import Alliance
    from verbund.commands.walk.accession.days import Days

    var = tmp_path_factory.mktemp("alliance")
    with running(cluster, template_database, var, "alliance") as (environment, children):
        found = furnished(environment, "furnish_alliance.py", "alliance")
        alliance = Alliance(
            Town(**found["desk"]),
            {slug: UUID(member) for slug, member in found["members"].items()},
            Days(date.fromisoformat(found["days"]["effect"])),
        )
        children.wait()
        yield Live(children.port, var, environment, children, alliance.desk), alliance


@pytest.fixture(scope="session")
def site(live: Live) -> Iterator["Site"]:
    """The people at their desks: one set for all journeys, since each sets up a second factor at the first sign-in."""
    from verbund.commands.walk.site import Site

    site = Site(live.town, live.port, live.children.mails)
    yield site
    site.close()


def _static_files(environment: dict[str, str], var: Path) -> None:
    """The collected static files of the source tree, made where they are missing or old."""
    own = Path(os.environ.get("VERBUND_VAR", ROOT / "var"))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "verbund.commands.cli", "setup", "--no-database"],
        env={**environment, "VERBUND_VAR": str(own)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (var / "static").symlink_to(own / "static", target_is_directory=True)
