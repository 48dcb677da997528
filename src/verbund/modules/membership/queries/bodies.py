"""Reads: what the alliance knows of a body."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import Model

from verbund.modules.membership.models import (
    Administration,
    CompetenceThreshold,
    Contact,
    Facility,
    InhabitantFigure,
    Organ,
    PublicationMedium,
    TermOfOffice,
    in_force,
)
from verbund.modules.membership.policies import Permission, visible_members
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

from .members import MemberFacts, member


@dataclass(frozen=True, slots=True)
class AdministrationFacts:
    """AdministrationFacts (Amtszugehörigkeit): the other body of the pair, and since when."""

    id: UUID
    member_id: UUID
    name: str
    since: date


@dataclass(frozen=True, slots=True)
class FacilityFacts:
    """FacilityFacts (Einrichtung): a building with its workplaces."""

    id: UUID
    kind_label: str
    name: str
    address: str
    workplaces: int


@dataclass(frozen=True, slots=True)
class TermFacts:
    """TermFacts (Amtszeit): who holds which function until when."""

    id: UUID
    person_name: str
    function: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class ThresholdFacts:
    """ThresholdFacts (Wertgrenze): up to which amount an organ decides a matter, and where that stands."""

    matter: str
    amount_cents: int
    provision: str


@dataclass(frozen=True, slots=True)
class OrganFacts:
    """OrganFacts (Organ): an organ with those in office and its thresholds on a day."""

    id: UUID
    kind: str
    kind_label: str
    name: str
    terms: tuple[TermFacts, ...]
    thresholds: tuple[ThresholdFacts, ...]


@dataclass(frozen=True, slots=True)
class FigureFacts:
    """FigureFacts (Einwohnerzahl): inhabitants on a reference date, with the source."""

    reference_date: date
    count: int
    source: str


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """ContactFacts (Ansprechperson)."""

    id: UUID
    name: str
    function: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class MediumFacts:
    """MediumFacts (Bekanntmachungsmedium): where the body publishes, and which provision says so."""

    id: UUID
    member_id: UUID
    name: str
    provision: str


@dataclass(frozen=True, slots=True)
class BodyView:
    """BodyView (Körperschaft): a member with everything known of it on a day."""

    member: MemberFacts
    day: date
    administers: tuple[AdministrationFacts, ...]
    administered_by: AdministrationFacts | None
    figures: tuple[FigureFacts, ...]
    facilities: tuple[FacilityFacts, ...]
    organs: tuple[OrganFacts, ...]
    contacts: tuple[ContactFacts, ...]
    media: tuple[MediumFacts, ...]

    @property
    def workplaces(self) -> int:
        """The workplaces of all facilities."""
        return sum(f.workplaces for f in self.facilities)


def inhabitants(actor: Actor, *, reference_date: date) -> dict[UUID, int]:
    """Inhabitants per member: the newest figure on or before the date, of several the one recorded last.

    A member without a figure is missing: nothing is guessed.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_MEMBERS)
    rows = InhabitantFigure.objects.filter(member__in=visible_members(actor), reference_date__lte=reference_date)
    newest = rows.order_by("member_id", "-reference_date", "-recorded_at", "-id").distinct("member_id")
    return dict(newest.values_list("member_id", "count"))


def body(actor: Actor, member_id: UUID, *, day: date) -> BodyView:
    """A member as it is on `day`.

    Raises:
        NotFound
    """
    found = member(actor, member_id)
    pairs = Administration.objects.filter(in_force(day)).select_related("amt", "town")
    terms: dict[UUID, list[TermFacts]] = {}
    for t in TermOfOffice.objects.filter(in_force(day), organ__member=member_id).order_by("person_name"):
        facts = TermFacts(t.id, t.person_name, t.function, t.valid_from, t.valid_until)
        terms.setdefault(t.organ_id, []).append(facts)
    limits: dict[UUID, list[ThresholdFacts]] = {}
    for c in CompetenceThreshold.objects.filter(in_force(day), organ__member=member_id).order_by("matter"):
        limits.setdefault(c.organ_id, []).append(ThresholdFacts(c.matter, c.amount_cents, c.provision))
    figures: dict[date, FigureFacts] = {}
    for f in InhabitantFigure.objects.filter(member=member_id).order_by("-reference_date", "-recorded_at"):
        figures.setdefault(f.reference_date, FigureFacts(f.reference_date, f.count, f.source))
    above = [AdministrationFacts(p.id, p.amt_id, p.amt.name, p.valid_from) for p in pairs.filter(town=member_id)]
    return BodyView(
        member=found,
        day=day,
        administers=tuple(
            AdministrationFacts(p.id, p.town_id, p.town.name, p.valid_from)
            for p in pairs.filter(amt=member_id).order_by("town__name")
        ),
        administered_by=above[0] if above else None,
        figures=tuple(figures.values()),
        facilities=tuple(
            FacilityFacts(
                f.id,
                str(f.get_kind_display()),
                f.name,
                ", ".join(part for part in (f.street, f"{f.postcode} {f.place}".strip()) if part),
                f.workplaces,
            )
            for f in Facility.objects.filter(in_force(day), member=member_id).order_by("kind", "name")
        ),
        organs=tuple(
            OrganFacts(
                o.id,
                o.kind,
                str(o.get_kind_display()),
                o.name,
                tuple(terms.get(o.id, ())),
                tuple(limits.get(o.id, ())),
            )
            for o in Organ.objects.filter(member=member_id).order_by("kind", "name")
        ),
        contacts=tuple(
            ContactFacts(c.id, c.name, c.function, c.email, c.phone)
            for c in Contact.objects.filter(member=member_id, ended_on__isnull=True).order_by("name")
        ),
        media=media_of(actor, {member_id}, day=day),
    )


def media_of(actor: Actor, members: set[UUID], *, day: date) -> tuple[MediumFacts, ...]:
    """The media in which these bodies publish on `day`.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_MEMBERS)
    rows = PublicationMedium.objects.filter(in_force(day), member_id__in=members).order_by("member_id", "name")
    return tuple(MediumFacts(m.id, m.member_id, m.name, m.provision) for m in rows)


_NAMES: Final[dict[str, tuple[type[Model], str, str]]] = {  # what may be ended: model, way to the member, what names it
    "facility": (Facility, "member", "name"),
    "term": (TermOfOffice, "organ__member", "person_name"),
    "contact": (Contact, "member", "name"),
    "medium": (PublicationMedium, "member", "name"),
    "administration": (Administration, "amt", "town__name"),
}


def entry_name(actor: Actor, member_id: UUID, *, what: str, entry_id: UUID) -> str:
    """What an entry about a member is called: the facility, the person in office, the contact, the medium, the town.

    Raises:
        NotFound: also for an entry about another member.
    """
    if what not in _NAMES:
        raise NotFound
    model, way, named = _NAMES[what]
    rows = model._default_manager.filter(**{"id": entry_id, f"{way}__in": visible_members(actor).filter(id=member_id)})
    name: str | None = rows.values_list(named, flat=True).first()
    if name is None:
        raise NotFound
    return name
