"""Things to test with, made through the doors of the rooms."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from verbund.modules.budget import services as budget
from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models.sample import sample_files, valid_answers
from verbund.modules.records import services as records
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SYSTEM = Actor.system("alpha", "test")
GUEST = Actor.guest("alpha", "test")
_NAMES = UUID("6f1f2a52-0f1b-4a51-9df5-0a7f0c2b9b7e")
PLAN = """code;title;retention_years;disposal
32;Sicherheit und Ordnung;;
32.10;Verkehr;5;V
"""
ACCOUNTS = """code;name;kind;role;liquid;finance_account;section;scheduled_repayment
1710;Forderungen;asset;receivable;;;;
1810;Girokonto;asset;;ja;;;
2010;Kapital;equity;;;;;
4311;Verwaltungsgebühren;revenue;;;6311;;
6311;Einzahlungen Verwaltungsgebühren;receipt;;;;operating;
"""
PRODUCTS = """code;name;sub_budget;sub_budget_name
12301;Straßenverkehr;TH02;Ordnung
"""


def clerk(name: str = "Eva Eich", *roles: Role, units: tuple[str, ...] = ("32",)) -> Actor:
    """Somebody of the unit; the same name is the same person."""
    return Actor(
        ActorKind.STAFF,
        uuid5(_NAMES, f"alpha {name}"),
        name,
        "alpha",
        frozenset(roles or (Role.CLERK,)),
        frozenset(units),
        "test",
    )


def citizen(name: str = "Carla Citizen") -> Actor:
    """Somebody with an account of the body."""
    return Actor(ActorKind.CITIZEN, uuid5(_NAMES, f"citizen {name}"), name, "alpha", request_id="test")


def town() -> None:
    """A file plan and a ledger on which fees can be booked."""
    records.import_file_plan(SYSTEM, csv_text=PLAN, now=NOW)
    budget.open_ledger(SYSTEM, code="ALPHA", name="Stadt Alphausen", now=NOW)
    budget.import_chart(SYSTEM, ledger="ALPHA", csv_text=ACCOUNTS, now=NOW)
    budget.import_products(SYSTEM, ledger="ALPHA", csv_text=PRODUCTS, now=NOW)
    budget.open_year(SYSTEM, ledger="ALPHA", year=2026, now=NOW)
    budget.set_appropriation(
        SYSTEM, ledger="ALPHA", year=2026, product="12301", account="4311", cents=1_000_000, now=NOW
    )


def offer(template: str = "bewohnerparkausweis", *, publish: bool = True, **changes: Any) -> UUID:
    """A published service of a template, in unit 32 at 32.10, its fee on 12301.4311."""
    values: dict[str, Any] = {
        "unit": "32",
        "file_plan_position": "32.10",
        "ledger": "ALPHA",
        "product": "12301",
        "account": "4311",
    }
    ident = services.offer_template(SYSTEM, template=template, now=NOW, changes={**values, **changes})
    if publish:
        services.publish_service(SYSTEM, service_id=ident, now=NOW)
    return ident


def offer_form(content: bytes, filename: str = "form.xdf3.xml", **changes: Any) -> UUID:
    """A published service of any form, without a fee unless one is given."""
    report = services.import_form(SYSTEM, content=content, filename=filename, now=NOW)
    values: dict[str, Any] = {
        "form_version_id": report.form_version_id,
        "title": "Antrag zur Probe",
        "topic": "Probe",
        "summary": "Nur zur Probe.",
        "unit": "32",
        "file_plan_position": "32.10",
        "promised_days": 14,
        "letters": {
            "subject_grant": "Bewilligung",
            "grant": ["wir bewilligen Ihren Antrag."],
            "subject_refuse": "Ablehnung",
            "refuse": ["wir lehnen Ihren Antrag ab."],
            "remedy": "Gegen diesen Bescheid können Sie innerhalb eines Monats Widerspruch erheben.",
        },
    }
    configuration = services.ServiceConfiguration(**{**values, **changes})
    ident = services.configure_service(SYSTEM, configuration=configuration, now=NOW)
    services.publish_service(SYSTEM, service_id=ident, now=NOW)
    return ident


def fill(
    actor: Actor,
    draft: queries.DraftRef,
    *,
    seed: int = 1,
    optional: float = 0.3,
    changes: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Fill in every page of a draft with made-up answers and files; returns the answers without the files."""
    form = queries.draft(actor, draft=draft, now=NOW).form
    answers = {**valid_answers(form.definition, seed, optional=optional), **(changes or {})}
    uploads = {f.path: services.Upload(f.filename, f.content) for f in sample_files(form.definition, answers)}
    for step in form.steps:
        services.save_step(
            actor,
            draft=draft,
            step=step.number,
            values={p: v for p, v in answers.items() if step.holds(p) and p not in uploads},
            uploads={p: u for p, u in uploads.items() if step.holds(p)},
            now=NOW,
        )
    return {p: v for p, v in answers.items() if p not in uploads}


def submit(
    actor: Actor = GUEST, *, service: UUID | None = None, seed: int = 1, **values: Any
) -> services.ApplicationRef:
    """An application sent by `actor` with made-up answers."""
    draft = services.start_draft(actor, service_id=service or offer(), now=NOW)
    fill(actor, draft, seed=seed)
    return services.submit_application(actor, draft=draft, now=NOW, **values)


def version_of(application_id: UUID) -> int:
    """The version a clerk would have read now."""
    return queries.application(SYSTEM, application_id, now=NOW).version


def taken(ref: services.ApplicationRef, by: Actor | None = None) -> int:
    """The application in the hands of a clerk; returns its version."""
    return services.take_over(by or clerk(), application_id=ref.id, expected_version=version_of(ref.id), now=NOW)
