"""Taking numbers without gaps: one of the named places with SQL of its own."""

from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import F

from verbund.modules.records.models import ReferenceCounter

SUBJECT_FILES: Final = 0  # the "year" under which the subject files of a position are counted

# One statement instead of three: makes the counter, or locks it and counts on. The lock is held until the
# transaction ends, so that a rollback gives the number back before anybody else can take the next one.
_NEXT: Final = """
INSERT INTO records_referencecounter (position_id, year, last) VALUES (%s, %s, 1)
ON CONFLICT (position_id, year) DO UPDATE SET last = records_referencecounter.last + 1
RETURNING last
"""


def next_number(position_id: UUID, year: int) -> int:
    """The next number at a position in a year (in `SUBJECT_FILES` for its subject files); others wait until the
    transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [position_id, year])
        row = cursor.fetchone()
    return int(row[0])


def give_back_number(position_id: UUID, year: int) -> None:
    """Give back the number that this very transaction took last; its lock on the counter still holds."""
    ReferenceCounter.objects.filter(position_id=position_id, year=year).update(last=F("last") - 1)
