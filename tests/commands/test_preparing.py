"""A new member's body is made ready by the processes that do it in earnest, and by nobody else; killed anywhere it is
taken up again and stands there once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

HERE = Path(__file__).resolve().parent
READY = dict.fromkeys(("tenant", "rooms", "people", "file_plan", "chart", "services", "ready"), "done")

OPEN = """
SELECT id, status FROM procrastinate_jobs WHERE args ? 'hearer' AND (status = 'todo'
       OR status = 'doing' AND worker_id = (SELECT max(id) FROM procrastinate_workers))
"""


class Place:
    """An installation of the test's own."""

    def __init__(self, cluster: Any, name: str, var: Path) -> None:
        self.cluster, self.name, self.var = cluster, name, var

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.cluster.url(self.name, "verbund_app"),
            "VERBUND_OWNER_DATABASE_URL": self.cluster.url(self.name, "verbund_owner"),
            "VERBUND_VAR": str(self.var),
            "VERBUND_SECRET_KEY": "test",
            "LANGUAGE": "en",
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = (
            [sys.executable, *arguments]
            if arguments[0].endswith(".py")
            else [sys.executable, "-m", "verbund.commands.cli", *arguments]
        )
        return subprocess.Popen(
            command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str) -> None:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, out + err

    def work(self) -> None:
        """Let a worker run until nothing waits and it does nothing more; what a dead one holds it need not wait for."""
        process = self.start("worker", "--metrics-port", "0")
        try:
            end = time.monotonic() + 180
            while self.ask(OPEN):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < end, self.ask(OPEN)
                time.sleep(0.1)
        finally:
            process.terminate()
            process.communicate()

    def ask(self, statement: str) -> list[Any]:
        with psycopg.connect(self.cluster.superuser, dbname=self.name) as connection:
            return connection.execute(statement).fetchall()

    def states(self) -> dict[str, str]:
        return dict(self.ask("SELECT step, state FROM alliance.membership_provisioningstep"))

    def check_whole(self) -> None:
        """The body is there, once, with everything that was wished for."""
        assert self.states() == READY
        assert self.ask("SELECT slug, rooms, letterhead ->> 'city' FROM tenancy_body WHERE schema_name = 'gamma'") == [
            ("gamma", ["budget", "citizenservices", "records"], "Gamma")
        ]
        assert self.ask(
            "SELECT domain FROM tenancy_host h JOIN tenancy_body b ON b.id = tenant_id WHERE slug = 'gamma'"
        ) == [("gamma.localhost",)]
        assert self.ask("SELECT schema_name FROM alliance.membership_member WHERE slug = 'gamma'") == [("gamma",)]
        people = self.ask(
            "SELECT p.email, a.role FROM identity_person p JOIN identity_assignment a ON a.person_id = p.id ORDER BY 1"
        )
        assert people == [("ada@gamma.example", "body_admin"), ("karl@gamma.example", "treasury_clerk")]
        assert self.ask("SELECT count(*) > 20 FROM gamma.records_fileplanposition") == [(True,)]
        assert self.ask("SELECT code FROM gamma.budget_ledger") == [("K1",)]
        assert self.ask("SELECT count(*) > 20 FROM gamma.budget_account") == [(True,)]
        services = self.ask("SELECT state FROM gamma.citizenservices_onlineservice")
        assert services == [("draft",), ("draft",)]
        assert len(self.ask("SELECT 1 FROM gamma.identity_local_token WHERE kind = 'invitation'")) == 2
        assert self.ask(
            "SELECT count(*) FROM alliance.audit_auditentry WHERE action = 'membership.provisioning.ended'"
        ) == [(1,)]


@pytest.fixture
def place(cluster: Any, template_database: str, tmp_path: Path) -> Iterator[Place]:
    made = Place(cluster, f"verbund_test_run_{os.getpid()}_{os.urandom(3).hex()}", tmp_path)
    cluster.copy(template_database, made.name)
    try:
        yield made
    finally:
        cluster.drop(made.name)


def test_a_new_members_body_is_made_ready(place: Place) -> None:
    place.run(str(HERE / "new_member.py"))
    assert place.states()["tenant"] == "running"
    assert place.ask("SELECT 1 FROM pg_namespace WHERE nspname = 'gamma'") == []
    place.work()
    place.check_whole()
    place.run(str(HERE / "new_member.py"))
    place.work()
    place.check_whole()


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [0.8, 1.6, 2.4, 3.2, 4.5])
def test_what_was_killed_is_taken_up_again(place: Place, seconds: float) -> None:
    place.run(str(HERE / "new_member.py"))
    process = place.start("worker", "--once")
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if place.ask("SELECT 1 FROM tenancy_body WHERE schema_name = 'gamma'"):
        assert place.ask("SELECT to_regclass('gamma.budget_voucher') IS NOT NULL") == [(True,)], "a half body is seen"
    # Jobs of the killed worker are taken up after ten seconds; asking again does not wait for them.
    place.run(str(HERE / "new_member.py"))
    place.work()
    place.check_whole()
