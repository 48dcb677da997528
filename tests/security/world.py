"""Three bodies with something of everything in them, and somebody of every kind who may or may not come near it."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection as django_connection
from django.db import transaction
from django.test import Client

from verbund.modules.budget import services as budget
from verbund.modules.budget.models import StatementEntry
from verbund.modules.budget.tests import factories as budget_factories
from verbund.modules.budget.tests.test_einvoice import BUYER, hybrid_invoice
from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models import DraftAttachment
from verbund.modules.citizenservices.tests import factories
from verbund.modules.costsharing import services as costsharing
from verbund.modules.costsharing.tests import factories as costs
from verbund.modules.membership import queries as members
from verbund.modules.membership import services as membership
from verbund.modules.membership.models import AccessionState, Fraction
from verbund.modules.membership.tests import factories as alliance_factories
from verbund.modules.membership.tests.signatures import Authority
from verbund.modules.records import services as records
from verbund.modules.records.models import Case
from verbund.modules.records.tests.factories import pdf
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.local.models import ApiKey, CitizenAccount, OrgUnit, Session, Token
from verbund.platform.identity.local.sessions import KIND, SUBJECT, SessionStore
from verbund.platform.identity.models import Assignment, Person, SecondFactor
from verbund.platform.identity.recognition import FACTOR, MARK, PROVED, citizen_actor, mark_of
from verbund.platform.identity.roles import ALLIANCE_ROLES, Role
from verbund.platform.identity.services.links import issue
from verbund.platform.tenancy import acting_for, local_date, new_id
from verbund.platform.tenancy import now as the_clock

connection: Any = django_connection  # its type knows nothing of schemas
PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
UNIT, OTHER_UNIT = "32", "50"
HOSTS = {"alliance": "verbund.localhost", "alpha": "alpha.localhost", "beta": "beta.localhost"}
ALLIANCE_ONLY = ALLIANCE_ROLES


@dataclass
class Town:
    """The ids of one body's things, by the names they have in the addresses."""

    ids: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)


@dataclass
class World:
    """What stands in the database, and who is there."""

    towns: dict[str, Town]
    cookies: dict[tuple[str, str], str]
    keys: dict[tuple[str, str], str] = field(default_factory=dict)

    def client(self, body: str, who: str = "", *, at: str = "", **options: Any) -> Client:
        """A browser on the host of `at` (by default that of `body`) with the session of `who` made at `body`."""
        client = Client(headers={"host": HOSTS[at or body]}, raise_request_exception=False, **options)
        if who:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[body, who]
        return client

    def machine(self, body: str, who: str = "", *, at: str = "") -> Client:
        """A machine that talks to the host of `at` with the key of `who` made at `body`; it brings no cookie."""
        headers = {"host": HOSTS[at or body], "accept-language": "en"}
        if who:
            headers["authorization"] = f"Bearer {self.keys[body, who]}"
        return Client(headers=headers, raise_request_exception=False, enforce_csrf_checks=True)


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
        world.towns["alliance"] = _alliance(world)
    factories.SYSTEM = budget_factories.SYSTEM = Actor.system("alpha", "test")
    factories.GUEST = Actor.guest("alpha", "test")
    return world


def _town(world: World, body: str, system: Actor) -> Town:
    now = the_clock()
    town = Town()
    for code, name in ((UNIT, "Ordnung"), (OTHER_UNIT, "Soziales")):
        identity.create_unit(system, code=code, name=name, now=now)
    people = {role: _employ(world, body, role.value, role, UNIT) for role in Role if role not in ALLIANCE_ONLY} | {
        Role.OPERATOR: None
    }
    for role in (Role.CLERK, Role.HEAD_OF_UNIT):
        _employ(world, body, f"{role.value} elsewhere", role, OTHER_UNIT)
    _employ(world, body, "without a role that counts", Role.DATA_PROTECTION_OFFICER, OTHER_UNIT)
    colleague = _employ(world, body, "colleague", Role.CLERK, UNIT)
    clerk = people[Role.CLERK]
    assert clerk is not None
    for name in ("citizen", "other citizen"):
        world.cookies[body, name] = _citizen(body, name)
    key_id = _keys(world, body, system)

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


