"""Timed work (Zeitgesteuerte Aufgaben): the wiring's table of cron lines and functions, run once per body."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from procrastinate import App

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.context import connection

from .publishing import name_of

Work = Callable[[Actor], None]


@cache
def timetable() -> tuple[tuple[str, Work], ...]:
    """The wiring's table of (cron line, function)."""
    table: tuple[tuple[str, Work], ...] = import_string(settings.TIMED_WORK)
    return table


def work_named(name: str) -> Work:
    """The function of the timetable with this dotted name.

    Raises:
        KeyError: for a name that is not in the table.
    """
    return {name_of(work): work for _, work in timetable()}[name]


def register(app: App) -> None:
    """Register the clock with procrastinate: at each tick one job per body and work (called when the app is ready)."""
    from .tasks import timed

    for cron, work in timetable():
        name = name_of(work)

        def tick(timestamp: int, name: str = name, **_: Any) -> None:
            from verbund.platform.tenancy.models import Body

            try:
                connection.set_schema_to_public()
                for body in Body.objects.values_list("schema_name", flat=True):
                    timed.configure(queueing_lock=f"{body} {name}").defer(body=body, work=name, timestamp=timestamp)
            finally:
                connection.close()

        app.periodic(cron=cron, periodic_id=name)(app.task(name=f"verbund.tick.{name}")(tick))
