"""The alliance at work for 200 bodies: who carries it, what they have agreed, and what a charge run reckons with.

Rows that services would write one by one, with a contract before two hundred councils each, are written at once by the
models; what is measured reads and changes them through the services and the pages.
"""

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

SCHEMA: Final = "walk_alliance"
HOST: Final = "verbund.localhost"
MANAGER: Final = "leitung@verbund.example"
_FOUNDED: Final = date(2013, 10, 1)
_CORE: Final = "CORE"  # switches rooms on; agreed with the bodies that are made ready
_ROWS: Final = 2000
_TASKS: Final = ("core_it", "school_it", "payroll")
_MILESTONES: Final = (  # days before the effect
    ("open_inquiry", 300, "inquiry"),
    ("record_basic_resolution", 260, "basic_resolution"),
    ("sign", 120, "signed"),
    ("give_notice", 100, "notified"),
    ("establish_clearance", 30, "deemed_no_objection"),
    ("take_effect", 0, "effective"),
    ("transfer_task", 0, "tasks_transferred"),
)


@dataclass
class Alliance:
    """What the measurements need to know of it."""

    manager: str = MANAGER
    password: str = field(default_factory=lambda: f"Probe-{secrets.token_hex(8)}")
    members: list[UUID] = field(default_factory=list)
    year: int = 0  # of the charge run


def furnish(*, bodies: int, services: int, now: datetime) -> Alliance:
    """Members, carriers, accessions, agreements, prices and measures. The process is the role of the web."""
    from verbund.platform.identity import services as identity
    from verbund.platform.identity.actor import Actor
    from verbund.platform.identity.roles import Role
    from verbund.platform.tenancy import acting_for

    made = Alliance(year=now.year + 1)
    with acting_for(SCHEMA):
        actor = Actor.system(SCHEMA, "benchmarks")
        person = identity.create_person(
            actor,
            email=made.manager,
            display_name="Lea Leitung",
            role=Role.ALLIANCE_MANAGER,
            valid_from=now,
            now=now,
            invite=False,
        )
        identity.set_initial_password(actor, person_id=person.id, password=made.password, now=now)
        made.members = _register(bodies, now)
        _carry(actor, made.members, now)
        codes = [f"S{number:02d}" for number in range(services)]
        _offer(actor, codes, now)
        _price(actor, codes, now, made.year)
        _agree(made.members, codes, now, made.year)
    return made


def _register(number: int, now: datetime) -> list[UUID]:
    """Members without a tenant, with an organ whose head's term ends in a year of the next five."""
    from verbund.modules.membership.models import InhabitantFigure, Member, Organ, TermOfOffice
    from verbund.platform.tenancy import new_id

    rows = [
        Member(
            id=new_id(),
            slug=f"mitglied-{at:03d}",
            name=f"Gemeinde Beispielort am Mustersee {at:03d}",
            kind="town",
            registered_at=now,
        )
        for at in range(number)
    ]
    Member.objects.bulk_create(rows)
    organs = [Organ(id=new_id(), member=row, kind="head", name="Bürgermeister") for row in rows]
    Organ.objects.bulk_create(organs)
    TermOfOffice.objects.bulk_create(
        TermOfOffice(
            id=new_id(),
            organ=organ,
            person_name=f"Kim Muster {at}",
            function="Bürgermeister",
            valid_from=date(now.year - 4, 7, 1),
            valid_until=date(now.year + at % 5, 6, 30),
        )
        for at, organ in enumerate(organs)
    )
    InhabitantFigure.objects.bulk_create(
        InhabitantFigure(
            id=new_id(),
            member=row,
            reference_date=date(now.year - 1, 12, 31),
            count=800 + 137 * at % 40_000,
            source="Statistisches Amt",
            recorded_at=now,
        )
        for at, row in enumerate(rows)
    )
    return [row.id for row in rows]


