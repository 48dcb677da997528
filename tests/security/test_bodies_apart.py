"""A body that turns against its neighbours: what its administration, its role in the database and its cookies reach."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg.types.json import Jsonb

from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.models import Assignment, Person
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from .world import HOSTS, World, taken_back


def job(**changes: Any) -> Jsonb:
    base = {
        "body": "beta",
        "sender": "alpha",
        "hearer": "verbund.modules.citizenservices.subscribers.follow_settlement",
        "event": "verbund.modules.budget.events.ClaimSettled",
        "event_id": str(uuid4()),
        "values": {},
        "request_id": "",
    }
    return Jsonb({k: v for k, v in {**base, **changes}.items() if v != "missing"})


def refused(statement: str, *values: Any) -> None:
    """PostgreSQL itself says no."""
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("sender", ["beta", "alliance", None, "missing", "", "none", "public"])
def test_a_body_writes_no_job_in_a_name_that_is_not_its_own(world: World, sender: str | None) -> None:
    """Also not in nobody's: a sender that is missing must not slip through a comparison with NULL."""
    with taken_back(), acting_for("alpha"):
        refused("SELECT public.verbund_defer(%s)", job(sender=sender))


def enlist(body: str, email: str, role: Role, **more: Any) -> Any:
    now = the_clock()
    return identity.create_person(
        Actor.system(body, "test"),
        email=email,
        display_name="Karin Kämmerin",
        role=role,
        valid_from=now - timedelta(days=1),
        now=now,
        invite=False,
        **more,
    )


def test_whose_home_is_elsewhere_is_not_assigned_without_knowing_it(world: World) -> None:
    """Whoever enlists a person first holds the means to sign in: address, second factor, block.

    A hostile administration could enlist the future treasurer of a neighbour, wait for the neighbour's assignment,
    point the address at itself and sign in there. So the neighbour is told whose the person is, and decides.
    """
    with taken_back():
        with acting_for("beta"):
            planted = enlist("beta", "karin.kaemmerin@alphausen.example.org", Role.CLERK)
        client = world.client("alpha", "body_admin")
        values = {
            "display_name": "Karin Kämmerin",
            "email": "karin.kaemmerin@alphausen.example.org",
            "role": Role.TREASURER.value,
            "unit": "",
            "valid_from": (the_clock() - timedelta(days=1)).date().isoformat(),
            "valid_until": "",
        }
        first = client.post("/arbeit/verwaltung/personen/neu/", values)
        with acting_for("alpha"):
            assigned = Assignment.objects.filter(person_id=planted.id).count()
        assert (first.status_code, assigned) == (422, 0), "assigned without a word about the home body"
        text = first.content.decode()
        assert "Landkreis Betaland" in text
        again = client.post("/arbeit/verwaltung/personen/neu/", {**values, "trust_home": "on"})
        assert again.status_code == 302
        with acting_for("alpha"):
            assert Assignment.objects.filter(person_id=planted.id).count() == 1


def test_a_cookie_of_one_body_opens_nothing_in_another_whoever_it_is(world: World) -> None:
    for who in ("body_admin", "auditor", "citizen"):
        client = world.client("beta", who, at="alpha")
        for path in ("/arbeit/", "/konto/antraege/"):
            assert client.get(path).status_code == 302


def test_the_host_decides_and_no_header_beside_it(world: World) -> None:
    """X-Forwarded-Host and its relatives name no body, and a host that is nobody's is answered with nothing."""
    client = world.client("alpha", "clerk")
    case = f"/arbeit/akten/{world.towns['beta'].ids['case_id']}/"
    for header in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-Forwarded-Server"):
        assert client.get(case, headers={header: HOSTS["beta"]}).status_code == 404
    for host in ("evil.example.org", "alpha.localhost.evil.example.org", "localhost", "127.0.0.1", "xalpha.localhost"):
        answer = client.get("/", headers={"host": host})
        assert (answer.status_code, b"Alphausen" in answer.content) == (404, False)
    for host in ("alpha.localhost:99999x", "alpha.localhost/..", "a b", "[::1", "alpha.localhost\x00", "ä" * 300):
        assert client.get("/", headers={"host": host}).status_code in (400, 404)
    assert client.get("/arbeit/", headers={"host": "ALPHA.localhost.:8000"}).status_code == 200


FORBIDDEN = {
    "read another body": "SELECT * FROM beta.records_case",
    "write another body": "UPDATE beta.identity_local_session SET kind = 'staff'",
    "call another body's audit": "SELECT beta.audit_append('staff','','x','','a','b','c','d','{}')",
    "read the queue": "SELECT * FROM public.procrastinate_jobs",
    "write the queue": "SELECT public.procrastinate_defer_jobs_v1(ARRAY[ROW('default','x',0,NULL,NULL,'{}',NULL)"
    "::public.procrastinate_job_to_defer_v1])",
    "switch rooms": "SELECT public.verbund_set_rooms('beta', '{}')",
    "see the operators' jobs": "SELECT * FROM public.identity_troubled_jobs(true, NULL, 10)",
    "see the depth of the queue": "SELECT * FROM public.identity_queue_depth()",
    "handle a job": "SELECT * FROM public.identity_handle_job(1, 'retry')",
    "note a failure": "SELECT public.identity_note_failure(1, 'x')",
    "shadow a table": "CREATE TEMP TABLE audit_auditlane (lane int)",
    "make a table": "CREATE TABLE alpha.mine (x int)",
    "make a function": "CREATE FUNCTION alpha.audit_field(text) RETURNS text LANGUAGE sql AS $$ SELECT '' $$",
    "change the audit": "UPDATE audit_auditentry SET actor_name = 'somebody else'",
    "wind the lanes back": "UPDATE audit_auditlane SET last_no = 0",
    "forget the audit": "TRUNCATE audit_auditentry",
    "rename oneself": "UPDATE public.tenancy_body SET name = 'x'",
    "take a host": "INSERT INTO public.tenancy_host (domain, is_primary, tenant_id)"
    " SELECT 'x', false, id FROM public.tenancy_body",
    "become the owner": "SELECT set_config('role', 'verbund_owner', false)",
    "read a file of the server": "SELECT pg_read_file('/etc/passwd')",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'id'",
    "load a library": "LOAD 'dblink'",
    "two statements": "SELECT length(%s); SELECT 2",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_role_of_a_body_is_refused(world: World, what: str) -> None:
    with taken_back(), acting_for("alpha"):
        refused(FORBIDDEN[what], *(["x"] if "%s" in FORBIDDEN[what] else []))


def test_a_person_is_enlisted_for_the_own_body_only(world: World) -> None:
    with acting_for("beta"):
        beta = Person.objects.values_list("home_body_id", flat=True)[0]
    with taken_back(), acting_for("alpha"):
        refused("SELECT public.identity_enlist(%s, 'x@example.org', 'X', %s, now())", uuid4(), beta)
