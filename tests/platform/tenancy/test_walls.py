import pytest
from django.db import connection
from django.db.utils import ProgrammingError


def test_a_body_reads_its_own_schema(alpha):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema()")
        assert cursor.fetchone() == ("body_alpha", "alpha")


def test_another_bodys_schema_is_refused_by_postgresql(alpha):
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied for schema beta"):
        cursor.execute("SELECT count(*) FROM beta.audit_auditentry")
