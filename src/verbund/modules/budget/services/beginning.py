"""Beginning books: what a new body has on its first day."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from django.db import transaction

from verbund.modules.budget.models import Ledger
from verbund.modules.budget.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date

from .chart import import_chart, import_products
from .structure import open_ledger, open_year

_DATA: Final = Path(__file__).resolve().parent.parent / "data"


@cache
def _sample(name: str) -> str:
    return (_DATA / name).read_text(encoding="utf-8")


@transaction.atomic
def begin_books(actor: Actor, *, ledger: str, name: str, now: datetime) -> None:
    """Begin the books of a body (Buchführung einrichten): a ledger with the sample chart, products and this year.

    Nothing happens for an empty `ledger`; a ledger that is there keeps what it has, and gets what it lacks.

    Raises: policy.Denied, SetUpRefused, ChartRefused.
    """
    policy.require(actor, Permission.SET_UP)
    if not ledger:
        return
    if not Ledger.objects.filter(code=ledger).exists():
        open_ledger(actor, code=ledger, name=name[:200], now=now)
        import_chart(actor, ledger=ledger, csv_text=_sample("accounts.csv"), now=now)
        import_products(actor, ledger=ledger, csv_text=_sample("products.csv"), now=now)
    open_year(actor, ledger=ledger, year=local_date(now).year, now=now)
