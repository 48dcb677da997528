"""Postings and checks that the tests of the journal share."""

from datetime import date
from typing import Any

from django.db import connection

from verbund.modules.budget import services
from verbund.modules.budget.models import canonical
from verbund.modules.budget.services import Line

from .factories import NOW, SYSTEM, Town


def post(
    town: Town,
    *lines: Line,
    day: date = date(2026, 11, 1),
    series: str = "BU",
    text: str = "Buchung",
    actor: Any = SYSTEM,
) -> Any:
    return services.post_voucher(
        actor,
        ledger=town.ledger,
        year=day.year,
        series=series,
        posting_date=day,
        document_date=day,
        text=text,
        lines=lines,
        now=NOW,
    )


def transfer(town: Town, cents: int = 500, **kwargs: Any) -> Any:
    return post(town, Line("0710", "12600", debit=cents), Line("2010", "12600", credit=cents), **kwargs)


def check_now() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def chain() -> list[canonical.Broken]:
    with connection.cursor() as cursor:
        parts = []
        for statement in (canonical.VOUCHERS_SQL, canonical.LINES_SQL, canonical.COUNTERS_SQL):
            cursor.execute(statement)
            parts.append(cursor.fetchall())
    return list(canonical.broken_chains(*parts))
