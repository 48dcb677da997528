"""The demo: loaded through the services within its time, complete; every role signs in and opens its pages."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from verbund.commands.demo.facts import CANDIDATE, CITIZEN, PASSWORD, bodies
from verbund.commands.walk.children import Children
from verbund.commands.walk.instance import free_port
from verbund.commands.walk.people import sign_in
from verbund.commands.walk.visitor import Visitor

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 90.0  # on two quiet cores; a busy machine is told apart by what the processor really did
DEMO = bodies()


@dataclass(frozen=True)
class Demo:
    """The loaded demo, served."""

    port: int
    environment: dict[str, str]
    told: str
    processor_seconds: float
    database: str


def run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "verbund.commands.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    var = ROOT / "var" / f"demo-test-{os.getpid()}"
    var.mkdir(parents=True)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("VERBUND_", "DATABASE_", "PROMETHEUS_"))},
        "VERBUND_VAR": str(var),
        "VERBUND_DEMO": "1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    before = os.times()
    loaded = run(environment, "demo", "--no-serve")
    after = os.times()
    assert loaded.returncode == 0, loaded.stdout[-3000:] + loaded.stderr[-3000:]
    from verbund.platform.tenancy import embedded

    server = embedded.start(var)
    addresses = embedded.addresses(server)
    environment |= addresses | {
        "VERBUND_EMBEDDED": "1",
        "VERBUND_HTTPS": "0",
        "VERBUND_SECRET_KEY": (var / "secret-key").read_text().strip(),
    }
    children = Children(var, free_port(), environment)
    try:
        children.start()
        children.wait()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        yield Demo(children.port, environment, loaded.stdout, spent, addresses["VERBUND_OWNER_DATABASE_URL"])
        children.check()
        assert not children.errors()
    finally:
        children.stop()
        server.cleanup()
        subprocess.run(["rm", "-rf", str(var), str(embedded.data_directory(var))], check=False)


def rows(demo: Demo, schema: str, statement: str) -> list[Any]:
    with psycopg.connect(demo.database, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", [schema])
        return connection.execute(statement.encode()).fetchall()


def test_it_is_loaded_in_its_time(demo: Demo) -> None:
    assert demo.processor_seconds / 2 < LIMIT_SECONDS


def test_it_holds_what_it_promises(demo: Demo) -> None:
    members = [body for body in DEMO if not body.is_alliance]
    applications, documents, states = 0, 0, set()
    for body in members:
        found = rows(demo, body.schema, "SELECT state, count(*) FROM citizenservices_application GROUP BY 1")
        applications += sum(number for _state, number in found)
        states |= {state for state, _number in found}
        documents += rows(demo, body.schema, "SELECT count(*) FROM records_document")[0][0]
        years = rows(demo, body.schema, "SELECT year FROM budget_fiscalyear ORDER BY 1")
        assert [year for (year,) in years] == [2025, 2026]
        kinds = {kind for (kind,) in rows(demo, body.schema, "SELECT DISTINCT state FROM budget_statemententry")}
        assert {"matched", "suspense"} <= kinds, body.schema
    assert applications >= 280
    assert documents >= 3_000
    assert states >= {"submitted", "in_progress", "query_open", "delivered", "closed"}


def test_the_candidates_body_was_set_up_step_by_step(demo: Demo) -> None:
    """By the worker, not by the loader: every step has its time, and the body has what was planned for it."""
    alliance = DEMO[0].schema
    steps = rows(
        demo,
        alliance,
        "SELECT s.step, s.state, s.ended_at >= s.started_at, s.attempts FROM membership_provisioningstep s"
        " JOIN membership_provisioning p ON p.id = s.provisioning_id WHERE p.schema_name = 'musterhagen'"
        " ORDER BY s.position",
    )
    assert len(steps) == 7
    assert {(state, lasted, attempts) for _step, state, lasted, attempts in steps} == {("done", True, 1)}
    people = rows(
        demo,
        "public",
        "SELECT a.role FROM identity_assignment a JOIN tenancy_body b ON b.id = a.body_id"
        " WHERE b.schema_name = 'musterhagen' ORDER BY 1",
    )
    assert people == [("body_admin",), ("budget_officer",), ("service_editor",)]
    assert rows(demo, CANDIDATE, "SELECT code FROM budget_ledger") == [("K1",)]
    assert rows(demo, CANDIDATE, "SELECT count(*) FROM citizenservices_onlineservice") == [(1,)]
    agreed = rows(demo, alliance, "SELECT as_carrier, count(*) > 20 FROM membership_serviceagreement GROUP BY 1")
    assert (True, True) in agreed
    visitor = Visitor(f"{CANDIDATE}.localhost", demo.port)
    try:
        assert "Musterhagen" in visitor.get("/anmelden/").text
    finally:
        visitor.close()


def test_keys_and_names_are_those_of_the_official_list(shared_dir: Path, demo: Demo) -> None:
    official = (shared_dir / "standards" / "reflists" / "ags_2026-04-30.csv").read_text(encoding="utf-8-sig")
    for body in DEMO:
        if len(body.ags) == 8:
            name = body.name.removeprefix("Landeshauptstadt ").removeprefix("Stadt ")
            assert re.search(rf'^{body.ags},"?{name}, (Landeshauptstadt|Stadt)', official, re.MULTILINE), body.name


def test_a_second_loading_changes_nothing(demo: Demo) -> None:
    before = rows(demo, "grabow", "SELECT count(*) FROM audit_auditentry")
    begun = time.monotonic()
    again = run(demo.environment, "demo", "--no-serve")
    assert again.returncode == 0, again.stderr
    assert PASSWORD in again.stdout
    assert rows(demo, "grabow", "SELECT count(*) FROM audit_auditentry") == before
    assert time.monotonic() - begun < 60


def test_every_chain_holds(demo: Demo) -> None:
    verified = run(demo.environment, "verify", "--json")
    assert verified.returncode == 0, verified.stdout[-2000:]
    assert json.loads(verified.stdout)["ok"] is True


@pytest.mark.parametrize("body", DEMO, ids=lambda body: body.slug)
def test_every_role_signs_in_and_opens_its_pages(demo: Demo, body: Any) -> None:
    for colleague in body.colleagues:
        visitor = Visitor(body.host, demo.port)
        try:
            assert sign_in(visitor, email=colleague.email, password=PASSWORD) == "password"
            page = visitor.get("/arbeit/")
            entries = [str(h) for h in page.document.xpath("//nav[contains(@class,'vb-nav')]//a/@href")]
            assert entries or colleague.role in ("alliance_manager", "operator", "data_protection_officer"), colleague
            for entry in dict.fromkeys(entries):
                visitor.get(entry)
        finally:
            visitor.close()


def test_the_citizen_signs_in_and_sees_applications(demo: Demo) -> None:
    for body in DEMO[1:]:
        visitor = Visitor(body.host, demo.port)
        page = visitor.get("/konto/anmelden/")
        form = page.form(having=["email", "password"]).fill("email", CITIZEN).fill("password", PASSWORD)
        page = visitor.submit(form)
        assert page.path.startswith("/konto/"), page.text
        page = visitor.get("/konto/antraege/")
        assert page.links(r"/stand/"), body.name
        visitor.close()
