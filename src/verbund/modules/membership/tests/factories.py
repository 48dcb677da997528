"""Things to test with, made through the room's own doors."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from verbund.modules.membership import services
from verbund.modules.membership.models import Accession, AccessionState, Consent, ContractDraft, PublicationMedium
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import new_id

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FOUNDED = date(2024, 1, 1)
# One day for each step of an accession that goes as it should.
INQUIRY, COSTS, RESOLVED, TALKS = date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 20), date(2026, 1, 25)
PUT, CONSENTED, SIGNED, NOTICE = date(2026, 2, 1), date(2026, 3, 1), date(2026, 3, 15), date(2026, 3, 20)
COMPLETE, CLEARED, PUBLISHED, EFFECT = date(2026, 4, 1), date(2026, 5, 4), date(2026, 5, 20), date(2026, 6, 1)
CAPITAL, TASKS, DONE = date(2026, 6, 10), date(2026, 7, 1), date(2026, 9, 1)
Step = Callable[[], Any]


def hash_of(text: str) -> str:
    """A contract's hash."""
    return sha256(text.encode()).hexdigest()


def member(actor: Actor, slug: str, *, kind: str = "town", now: datetime = NOW) -> UUID:
    """A body the alliance knows, without a tenant."""
    return services.register_body(actor, name=f"Stadt {slug.title()}", kind=kind, ags="", ars="", slug=slug, now=now).id


def medium(member_id: UUID, name: str = "Amtsblatt") -> UUID:
    """Where a member publishes."""
    return PublicationMedium.objects.create(id=new_id(), member_id=member_id, name=name, valid_from=date(2010, 1, 1)).id


def founded(actor: Actor, *slugs: str, cents: int = 100_000, on: date = FOUNDED, now: datetime = NOW) -> list[UUID]:
    """An alliance with carriers of one seat each; the first one chairs."""
    members = [member(actor, slug, now=now) for slug in slugs or ("kreis", "hauptstadt")]
    for found in members:
        medium(found)
    services.record_founding(
        actor,
        shares=[services.Share(m, cents, 2) for m in members],
        chair=members[0],
        contract_on=on,
        effective_on=on,
        basis="Gründungsvertrag",
        now=now,
    )
    return members


