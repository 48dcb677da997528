"""Three bodies are filled with something of everything."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from verbund.modules.budget import services as budget
from verbund.modules.budget.models import StatementEntry
from verbund.modules.budget.tests import factories as budget_factories
from verbund.modules.budget.tests.test_einvoice import BUYER, hybrid_invoice
from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models import DraftAttachment
from verbund.modules.citizenservices.tests import factories
from verbund.modules.records import services as records
from verbund.modules.records.models import Case
from verbund.modules.records.tests.factories import pdf
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.local.models import CitizenAccount, OrgUnit, Session, Token
from verbund.platform.identity.models import Assignment, Person, SecondFactor
from verbund.platform.identity.recognition import citizen_actor
from verbund.platform.identity.roles import Role
from verbund.platform.identity.services.links import issue
from verbund.platform.tenancy import acting_for, new_id
from verbund.platform.tenancy import now as the_clock

from .alliance import fill_alliance
from .world import ALLIANCE_ONLY, OTHER_UNIT, UNIT, Town, World, employ, keys_of, register_citizen


def build() -> World:
    """Fill the three bodies; commits."""
    world = World({}, {})
    factories.NOW = budget_factories.NOW = the_clock()
    for body in ("alpha", "beta"):
        system = Actor.system(body, "test")
        factories.SYSTEM = budget_factories.SYSTEM = system
        factories.GUEST = Actor.guest(body, "test")
        with acting_for(body):
            world.towns[body] = _town(world, body, system)
    with acting_for("alliance"):
        world.towns["alliance"] = fill_alliance(world)
    factories.SYSTEM = budget_factories.SYSTEM = Actor.system("alpha", "test")
    factories.GUEST = Actor.guest("alpha", "test")
    return world


def _town(world: World, body: str, system: Actor) -> Town:
    now = the_clock()
    town = Town()
    for code, name in ((UNIT, "Ordnung"), (OTHER_UNIT, "Soziales")):
        identity.create_unit(system, code=code, name=name, now=now)
    people = {role: employ(world, body, role.value, role, UNIT) for role in Role if role not in ALLIANCE_ONLY} | {
        Role.OPERATOR: None
    }
    for role in (Role.CLERK, Role.HEAD_OF_UNIT):
        employ(world, body, f"{role.value} elsewhere", role, OTHER_UNIT)
    employ(world, body, "without a role that counts", Role.DATA_PROTECTION_OFFICER, OTHER_UNIT)
    colleague = employ(world, body, "colleague", Role.CLERK, UNIT)
    clerk = people[Role.CLERK]
    assert clerk is not None
    for name in ("citizen", "other citizen"):
        world.cookies[body, name] = register_citizen(body, name)
    key_id = keys_of(world, body, system)

    ledger = budget_factories.make_town(system)
    records.import_file_plan(system, csv_text=factories.PLAN, now=now)
    service = factories.offer()
    account = CitizenAccount.objects.get(email=f"citizen@{body}.example.org")
    owner = citizen_actor(account)
    actor = Actor(ActorKind.STAFF, clerk, "clerk", body, frozenset({Role.CLERK}), frozenset({UNIT}), "test")

    waiting = factories.submit(owner, service=service, seed=1, email="a@example.org", wants_mailbox=True)
    working = factories.submit(owner, service=service, seed=2, email="a@example.org", wants_mailbox=True)
    version = factories.taken(working, actor)
    services.propose_decision(
        actor, application_id=working.id, outcome="granted", reason="", expected_version=version, now=now
    )
    asked = factories.submit(owner, service=service, seed=3, email="a@example.org", wants_mailbox=True)
    version = factories.taken(asked, actor)
    services.ask_back(actor, application_id=asked.id, question="Was fehlt?", expected_version=version, now=now)
    decided = factories.submit(owner, service=service, seed=4, wants_mailbox=False)
    version = factories.taken(decided, actor)
    done = services.decide_application(
        actor, application_id=decided.id, outcome="granted", reason="", expected_version=version, now=now
    )
    assert done.claim_id is not None
    draft = services.start_draft(owner, service_id=service, now=now)
    factories.fill(owner, draft, seed=5, optional=1.0)

    case = records.open_case(
        system,
        title="Beschwerde über den Winterdienst",
        position="32.10",
        unit=UNIT,
        origin="",
        party="Frieda Fuchs",
        now=now,
    )
    document = records.file_document(
        system, case_id=case.id, title="Brief", kind="memo", content=pdf("Guten Tag"), filename="brief.pdf", now=now
    )
    open_claim = budget_factories.raise_claim(ledger, 4200, actor=system)
    budget_factories.paid(ledger, 100_000, (5000, {"text": "Vielen Dank", "name": "Unbekannt"}), actor=system)
    own = identity.record_absence(
        actor,
        person_id=clerk,
        substitute_id=colleague,
        absent_from=(now + timedelta(days=200)).date(),
        absent_until=(now + timedelta(days=201)).date(),
        now=now,
    )
    factor = SecondFactor.objects.create(
        id=new_id(),
        person=Person.objects.get(pk=clerk),
        kind="passkey",
        name="Schlüssel",
        secret=b"x",
        credential_id=f"{body}-1",
        host="elsewhere.example.org",
        created_at=now,
    )
    form_version = queries.form_versions(system)[0].id
    view = queries.application(system, working.id, now=now)
    town.codes = {"draft": draft.code, "tracking": working.tracking_code}
    town.ids = {
        "absence_id": own,
        "factor_id": factor.id,
        "key_id": key_id,
        "session_id": Session.objects.get(kind="staff", subject=clerk).id,
        "citizen session_id": Session.objects.get(kind="citizen", subject=account.id).id,
        "person_id": colleague,
        "assignment_id": Assignment.objects.get(person=colleague).id,
        "code": OTHER_UNIT,
        "member_id": uuid4(),
        "accession_id": uuid4(),
        "member entry_id": uuid4(),
        "agreement_id": uuid4(),
        "contract accession_id": uuid4(),
        "copy_id": uuid4(),
        "anchor_id": uuid4(),
        **{f"{which}meeting_id": uuid4() for which in ("", "decided ", "closed ")},
        **{f"{which}motion_id": uuid4() for which in ("", "open ")},
        "task_id": uuid4(),
        "leaving_id": uuid4(),
        "bare member_id": uuid4(),
        "plan_id": uuid4(),
        "run_id": uuid4(),
        "scenario_id": uuid4(),
        "charged invoice_id": uuid4(),
        "proposed run_id": uuid4(),
        "checked run_id": uuid4(),
        "released run_id": uuid4(),
        "file_id": Case.objects.get(pk=case.id).file_id,
        "case_id": case.id,
        "document_id": document.id,
        "page": 1,
        "letter_id": done.letter_id,
        "voucher_id": open_claim.voucher_id,
        "claim_id": open_claim.id,
        "entry_id": StatementEntry.objects.get().id,
        "invoice_id": _billed(ledger, system),
        "inbound invoice_id": _bill_received(system),
        "part": "pdf",
        "ledger": "ALPHA",
        "year": 2026,
        "account code": "1810",
        "slug": queries.service_settings(system, service).slug,
        "draft_id": draft.id,
        "number": 1,
        "attachment_id": DraftAttachment.objects.filter(draft=draft.id).values_list("id", flat=True)[0],
        "application_id": working.id,
        "waiting application_id": waiting.id,
        "asked application_id": asked.id,
        "party document_id": _own_document(view),
        "key": "bewohnerparkausweis",
        "service_id": service,
        "form_version_id": form_version,
        "job_id": 1,
        "staff_invitation secret": issue(Token.Kind.INVITATION, colleague, now=now),
        "staff_password secret": issue(Token.Kind.STAFF_PASSWORD, colleague, now=now),
        "citizen_confirm secret": issue(Token.Kind.CITIZEN_EMAIL, account.id, now=now),
        "citizen_password secret": issue(Token.Kind.CITIZEN_PASSWORD, account.id, now=now),
    }
    assert OrgUnit.objects.filter(pk=OTHER_UNIT).exists()
    return town


def _billed(ledger: budget_factories.Town, system: Actor) -> UUID:
    draft = budget.InvoiceDraft(
        product=ledger.product,
        account=ledger.revenue,
        buyer=BUYER,
        lines=(budget.InvoiceLine("Leistung", 100, budget.TaxTreatment.OUTSIDE),),
        due_on=date(2026, 12, 20),
        subject="Leistung",
        untaxed_reason="§ 2b UStG",
    )
    return budget.issue_invoice(system, ledger=ledger.ledger, draft=draft, origin="o:1", now=budget_factories.NOW).id


def _bill_received(system: Actor) -> UUID:
    content, now = hybrid_invoice(), budget_factories.NOW
    return budget.receive_invoice(system, content=content, filename="rechnung.pdf", now=now).id


def _own_document(view: Any) -> UUID:
    return UUID(str(view.attachments[0].document_id))
