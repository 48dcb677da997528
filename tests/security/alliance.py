"""The alliance of the tests with something of everything in it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from verbund.modules.budget.tests import factories as budget_factories
from verbund.modules.costsharing import services as costsharing
from verbund.modules.costsharing.tests import factories as costs
from verbund.modules.membership import queries as members
from verbund.modules.membership import services as membership
from verbund.modules.membership.models import AccessionState, Fraction
from verbund.modules.membership.tests import factories as alliance_factories
from verbund.modules.membership.tests.signatures import Authority
from verbund.modules.records.tests.factories import pdf
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import local_date, new_id
from verbund.platform.tenancy import now as the_clock

from .world import UNIT, Town, World, connection, employ, keys_of


def fill_alliance(world: World) -> Town:
    now = the_clock()
    system = Actor.system("alliance", "test")
    identity.create_unit(system, code=UNIT, name="Betrieb", now=now)
    people: dict[Role, UUID] = {
        role: employ(world, "alliance", role.value, role, UNIT)
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
    keys_of(world, "alliance", system)
    people[Role.MEMBER_REPRESENTATIVE] = employ(
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
        "part": "pdf",
        "charged year": year,
        "member": "alpha",
    }


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