def _alliance(world: World) -> Town:
    now = the_clock()
    system = Actor.system("alliance", "test")
    identity.create_unit(system, code=UNIT, name="Betrieb", now=now)
    people: dict[Role, UUID] = {
        role: _employ(world, "alliance", role.value, role, UNIT)
        for role in Role
        if role is not Role.MEMBER_REPRESENTATIVE  # comes with the member it speaks for
    }
    member = membership.register_body(
        system, name="Stadt Alphausen", kind="town", ags="13076001", ars="", slug="alpha", schema_name="alpha", now=now
    )
    membership.register_body(
        system, name="Stadt Neuhausen", kind="town", ags="13076002", ars="", slug="neuhausen", schema_name=None, now=now
    )
    assert len(members.list_members(system)) == 2
    _keys(world, "alliance", system)
    people[Role.MEMBER_REPRESENTATIVE] = _employ(
        world, "alliance", Role.MEMBER_REPRESENTATIVE.value, Role.MEMBER_REPRESENTATIVE, "alpha"
    )
    accession = membership.open_inquiry(
        system, member_id=member.id, subject="Gesamter IT-Betrieb", on=local_date(now), now=now
    )
    manager = people[Role.ALLIANCE_MANAGER]
    roles = frozenset({Role.ALLIANCE_MANAGER})
    secret = membership.subscribe_calendar(
        Actor(ActorKind.STAFF, manager, "manager", "alliance", roles, frozenset(), "test"), now=now
    )
    return Town(
        ids={
            "member_id": member.id,
            "member entry": "medium",
            "member entry_id": membership.add_medium(
                system, member_id=member.id, name="Amtsblatt", valid_from=local_date(now), now=now
            ),
            "accession_id": accession,
            "action": "state_costs",
            "year": 2026,
            **_charged(member.id),
            "service code": "CORE",
            "free service code": "FREE",
            "task_id": membership.plan_take_over(
                system, member_id=member.id, begins_on=local_date(now) + timedelta(days=90), now=now
            )[0].id,
            "agreement_id": members.agreements_of(system, member.id)[0].id,
            **_contracted(),
            "token": secret,
            "job_id": _failed_job(),
        }
    )


def _contracted() -> dict[str, Any]:
    """An accession with a contract all parties have consented to, a further draft of it, a signed copy, and a board
    with a meeting that is called, one that is decided and one that is closed."""
    now = the_clock()
    roles = frozenset({Role.ALLIANCE_MANAGER})
    author, second = (
        Actor(ActorKind.STAFF, new_id(), name, "alliance", roles, frozenset(), "test") for name in ("author", "second")
    )
    founders = alliance_factories.founded(author, "ostkreis", "oststadt", "suedkreis")
    candidate = alliance_factories.member(author, "weststadt")
    alliance_factories.medium(candidate)
    membership.load_start_clauses(author, now=now)
    codes = [c.code for c in members.offered_clauses(author)]
    for code in codes:
        membership.review_clause(second, code=code, number=1, now=now)
    values: Any = {"title": "Zusatz", "text": "Noch nicht geprüft.", "kinds": ["other"], "now": now}
    membership.write_clause(author, code="extra", **values)
    case = alliance_factories.Accessions(author, candidate, now=now).to(AccessionState.NEGOTIATION)
    parties = tuple(membership.ContractParty(m, 100_000, 2) for m in founders)
    data = membership.ContractData(
        parties=(*parties, membership.ContractParty(candidate, 50_000, 1)),
        chair=founders[0],
        tasks=("IT-Betrieb",),
        effective_on=date(2027, 1, 1),
        values={"audit_body": "das Rechnungsprüfungsamt", "payment_days": "14", "notice_months": "12"},
    )
    put: Any = {"accession_id": case.id, "now": now}
    first = membership.draft_contract(author, clauses=codes, data=data, **put)
    membership.finalise_contract(author, number=1, **put)
    on = local_date(now)
    for party in case.parties():
        if party == candidate:
            case.record_candidate_resolution(on, version_sha256=first.sha256)
        else:
            case.record_consent(party, on, version_sha256=first.sha256)
    signatory = membership.Signatory(candidate, "Erika Muster", "Bürgermeisterin", on)
    copy = membership.record_signed_copy(
        author, content=pdf("Vertrag"), filename="vertrag.pdf", kind="scanned", signatories=[signatory], **put
    )
    membership.draft_contract(author, clauses=codes, data=replace(data, tasks=("IT-Betrieb", "Schul-IT")), **put)
    anchor = membership.add_trust_anchor(author, pem=Authority("Prüfstelle").pem, source="Vertrauensliste", now=now)
    return {
        "contract accession_id": case.id,
        "contract number": 2,
        "copy_id": copy.id,
        "anchor_id": anchor,
        "clause": "audit",
        "unreviewed clause": "extra",
        "unreviewed number": 1,
        **_board(author, founders),
        **_leaving(founders[2]),
    }