def _carry(actor: Any, members: list[UUID], now: datetime) -> None:
    """Two founders, and the others after them, year by year, each by an accession that has come to its end."""
    from verbund.modules.membership import services
    from verbund.modules.membership.models import Accession, CarrierPeriod, ProcedureAct, TaskTransfer
    from verbund.modules.membership.services.carriers import retell_capital
    from verbund.platform.tenancy import local_date, new_id

    services.record_founding(
        actor,
        shares=[services.Share(member, 10_000_00, 2) for member in members[:2]],
        chair=members[0],
        contract_on=_FOUNDED - timedelta(days=36),
        effective_on=_FOUNDED,
        basis="Gründungsvertrag",
        now=now,
    )
    names = "core_it;IT-Betrieb der Kernverwaltung\nschool_it;Schul-IT\npayroll;Entgeltabrechnung\n"
    services.import_task_kinds(actor, csv_text=f"code;name\n{names}", now=now)
    joining = members[2:]
    first, years = _FOUNDED.year + 1, max(1, local_date(now).year - _FOUNDED.year)
    effects = [date(first + at * years // max(1, len(joining)), 1 + at % 12, 1) for at in range(len(joining))]
    effects = [min(day, local_date(now)) for day in effects]
    rows = [
        Accession(
            id=new_id(),
            member_id=member,
            state="onboarded",
            subject="gesamter IT-Betrieb der Kernverwaltung",
            opened_on=on - timedelta(days=300),
            signed_on=on - timedelta(days=120),
            cleared_on=on - timedelta(days=30),
            effective_on=on,
            capital_paid_on=on,
            ended_on=on,
            recorded_at=now,
            version=len(_MILESTONES) + 1,
        )
        for member, on in zip(joining, effects, strict=True)
    ]
    Accession.objects.bulk_create(rows, batch_size=_ROWS)
    ProcedureAct.objects.bulk_create(
        (
            ProcedureAct(
                id=new_id(),
                accession=row,
                number=number,
                action=action,
                on=on - timedelta(days=before),
                details={"name": "Schul-IT"} if action == "transfer_task" else {},
                state_after=state,
                recorded_at=now,
                actor_name=actor.name,
            )
            for row, on in zip(rows, effects, strict=True)
            for number, (action, before, state) in enumerate(_MILESTONES, start=1)
        ),
        batch_size=_ROWS,
    )
    TaskTransfer.objects.bulk_create(
        TaskTransfer(
            id=new_id(), accession=row, task_id=task, planned_on=on, transferred_on=on, scope="", recorded_at=now
        )
        for row, on in zip(rows, effects, strict=True)
        for task in _TASKS
    )
    CarrierPeriod.objects.bulk_create(
        CarrierPeriod(
            id=new_id(),
            member_id=row.member_id,
            share_cents=500_00,
            seats=1,
            valid_from=on,
            basis="Beitrittsvertrag",
            recorded_at=now,
        )
        for row, on in zip(rows, effects, strict=True)
    )
    retell_capital(now=now, basis="Beitrittsvertrag")


def _offer(actor: Any, codes: list[str], now: datetime) -> None:
    from verbund.modules.membership import services

    for number, code in enumerate([*codes, _CORE]):
        services.define_service(
            actor,
            code=code,
            name=f"Leistung {number}",
            description="Was zu ihr gehört.",
            unit="workplace",
            price_basis="tariff",
            rooms={"citizenservices", "records", "budget"} if code == _CORE else set(),
            valid_from=_FOUNDED,
            now=now,
        )


def _price(actor: Any, codes: list[str], now: datetime, year: int) -> None:
    """A price that changes within the year, a base amount, a tax treatment that switches, and a key for every third."""
    from verbund.modules.costsharing import services

    reviewed: dict[str, Any] = {
        "reasoning": "Vertrag auf Dauer, nur Kostenerstattung, gemeinsame Aufgabe.",
        "document": "Az. 11.30-4",
        "reviewer": "Kanzlei Muster",
        "reviewed_on": _FOUNDED,
        "now": now,
    }
    services.define_key(
        actor,
        code="K",
        name="Einwohner und gleiche Teile",
        parts={"inhabitants": Decimal(30), "equal": Decimal(70)},
        justification="So wird die Leistung genutzt.",
        now=now,
    )
    plan = services.draft_plan(actor, year=year, now=now)
    for number, code in enumerate(codes):
        levied = number % 3 == 0
        services.set_rule(
            actor,
            service_code=code,
            legal_basis="contract",
            provision="§ 5 des Vertrags",
            now=now,
            key="K" if levied else "",
            levied=levied,
        )
        for component, euros, since in (
            ("quantity", Decimal(11 + number), _FOUNDED),
            ("quantity", Decimal(123), date(year, 4, 15)),
            ("base", Decimal(500), _FOUNDED),
        ):
            services.set_tariff(
                actor,
                service_code=code,
                component=component,
                euros=euros,
                valid_from=since,
                basis="Beschluss 7",
                now=now,
            )
        services.review_tax(actor, service_code=code, treatment="bga_old_law", valid_from=_FOUNDED, **reviewed)
        services.review_tax(actor, service_code=code, treatment="taxable_19", valid_from=date(year, 10, 1), **reviewed)
        if levied:
            services.define_centre(actor, code=f"K-{code}", name=code, service_code=code, now=now)
            services.add_plan_line(
                actor,
                plan_id=plan,
                part="expense",
                text="Personal",
                cents=1_000_000_00 + number,
                centre=f"K-{code}",
                now=now,
            )
    services.resolve_plan(actor, plan_id=plan, resolved_on=now.date(), resolution="Beschluss 9", now=now)


def _agree(members: list[UUID], codes: list[str], now: datetime, year: int) -> None:
    """Everybody agrees every service, a third of them from or until some day of the year; measured for its halves."""
    from verbund.modules.costsharing.models import Measure
    from verbund.modules.membership.models import AllianceService, ServiceAgreement
    from verbund.platform.tenancy import new_id

    rng = random.Random("agreements")
    ids = dict(AllianceService.objects.values_list("code", "id"))
    whole = date(year, 1, 1), date(year, 12, 31)

    def days(at: int) -> tuple[date, date | None]:
        since = whole[0] + timedelta(days=rng.choice((0, 0, rng.randrange(365)))) if at else _FOUNDED
        ends = rng.random() < 0.25 and at > 0
        return since, max(since, whole[1] - timedelta(days=rng.randrange(100))) if ends else None

    def agreements() -> Iterator[ServiceAgreement]:
        for at, member in enumerate(members):
            for code in codes:
                since, until = days(at)
                yield ServiceAgreement(
                    id=new_id(),
                    member_id=member,
                    service_id=ids[code],
                    valid_from=since,
                    valid_until=until,
                    as_carrier=False,
                    basis="Vertrag",
                    recorded_at=now,
                )

    def measures() -> Iterator[Measure]:
        for member in members:
            for code in codes:
                for start, end in pairwise((date(year, 1, 1), date(year, 7, 1), date(year + 1, 1, 1))):
                    yield Measure(
                        member_id=member,
                        service_code=code,
                        period_start=start,
                        period_end=end - timedelta(days=1),
                        quantity=Decimal(rng.randrange(1, 900)),
                        source="metered",
                        recorded_at=now,
                        recorded_by="benchmarks",
                    )

    ServiceAgreement.objects.bulk_create(agreements(), batch_size=_ROWS)
    Measure.objects.bulk_create(measures(), batch_size=_ROWS)


@dataclass(frozen=True, slots=True)
class Joining:
    """An accession that lacks nothing but its effect."""

    accession: UUID
    schema_name: str
    host: str


def joining(number: int, now: datetime) -> list[Joining]:
    """So many more members, cleared, with a plan of what their bodies are to have."""
    from verbund.modules.membership import services
    from verbund.modules.membership.events import FirstPerson
    from verbund.modules.membership.models import Accession, ContractDraft
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for, local_date, new_id

    made = []
    with acting_for(SCHEMA):
        actor, today = Actor.system(SCHEMA, "benchmarks"), local_date(now)
        for at in range(number):
            slug = f"neu-{at:03d}"
            member = services.register_body(
                actor, name=f"Stadt Neuort {at}", kind="town", ags="", ars="", slug=slug, schema_name=None, now=now
            )
            row = Accession.objects.create(
                id=new_id(),
                member_id=member.id,
                state="deemed_no_objection",
                subject="gesamter IT-Betrieb der Kernverwaltung",
                opened_on=today - timedelta(days=300),
                amends_statute=False,
                signed_on=today - timedelta(days=120),
                cleared_on=today,
                recorded_at=now,
            )
            ContractDraft.objects.create(
                id=new_id(),
                accession=row,
                number=1,
                sha256=f"{at:064x}",
                put_on=today - timedelta(days=200),
                share_cents=500_00,
                seats=1,
                recorded_at=now,
            )
            services.agree_service(
                actor,
                member_id=member.id,
                service_code=_CORE,
                valid_from=today,
                as_carrier=True,
                basis="Beitrittsvertrag",
                now=now,
            )
            planned = services.plan_provisioning(
                actor,
                member_id=member.id,
                wishes=services.Wishes(
                    letterhead={"street": "Am Markt 1", "city": f"Neuort {at}"},
                    people=(FirstPerson(f"ada@{slug}.example", "Ada Amt", "body_admin"),),
                    templates=("bewohnerparkausweis", "hundesteuer_anmeldung"),
                ),
                now=now,
            )
            made.append(Joining(row.id, planned.schema_name, planned.hosts[0]))
    return made


def take_effect(accession: UUID, now: datetime) -> None:
    """The accession takes effect; on return it is committed, and the worker has its job."""
    from verbund.modules.membership import services
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for, local_date

    with acting_for(SCHEMA):
        services.take_effect(Actor.system(SCHEMA, "benchmarks"), accession_id=accession, on=local_date(now), now=now)
