"""Loading one body of the demo, in a process of its own."""

import gc
import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.hashers import Argon2PasswordHasher

from .arriving import arrive
from .board import Board
from .books import Books
from .calendar import Calendar
from .facts import DemoBody
from .filing import file_cases
from .founding import FOUNDED, enlist, enlist_citizen, staff
from .history import History
from .matters import Matters
from .silence import SILENT

LOADED: Final = "demo.loaded"  # the last entry of a body that is complete
_FILED: Final = "records.document.filed"
_SENT: Final = "citizenservices.application.submitted"
Progress = Callable[[str], None]


class HalfLoaded(Exception):  # noqa: N818 - reads as the answer
    """An earlier loading of this body was cut off."""


class QuickArgon2(Argon2PasswordHasher):
    """The usual scheme with little work: the demo's password stands on the screen. The hash carries its figures."""

    time_cost = 1
    memory_cost = 8192
    parallelism = 1


def prepare_settings() -> None:
    """For this process: past events are heard by nobody, no e-mail leaves the house. Called after `django.setup`."""
    from django.conf import settings

    settings.EVENT_HEARERS = SILENT
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickArgon2"]
    # A commit need not wait for the disk here: a demo that a power failure cuts off is loaded anew anyhow.
    settings.DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"
    gc.set_threshold(100_000, 20, 50)  # some two million short-lived objects, hardly a cycle among them


def is_loaded(schema: str) -> bool:
    """Whether the body is complete.

    Raises:
        HalfLoaded: it has people, but its loading did not come to its end.
    """
    from verbund.platform.audit.models import AuditEntry
    from verbund.platform.tenancy import acting_for

    with acting_for(schema):
        if AuditEntry.objects.filter(action=LOADED).exists():
            return True
        if AuditEntry.objects.filter(action="identity.unit_created").exists():
            raise HalfLoaded(schema)
    return False


def load(body: DemoBody, say: Progress) -> dict[str, int]:
    """People, books, services, applications, cases; returns what there is now. The process is the role of the web."""
    from verbund.modules.membership import queries as membership
    from verbund.platform import audit
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for, local_date, now

    begun = time.perf_counter()
    end = now()
    with acting_for(body.schema):
        system = Actor.system(body.schema, "verbund demo")
        enlist(system, body)
        say("people")
        counts: dict[str, int] = {}
        if not body.is_alliance:
            enlist_citizen(system, end - timedelta(days=400))
            counts = _work(body, system, end, say)
        else:
            from .costs import share_costs

            members = {m.slug: m.id for m in membership.list_members(system)}
            actors = staff(body)
            manager = actors["alliance_manager"]
            history = History(manager, members, reviewer=actors["board_member"])
            counts = {"acts": history.play()}
            history.begin(local_date(end))
            say("history")
            counts["meetings"] = Board(manager, local_date(end)).hold(history.facts["founding"]["effective"])
            say("board")
            counts |= share_costs(body, system, end)
            say("costs")
            ongoing = history.facts["ongoing"]
            arrive(manager, system, history.members[ongoing["slug"]], ongoing["set_up"], local_date(end), end)
        audit.record(
            system, LOADED, "tenancy.body", body.schema, after={**counts, "seconds": round(time.perf_counter() - begun)}
        )
    return counts


def _work(body: DemoBody, system: Any, end: Any, say: Progress) -> dict[str, int]:
    from verbund.modules.records import services as records
    from verbund.platform.audit.models import AuditEntry
    from verbund.platform.identity.local.models import CitizenAccount
    from verbund.platform.identity.recognition import citizen_actor

    actors = staff(body)
    actors["clerk2"] = actors[next(c.email for c in body.colleagues if c.email.startswith("sachbearbeitung2@"))]
    actors["citizen"] = citizen_actor(CitizenAccount.objects.get(), request_id="verbund demo")
    records.import_file_plan(actors["registry"], csv_text=records.sample_file_plan(), now=FOUNDED)
    calendar = Calendar(end)
    books = Books(body, actors, calendar)
    books.set_up(FOUNDED)
    say("books")
    matters = Matters(body, actors, calendar, books)
    matters.offer(end - timedelta(days=260))
    matters.plan()
    books.hearers.append(matters.heard)
    deeds = calendar.run()
    say("applications")
    missing = body.documents - AuditEntry.objects.filter(action=_FILED).count()
    file_cases(body, actors, documents=max(missing, body.cases), now=end)
    say("cases")
    return {
        "deeds": deeds,
        "applications": AuditEntry.objects.filter(action=_SENT).count(),
        "documents": AuditEntry.objects.filter(action=_FILED).count(),
    }


def processes() -> int:
    """How many bodies are loaded at a time."""
    return max(1, min(4, os.cpu_count() or 1))