def _board(manager: Actor, carriers: list[UUID]) -> dict[str, Any]:
    """Three meetings: with a motion that is open, with one that is decided, and one that has its minutes."""
    now = the_clock()
    on = local_date(now)
    for matter in ("ordinary", "reserved"):
        half = Fraction(1, 2, True)
        rule = membership.VotingRule(matter, half, half, written_allowed=True)
        membership.set_board_rule(manager, rule=rule, valid_from=date(2024, 1, 1), source="§ 6 der Satzung", now=now)
    found: dict[str, Any] = {}
    for which in ("", "decided ", "closed "):
        meeting = membership.call_meeting(manager, held_on=on, form="meeting", place="Rathaus", now=now)
        table: Any = {"meeting_id": meeting, "text": "Es wird beschlossen.", "now": now}
        motion = membership.table_motion(manager, title="Wirtschaftsplan", matter="ordinary", **table)
        found |= {f"{which}meeting_id": meeting, f"{which}motion_id": motion}
        if which:
            for person in ("Anna Ahorn", "Bodo Birke"):
                membership.cast_ballot(
                    manager, motion_id=motion, member_id=carriers[0], person_name=person, choice="yes", now=now
                )
            membership.close_vote(manager, motion_id=motion, now=now)
        if which == "closed ":
            membership.close_meeting(manager, meeting_id=meeting, now=now)
    return {**found, "open motion_id": found["motion_id"]}


def _leaving(carrier: UUID) -> dict[str, Any]:
    """A carrier has given notice to leave; a town is to get a body, another one asks for nothing; and a service that
    nobody has yet."""
    now, system = the_clock(), Actor.system("alliance", "test")
    today = local_date(now)
    other, _third = (
        membership.register_body(system, name=name, kind="town", ags="", ars="", slug=slug, now=now).id
        for name, slug in (("Stadt Ander", "ander"), ("Stadt Alt", "alt"))
    )
    costs.offer("ROOMS")
    costs.agree(other, "ROOMS")
    membership.plan_provisioning(system, member_id=other, wishes=membership.Wishes(), now=now)
    exit_on = date(today.year + 3, 12, 31)
    leaving = membership.give_leave_notice(system, member_id=carrier, exit_on=exit_on, on=today, now=now)
    return {"leaving_id": leaving, "leaving action": "withdraw_leave_notice", "bare member_id": other}


def _charged(member_id: UUID) -> dict[str, Any]:
    """A plan, a charge run with its invoice, and a scenario of the alliance."""
    now = the_clock()
    year = now.year - 1
    costs.NOW = now
    costs.offer("CORE")
    costs.offer("FREE")  # agreed with nobody
    costs.rule("CORE")
    costs.tariff("CORE", "120")
    costs.review("CORE")
    costs.agree(member_id, "CORE")
    for one in range(year - 3, year + 1):
        costs.measure(member_id, "CORE", "10", year=one)
    costs.address(member_id)
    costs.billing()
    budget_factories.make_town(Actor.system("alliance", "test"), code="ALLIANCE", year=now.year)
    system = costs.SYSTEM
    runs = [
        costsharing.propose_run(
            system, kind="advance", period_start=date(one, 1, 1), period_end=date(one, 12, 31), now=now
        ).id
        for one in range(year, year - 4, -1)
    ]
    run, released, checked, proposed = runs
    for one_run in runs[:3]:
        costsharing.check_run(system, run_id=one_run, now=now)
    for one_run in runs[:2]:
        costsharing.release_run(system, run_id=one_run, now=now)
    (invoice,) = costsharing.issue_run(system, run_id=run, now=now)
    demand = costsharing.Demand("CORE", Decimal(5))
    scenario = costsharing.reckon_scenario(
        system, name="Stadt Neu", year=year, joins_on=date(year, 7, 1), kind="town", demands=[demand], now=now
    )
    costsharing.define_centre(system, code="K-CORE", name="Kern-IT", service_code="CORE", now=now)
    plan = costsharing.draft_plan(system, year=now.year, now=now)
    costsharing.add_plan_line(system, plan_id=plan, part="revenue", text="Entgelte", cents=1_200_00, now=now)
    return {
        "plan_id": plan,
        "run_id": run,
        "released run_id": released,
        "checked run_id": checked,
        "proposed run_id": proposed,
        "scenario_id": scenario,
        "charged invoice_id": invoice,
        "charged year": year,
        "member": "alpha",
    }


