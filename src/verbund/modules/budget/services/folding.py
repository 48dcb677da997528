"""Folding of totals (Verkehrszahlen fortschreiben): a named place for raw SQL, the function `budget_fold` of
migration 0002.
"""

from django.db import connection, transaction

from verbund.modules.budget.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor


def fold_totals(actor: Actor, *, batch: int = 5000) -> int:
    """Add the lines of vouchers posted since the last time to the monthly totals; returns how many vouchers.

    Changes no figure of any report, only the time it takes: reports add the vouchers that are not folded yet. Raises:
    policy.Denied.
    """
    policy.require(actor, Permission.POST)
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT budget_fold(%s)", [batch])
            folded = int(cursor.fetchone()[0])
        total += folded
        if folded < batch:
            return total