class Accessions:
    """An accession led step by step; each step is a method that does just that one act."""

    def __init__(self, actor: Actor, member_id: UUID, *, text: str = "Vertrag 1", now: datetime = NOW) -> None:
        self.actor, self.member_id, self.text, self.now = actor, member_id, text, now
        self.id: UUID = new_id()

    def common(self, on: date) -> dict[str, Any]:
        return {"accession_id": self.id, "on": on, "now": self.now}

    def row(self) -> Accession:
        return Accession.objects.get(id=self.id)

    @property
    def state(self) -> AccessionState:
        return AccessionState(self.row().state)

    def draft(self) -> ContractDraft:
        return ContractDraft.objects.filter(accession_id=self.id).order_by("-number")[0]

    def open_inquiry(self, on: date = INQUIRY) -> None:
        self.id = services.open_inquiry(
            self.actor, member_id=self.member_id, subject="Gesamter IT-Betrieb", on=on, now=self.now
        )

    def state_costs(self, on: date = COSTS) -> None:
        services.state_costs(self.actor, yearly_cents=12_000_000, **self.common(on))

    def record_basic_resolution(self, on: date = RESOLVED) -> None:
        resolution = services.Resolution("Stadtvertretung", votes_for=15, votes_against=0)
        services.record_basic_resolution(self.actor, resolution=resolution, **self.common(on))

    def begin_negotiation(self, on: date = TALKS) -> None:
        services.begin_negotiation(self.actor, **self.common(on))

    def put_contract_version(self, on: date = PUT, text: str | None = None, **more: Any) -> None:
        wanted = text or self.text
        services.put_contract_version(self.actor, sha256=hash_of(wanted), label="", **self.common(on), **more)
        self.text = wanted

    def record_consent(self, party: UUID, on: date = CONSENTED, **more: Any) -> None:
        values = {"version_sha256": hash_of(self.text), "resolution": services.Resolution("Kreistag", 14), **more}
        services.record_consent(self.actor, party_id=party, **self.common(on), **values)

    def record_candidate_resolution(self, on: date = CONSENTED, **more: Any) -> None:
        values = {
            "version_sha256": hash_of(self.text),
            "resolution": services.Resolution("Stadtvertretung", 15),
            **more,
        }
        services.record_candidate_resolution(self.actor, **self.common(on), **values)

    def refuse(self, party: UUID, on: date = CONSENTED, **more: Any) -> None:
        values = {"version_sha256": hash_of(self.text), "resolution": services.Resolution("Kreistag"), **more}
        services.refuse(self.actor, party_id=party, **self.common(on), **values)

    def parties(self) -> list[UUID]:
        if not ContractDraft.objects.filter(accession_id=self.id).exists():
            return []
        return list(Consent.objects.filter(draft=self.draft()).order_by("id").values_list("party_id", flat=True))

    def all_consent(self, on: date = CONSENTED) -> None:
        for consent in Consent.objects.filter(draft=self.draft(), decision="pending").order_by("id"):
            if consent.is_candidate:
                self.record_candidate_resolution(on)
            else:
                self.record_consent(consent.party_id, on)

    def sign(self, on: date = SIGNED, without: UUID | None = None) -> None:
        signatures = [
            services.SignatureFacts(party, "Erika Muster", "Bürgermeisterin", on)
            for party in self.parties()
            if party != without
        ]
        services.sign(self.actor, signatures=signatures, **self.common(on))

    def give_notice(self, on: date = NOTICE) -> None:
        services.give_notice(self.actor, documents="Vertrag\nBeschlüsse", **self.common(on))

    def complete_documents(self, on: date = COMPLETE) -> date:
        return services.complete_documents(self.actor, **self.common(on))

    def declare_no_objection(self, on: date = CLEARED) -> None:
        services.declare_no_objection(self.actor, **self.common(on))

    def establish_clearance(self, on: date) -> date:
        return services.establish_clearance(self.actor, **self.common(on))

    def raise_objection(self, on: date = CLEARED) -> None:
        services.raise_objection(
            self.actor, evidence=services.Evidence(reason="Sitzverteilung fehlt"), **self.common(on)
        )

    def record_publication(self, medium_id: UUID, on: date = PUBLISHED) -> None:
        services.record_publication(self.actor, medium_id=medium_id, sha256=hash_of(self.text), **self.common(on))

    def publish_everywhere(self, on: date = PUBLISHED) -> None:
        for found in PublicationMedium.objects.filter(member_id__in=self.parties()).order_by("id"):
            self.record_publication(found.id, on)

    def take_effect(self, on: date = EFFECT) -> None:
        services.take_effect(self.actor, **self.common(on))

    def record_capital(self, on: date = CAPITAL, cents: int = 50_000) -> None:
        services.record_capital(self.actor, cents=cents, **self.common(on))

    def plan_task(self, task: str = "core_it", on: date = PUT) -> None:
        services.plan_task(self.actor, task=task, planned_on=TASKS, **self.common(on))

    def transfer_task(self, task: str = "core_it", on: date = TASKS) -> None:
        services.transfer_task(self.actor, task=task, **self.common(on))

    def complete_onboarding(self, on: date = DONE) -> None:
        services.complete_onboarding(self.actor, **self.common(on))

    def withdraw(self, on: date = DONE) -> None:
        services.withdraw(self.actor, **self.common(on))

    def abandon(self, on: date = DONE) -> None:
        services.abandon(self.actor, evidence=services.Evidence(reason="Kein Einvernehmen"), **self.common(on))

    def to(self, state: AccessionState) -> "Accessions":
        """Lead the accession to a state by the straight way."""
        way = _way_to(self, state)
        for step in way:
            step()
        assert self.state == state
        return self


def _way_to(a: Accessions, state: AccessionState) -> list[Step]:
    s = AccessionState
    begin: list[Step] = [a.open_inquiry, a.state_costs]
    stages: list[tuple[AccessionState, list[Step]]] = [
        (s.INQUIRY, begin),
        (s.BASIC_RESOLUTION, [a.record_basic_resolution]),
        (s.NEGOTIATION, [a.begin_negotiation]),
        (s.DRAFT_CONTRACT, [a.put_contract_version]),
        (s.ALL_CONSENTED, [a.all_consent]),
        (s.SIGNED, [a.sign]),
        (s.NOTIFIED, [a.give_notice]),
        (s.DOCUMENTS_COMPLETE, [a.complete_documents]),
        (s.NO_OBJECTION, [a.declare_no_objection]),
        (s.PUBLISHED, [a.publish_everywhere]),
        (s.EFFECTIVE, [a.take_effect]),
        (s.CAPITAL_PAID, [a.record_capital]),
        (s.TASKS_TRANSFERRED, [a.transfer_task]),
        (s.ONBOARDED, [a.complete_onboarding]),
    ]
    branches: dict[AccessionState, tuple[AccessionState, Step]] = {
        s.REFUSED: (s.DRAFT_CONTRACT, lambda: a.refuse(a.parties()[0])),
        s.DEEMED_NO_OBJECTION: (s.DOCUMENTS_COMPLETE, lambda: a.establish_clearance(date(2026, 6, 2))),
        s.OBJECTION: (s.DOCUMENTS_COMPLETE, a.raise_objection),
        s.WITHDRAWN: (s.INQUIRY, a.withdraw),
    }
    if state == s.ABANDONED:
        return [*_way_to(a, s.OBJECTION), a.abandon]
    if state in branches:
        before, step = branches[state]
        return [*_way_to(a, before), step]
    way: list[Step] = []
    for reached, steps in stages:
        way += steps
        if reached == state:
            break
    return way