def _keys(world: World, body: str, system: Actor) -> UUID:
    """A key per role of the unit, and those that must not let in; returns the id of one nobody uses."""
    now = the_clock()

    def make(who: str, role: Role, unit: str = UNIT, may_write: bool = True) -> UUID:
        made = identity.create_key(
            system,
            name=f"{who} of {body}",
            roles=[role],
            units=[unit],
            may_write=may_write,
            expires_at=now + timedelta(days=30),
            now=now,
        )
        world.keys[body, who] = made.key
        return made.id

    for role in identity.roles_for_machines():
        make(role.value, role)
    if body == "alliance":
        return UUID(int=0)
    for role in (Role.CLERK, Role.HEAD_OF_UNIT):
        make(f"{role.value} elsewhere", role, OTHER_UNIT)
    make("reading", Role.CLERK, may_write=False)
    identity.revoke_key(system, key_id=make("revoked", Role.CLERK), now=now)
    expired = make("expired", Role.CLERK)
    ApiKey.objects.filter(pk=expired).update(created_at=now - timedelta(days=9), expires_at=now - timedelta(days=1))
    return make("unused", Role.CLERK)


def _failed_job() -> int:
    """A job that failed for good, written as the worker would leave it."""
    from psycopg.types.json import Jsonb

    arguments = {
        "body": "alliance",
        "sender": "alliance",
        "hearer": "nobody",
        "event": "nothing",
        "event_id": "0",
        "values": {},
        "request_id": "test",
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.verbund_defer(%s)", [Jsonb(arguments)])
        ident = int(cursor.fetchone()[0])
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE public.procrastinate_jobs SET status = 'failed' WHERE id = %s", [ident])
    return ident


def _own_document(view: Any) -> UUID:
    return UUID(str(view.attachments[0].document_id))


def _employ(world: World, body: str, name: str, role: Role, unit: str) -> UUID:
    now = the_clock()
    system = Actor.system(body, "test")
    made = identity.create_person(
        system,
        email=f"{name.replace(' ', '.')}@{body}.example.org",
        display_name=f"{name} of {body}",
        role=role,
        unit=unit,
        valid_from=now - timedelta(days=1),
        now=now,
        invite=False,
    )
    identity.set_initial_password(system, person_id=made.id, password=PASSWORD, now=now)
    world.cookies[body, name] = session_of(Person.objects.get(pk=made.id))
    return made.id


def _citizen(body: str, name: str) -> str:
    account = CitizenAccount.objects.create(
        id=new_id(),
        email=f"{name.replace(' ', '.')}@{body}.example.org",
        name=f"{name} of {body}",
        password="",
        state=CitizenAccount.State.ACTIVE,
        created_at=the_clock(),
    )
    return session_of(account)


def session_of(account: Person | CitizenAccount, **more: Any) -> str:
    """The cookie of a session of this account, as the sign-in makes it."""
    store = SessionStore()
    store[KIND] = "staff" if isinstance(account, Person) else "citizen"
    store[SUBJECT] = str(account.id)
    store[MARK] = mark_of(account)
    store[FACTOR] = "totp"
    store[PROVED] = int(time.time())
    for key, value in more.items():
        store[key] = value
    store.create()
    assert store.session_key is not None
    return str(store.session_key)


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever happens within is undone, and the connection is nobody's afterwards."""
    connection.set_schema_to_public()
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        connection.set_schema_to_public()


def upload(content: bytes, name: str) -> io.BytesIO:
    """A file as a form field of the test client."""
    file = io.BytesIO(content)
    file.name = name
    return file
