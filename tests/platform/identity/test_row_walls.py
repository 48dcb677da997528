"""What the database shows and allows to a body's role in the shared tables, whatever the application asks for."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from verbund.platform.identity import factors, totp
from verbund.platform.identity.models import Assignment, Person, RecoveryCode, SecondFactor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy.models import Body

from .people import employ

pytestmark = pytest.mark.django_db
TABLES = ("identity_person", "identity_assignment", "identity_secondfactor", "identity_recoverycode")


@pytest.fixture
def berta(now: datetime) -> Any:
    """A person of beta with second factor and recovery codes, who is none of alpha's business."""
    person = employ("beta", "berta.buche@example.org", "Berta Buche", now=now)
    key = totp.new_key()
    with acting_for("beta"):
        row = Person.objects.get(pk=person)
        factors.add_totp(row, key=key, code=totp.code_at(key, totp.step_of(now)), name="App", now=now)
        factors.renew_recovery_codes(row)
        assert [_count(t) for t in TABLES] == [1, 1, 1, 10]
    return person


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM public.{table}")
        return int(cursor.fetchone()[0])


def test_a_body_sees_nobody_elses_people_factors_or_codes(berta: Any) -> None:
    with acting_for("alpha"):
        assert [_count(t) for t in TABLES] == [0, 0, 0, 0]
        assert not Person.objects.filter(email="berta.buche@example.org").exists()


def test_the_login_role_sees_nobody_at_all_before_it_enters_a_body(berta: Any) -> None:
    assert [_count(t) for t in TABLES] == [0, 0, 0, 0]


def test_a_body_changes_and_deletes_nothing_of_others(berta: Any) -> None:
    with acting_for("alpha"):
        assert Person.objects.filter(pk=berta).update(password="stolen") == 0
        assert Assignment.objects.filter(person_id=berta).update(role="clerk") == 0
        assert SecondFactor.objects.filter(person_id=berta).delete()[0] == 0
        assert RecoveryCode.objects.filter(person_id=berta).delete()[0] == 0
    with acting_for("beta"):
        assert [_count(t) for t in TABLES] == [1, 1, 1, 10]
        assert Person.objects.get(pk=berta).password != "stolen"


@pytest.mark.parametrize("step", ["assign", "factor", "person", "enlist", "delete person", "delete assignment"])
def test_what_a_bodys_role_may_not_do_is_refused_by_the_database(berta: Any, now: datetime, step: str) -> None:
    with acting_for("beta"):
        beta = Body.objects.get(schema_name="beta")
    own = employ("alpha", now=now)
    attempts: dict[str, Callable[[], object]] = {
        # oneself into another body
        "assign": lambda: Assignment.objects.create(
            id=uuid4(), person_id=own, body=beta, role=Role.BODY_ADMIN, valid_from=now, created_at=now
        ),
        # a factor of one's own for somebody else
        "factor": lambda: SecondFactor.objects.create(
            id=uuid4(), person_id=berta, kind="totp", name="x", secret=b"x", created_at=now
        ),
        "person": lambda: Person.objects.create(
            id=uuid4(), email="x@example.org", display_name="X", home_body=beta, created_at=now, password=""
        ),
        "enlist": lambda: _run(
            "SELECT public.identity_enlist(%s, %s, %s, %s, %s)", uuid4(), "x@example.org", "X", beta.id, now
        ),
        "delete person": lambda: _run("DELETE FROM public.identity_person"),
        "delete assignment": lambda: _run("DELETE FROM public.identity_assignment"),
    }
    with acting_for("alpha"), transaction.atomic(), pytest.raises(DatabaseError), transaction.atomic():
        attempts[step]()


def _run(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_a_second_employer_cannot_rename_or_block_whom_it_shares(berta: Any, now: datetime) -> None:
    employ("alpha", "berta.buche@example.org", "Berta Buche", now=now)
    with acting_for("alpha"):
        assert Person.objects.get(pk=berta).display_name == "Berta Buche"
        for change in ({"display_name": "X"}, {"email": "x@example.org"}, {"is_active": False}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Person.objects.filter(pk=berta).update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            Person.objects.filter(pk=berta).update(home_body_id=Body.objects.get(schema_name="alpha").id)
        # what signing in needs is allowed
        assert Person.objects.filter(pk=berta).update(last_login=now) == 1
    with acting_for("beta"):
        row = Person.objects.get(pk=berta)
        assert (row.display_name, row.email, row.is_active) == ("Berta Buche", "berta.buche@example.org", True)


def test_nobody_is_enlisted_in_no_bodys_name(now: datetime) -> None:
    beta = Body.objects.get(schema_name="beta")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT public.identity_enlist(%s, %s, %s, %s, %s)", [uuid4(), "x@example.org", "X", beta.id, now]
        )


def test_sessions_absences_and_citizens_of_another_body_are_out_of_reach(alpha: Any) -> None:
    for table in ("session", "absence", "citizenaccount", "token", "orgunit", "attempts"):
        with (
            pytest.raises(DatabaseError, match="permission denied for schema beta"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"SELECT 1 FROM beta.identity_local_{table}")


def test_row_security_is_on_for_every_shared_table_of_people(owner_connection: "psycopg.Connection[Any]") -> None:
    rows = owner_connection.execute(
        "SELECT relname, relrowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind = 'r' AND relname LIKE 'identity\\_%'"
    ).fetchall()
    assert dict(rows) == dict.fromkeys(TABLES, True) | {"identity_jobfailure": False}
    for who in ("verbund_app", "body_alpha", "body_alliance"):
        allowed = owner_connection.execute(
            "SELECT has_table_privilege(%s, 'public.identity_jobfailure', 'SELECT')", [who]
        ).fetchone()
        assert allowed == (False,)
