"""What was asked and answered stays: privileges and triggers of the room's tables."""

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

pytestmark = pytest.mark.django_db


def _refused(sql: str) -> str:
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    return str(error.value)


@pytest.mark.parametrize("table", ["formversion", "codelist", "applicationattachment"])
def test_a_body_holds_no_right_to_change_or_delete_what_is_append_only(alpha: object, table: str) -> None:
    assert "permission denied" in _refused(f"UPDATE citizenservices_{table} SET filename = 'x'")
    assert "permission denied" in _refused(f"DELETE FROM citizenservices_{table}")


@pytest.mark.parametrize("table", ["application", "question", "decision", "mailboxmessage", "onlineservice"])
def test_a_body_holds_no_right_to_delete_what_is_kept(alpha: object, table: str) -> None:
    assert "permission denied" in _refused(f"DELETE FROM citizenservices_{table}")
