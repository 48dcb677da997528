"""The invented candidate uses services before it joins: agreed, paid for, and its body made ready by the real worker.

As Neustadt-Glewe did with the budget procedure: a co-user needs no clearance. The set-up is asked for here as the
management does it; the steps themselves are done by `verbund worker`, so that the page shows what really happened.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from verbund.commands import installation
from verbund.commands.texts import _

from .silence import heard

CODES: Final = ("AKTE", "HAUSHALT")


def arrive(manager: Any, system: Any, member_id: UUID, facts: Mapping[str, Any], today: date, now: datetime) -> None:
    """Agree the services, plan what the body is to have and the taking over, and ask for the set-up."""
    from verbund.modules.membership import services as membership
    from verbund.modules.membership.events import FirstPerson

    begins = today - timedelta(days=facts["since_days"])
    for code in CODES:
        membership.agree_service(
            manager,
            member_id=member_id,
            service_code=code,
            valid_from=begins,
            as_carrier=False,
            basis=facts["basis"],
            now=now,
        )
    _charged(system, member_id, facts, begins, now)
    people = [FirstPerson(email, name, role) for name, role, email in facts["people"]]
    wishes = membership.Wishes(
        letterhead=facts["letterhead"], people=tuple(people), ledger="K1", templates=tuple(facts["templates"])
    )
    membership.plan_provisioning(manager, member_id=member_id, wishes=wishes, now=now)
    tasks = membership.plan_take_over(manager, member_id=member_id, begins_on=begins, now=now)
    for task in tasks[: facts["tasks_done"]]:
        membership.finish_take_over_task(manager, task_id=task.id, done_on=task.due_on, note=facts["done"], now=now)
    with heard():
        membership.provision(manager, member_id=member_id, now=now)


def _charged(system: Any, member_id: UUID, facts: Mapping[str, Any], begins: date, now: datetime) -> None:
    """Where its invoices go, and how much it uses: the next charge run finds it complete."""
    from verbund.modules.costsharing import services as costs

    costs.set_address(system, member_id=member_id, **facts["address"], now=now)
    for code in CODES:
        costs.record_measure(
            system,
            member_id=member_id,
            service_code=code,
            period_start=begins,
            period_end=date(begins.year, 12, 31),
            quantity=Decimal(facts["quantity"]),
            now=now,
        )


def work() -> None:
    """Let the worker do what is waiting, one job after the other, until nothing is left.

    Raises:
        installation.Unready: it failed; its last lines stand in the message.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "verbund.commands.cli"),
            *("worker", "--once", "--concurrency", "1", "--metrics-port", "0"),
        ],
        env={k: v for k, v in os.environ.items() if k != "VERBUND_AS_OWNER"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise installation.Unready(
            _("Loading {name} failed:\n{lines}").format(
                name="verbund worker", lines=(done.stdout + done.stderr)[-1500:]
            )
        )
