"""A living installation for the journeys: a copy of the tests' database, web and worker as processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from verbund.commands.walk.children import Children
from verbund.commands.walk.instance import free_port
from verbund.commands.walk.town import Town

if TYPE_CHECKING:
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


@pytest.fixture(scope="session")
def live(cluster: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One installation for all journeys of a run."""
    name = f"verbund_test_run_{os.getpid()}_journeys"
    cluster.drop(name)
    cluster.copy(template_database, name)
    var = tmp_path_factory.mktemp("installation")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("VERBUND_", "DATABASE_", "PROMETHEUS_"))},
        "VERBUND_VAR": str(var),
        "VERBUND_SECRET_KEY": "journeys" * 8,
        "VERBUND_HTTPS": "0",
        "VERBUND_REQUIRE_SECOND_FACTOR": "1",
        "DATABASE_URL": cluster.url(name, "verbund_app"),
        "VERBUND_OWNER_DATABASE_URL": cluster.url(name, "verbund_owner"),
        "JOURNEY_PASSWORD": PASSWORD,
        "PYTHONPATH": str(ROOT / "src"),
    }
    _static_files(environment, var)
    children = Children(var, free_port(), environment)
    environment["VERBUND_PUBLIC_PORT"] = str(children.port)
    try:
        children.start()
        furnished = subprocess.run(
            [sys.executable, "-P", str(ROOT / "tests" / "journeys" / "furnish.py"), "alpha"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert furnished.returncode == 0, furnished.stderr
        town = Town(**json.loads(furnished.stdout.splitlines()[-1]))
        children.wait()
        yield Live(children.port, var, environment, children, town)
        children.check()
        assert not children.errors()
    finally:
        children.stop()
        cluster.drop(name)


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
