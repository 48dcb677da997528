"""Reads of identity."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from verbund.platform.tenancy import NotFound, current_body, local_date

from . import factors, policy
from .actor import Actor, ActorKind
from .local.models import Absence, ApiKey, CitizenAccount, OrgUnit
from .models import Assignment, Person
from .policies import Permission, may_reset_access, own_id, own_sessions, visible_people, visible_units
from .recognition import actor_for, second_factor_required

__all__ = [
    "AbsenceRow",
    "AccessCounts",
    "AssignmentRow",
    "CitizenFacts",
    "FactorRow",
    "KeyRow",
    "People",
    "PersonNotFound",
    "PersonRow",
    "PersonView",
    "SessionRow",
    "UnitRow",
    "absences",
    "actor_for",
    "api_keys",
    "citizen",
    "colleagues",
    "current_people_of_unit",
    "names_of",
    "own_factors",
    "own_profile",
    "own_sessions_list",
    "people",
    "person",
    "unit_names",
    "units",
    "usage",
]


class PersonNotFound(NotFound):
    """There is no such person or assignment in this body."""


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    id: UUID
    role: str
    unit: str
    valid_from: datetime
    valid_until: datetime | None
    is_current: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: UUID
    name: str
    email: str
    is_active: bool
    has_password: bool
    roles: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class People:
    """One page of people in the order of their names; `next` is the key of the following page,
    empty on the last one.
    """

    rows: tuple[PersonRow, ...]
    next: str


@dataclass(frozen=True, slots=True)
class PersonView:
    id: UUID
    name: str
    email: str
    is_active: bool
    has_password: bool
    last_sign_in: datetime | None
    is_home: bool
    may_reset: bool
    factors: tuple[str, ...]
    assignments: tuple[AssignmentRow, ...]
    absences: tuple["AbsenceRow", ...]


@dataclass(frozen=True, slots=True)
class AbsenceRow:
    id: UUID
    person: UUID
    person_name: str
    substitute: UUID
    substitute_name: str
    absent_from: date
    absent_until: date


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit with its depth in the tree, in the order in which the tree is read."""

    code: str
    name: str
    parent: str
    depth: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class FactorRow:
    id: UUID
    kind: str
    name: str
    host: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: UUID
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class CitizenFacts:
    """What rooms may know of a citizen's account."""

    id: UUID
    name: str
    email: str
    trust_level: str
    state: str
    delete_after: date | None
    has_password: bool


def people(actor: Actor, *, text: str = "", after: str = "", limit: int = 50, now: datetime) -> People:
    """The people of the body by name; `text` is looked for in name and address, `after` the `next` of the page before.

    Raises:
        policy.Denied.
    """
    policy.require(actor, Permission.VIEW_PEOPLE)
    found = visible_people(actor)
    if text:
        found = found.filter(Q(display_name__icontains=text) | Q(email__icontains=text))
    if after:
        name, _, key = after.rpartition("~")
        try:
            found = found.filter(Q(display_name__gt=name) | Q(display_name=name, id__gt=UUID(key)))
        except ValueError:
            raise PersonNotFound from None
    rows = list(found.order_by("display_name", "id")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    current: dict[UUID, list[Assignment]] = {row.id: [] for row in rows}
    for item in _current(now).filter(person_id__in=list(current)).order_by("role", "unit"):
        current[item.person_id].append(item)
    return People(
        tuple(
            PersonRow(
                row.id,
                row.display_name,
                row.email,
                row.is_active,
                bool(row.password or row.oidc_subject),
                tuple(dict.fromkeys(a.role for a in current[row.id])),
                tuple(dict.fromkeys(a.unit for a in current[row.id] if a.unit)),
            )
            for row in rows
        ),
        f"{rows[-1].display_name}~{rows[-1].id}" if more else "",
    )


def person(actor: Actor, person_id: UUID, *, now: datetime) -> PersonView:
    """One person with all assignments in the body.

    Raises:
        PersonNotFound, policy.Denied.
    """
    policy.require(actor, Permission.VIEW_PEOPLE)
    row = visible_people(actor).filter(pk=person_id).first()
    if row is None:
        raise PersonNotFound
    items = Assignment.objects.filter(person=row, body_id=current_body().id).order_by("-valid_from", "role")
    return PersonView(
        id=row.id,
        name=row.display_name,
        email=row.email,
        is_active=row.is_active,
        has_password=bool(row.password),
        last_sign_in=row.last_login,
        is_home=row.home_body_id == current_body().id,
        may_reset=policy.allows(actor, Permission.MANAGE_PEOPLE) and may_reset_access(actor, row),
        factors=tuple(row.factors.order_by("kind").values_list("kind", flat=True)),
        assignments=tuple(
            AssignmentRow(
                a.id,
                a.role,
                a.unit,
                a.valid_from,
                a.valid_until,
                a.is_valid_at(now),
                a.valid_until is not None and a.valid_until <= now,
            )
            for a in items
        ),
        absences=absences(actor, person_id=row.id, now=now),
    )


def absences(actor: Actor, *, person_id: UUID, now: datetime) -> tuple[AbsenceRow, ...]:
    """The present and coming absences of a person.

    Raises:
        policy.Denied: others' absences need the right to see people.
    """
    if actor.id != person_id:
        policy.require(actor, Permission.VIEW_PEOPLE)
    rows = list(Absence.objects.filter(person=person_id, absent_until__gte=local_date(now)).order_by("absent_from"))
    names = names_of(actor, {r.person for r in rows} | {r.substitute for r in rows})
    return tuple(
        AbsenceRow(
            r.id,
            r.person,
            names.get(r.person, ""),
            r.substitute,
            names.get(r.substitute, ""),
            r.absent_from,
            r.absent_until,
        )
        for r in rows
    )


def names_of(actor: Actor, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of people of this body, for lists and timelines; ids of others are left out."""
    wanted = set(ids)
    if not wanted or not (actor.is_staff or actor.is_system):
        return {}
    return dict(Person.objects.filter(pk__in=wanted).values_list("id", "display_name"))


def colleagues(actor: Actor, *, now: datetime) -> tuple[tuple[UUID, str], ...]:
    """Who works for the body now, by name, the actor left out: for choosing a substitute or a witness."""
    if not actor.is_staff:
        return ()
    found = Person.objects.filter(is_active=True, pk__in=_current(now).values("person_id")).exclude(pk=own_id(actor))
    return tuple(found.order_by("display_name", "id").values_list("id", "display_name"))


def current_people_of_unit(actor: Actor, unit: str, *, now: datetime) -> tuple[tuple[UUID, str], ...]:
    """Who works in a unit now, by name: for handing over work."""
    if not (actor.is_staff or actor.is_system):
        return ()
    found = Person.objects.filter(is_active=True, pk__in=_current(now).filter(unit=unit).values("person_id"))
    return tuple(found.order_by("display_name", "id").values_list("id", "display_name"))


def units(actor: Actor, *, with_closed: bool = False) -> tuple[UnitRow, ...]:
    """The organisation chart, each unit followed by those below it."""
    rows = list(visible_units(actor).order_by("code"))
    below: dict[str | None, list[OrgUnit]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    result: list[UnitRow] = []

    def walk(parent: str | None, depth: int) -> None:
        for row in below.get(parent, []):
            if row.is_active or with_closed:
                result.append(UnitRow(row.code, row.name, row.parent_id or "", depth, row.is_active))
            walk(row.code, depth + 1)

    walk(None, 0)
    return tuple(result)


def unit_names(codes: Iterable[str]) -> dict[str, str]:
    """The names of units by code; the organisation chart is public."""
    return dict(OrgUnit.objects.filter(pk__in=set(codes)).values_list("code", "name"))


def has_password(actor: Actor) -> bool:
    """Whether the actor signs in with a password here, and not through a provider alone.

    Raises:
        policy.Denied.
    """
    citizen = actor.kind is ActorKind.CITIZEN
    policy.require(actor, Permission.MANAGE_OWN_ACCOUNT if citizen else Permission.MANAGE_OWN_ACCESS)
    model = CitizenAccount if citizen else Person
    return model.objects.filter(pk=own_id(actor)).exclude(password="").exists()


def own_profile(actor: Actor, *, now: datetime) -> PersonView:
    """The actor's own person, assignments and absences.

    Raises:
        policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_OWN_ACCESS)
    row = Person.objects.filter(pk=own_id(actor)).first()
    if row is None:
        raise PersonNotFound
    items = Assignment.objects.filter(person=row, body_id=current_body().id).order_by("-valid_from", "role")
    return PersonView(
        id=row.id,
        name=row.display_name,
        email=row.email,
        is_active=row.is_active,
        has_password=bool(row.password),
        last_sign_in=row.last_login,
        is_home=row.home_body_id == current_body().id,
        may_reset=False,
        factors=(),
        assignments=tuple(
            AssignmentRow(a.id, a.role, a.unit, a.valid_from, a.valid_until, a.is_valid_at(now), False)
            for a in items
            if a.valid_until is None or a.valid_until > now
        ),
        absences=absences(actor, person_id=row.id, now=now),
    )


def assignment(actor: Actor, assignment_id: UUID) -> UUID:
    """Whose assignment it is, of the actor's body.

    Raises:
        PersonNotFound, policy.Denied.
    """
    policy.require(actor, Permission.VIEW_PEOPLE)
    found = Assignment.objects.filter(pk=assignment_id, body_id=current_body().id).values_list("person_id", flat=True)
    if not found:
        raise PersonNotFound
    return found[0]


def own_factors(actor: Actor) -> tuple[tuple[FactorRow, ...], int, bool]:
    """The actor's second factors, the number of recovery codes left, and whether a second factor is required.

    Raises:
        policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_OWN_ACCESS)
    row = Person.objects.get(pk=own_id(actor))
    rows = tuple(
        FactorRow(f.id, f.kind, f.name, f.host, f.created_at, f.last_used_at)
        for f in row.factors.order_by("created_at")
    )
    return rows, factors.recovery_codes_left(row.id), second_factor_required()


def own_sessions_list(actor: Actor, *, this: UUID | None) -> tuple[SessionRow, ...]:
    """The actor's own sessions in this body, the newest first."""
    rows = own_sessions(actor).order_by("-last_seen_at")[:50]
    return tuple(SessionRow(s.id, s.address, s.user_agent, s.created_at, s.last_seen_at, s.id == this) for s in rows)


def citizen(actor: Actor, citizen_id: UUID) -> CitizenFacts:
    """A citizen's account: one's own, or any for staff and jobs.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    if not (actor.is_staff or actor.is_system or actor.id == citizen_id):
        raise NotFound
    row = CitizenAccount.objects.filter(pk=citizen_id).first()
    if row is None:
        raise NotFound
    return CitizenFacts(row.id, row.name, row.email, row.trust_level, row.state, row.delete_after, bool(row.password))


def _current(now: datetime) -> QuerySet[Assignment]:
    return Assignment.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=now), body_id=current_body().id, valid_from__lte=now
    )


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key of a machine, without anything that would let one in."""

    id: UUID
    name: str
    lookup: str
    roles: tuple[str, ...]
    units: tuple[str, ...]
    may_write: bool
    created_at: datetime
    created_name: str
    expires_at: datetime
    last_used_on: date | None
    revoked_at: datetime | None
    is_valid: bool


def api_keys(actor: Actor, *, now: datetime) -> tuple[KeyRow, ...]:
    """The keys of the body's machines: those that let in first, each part by name. Raises policy.Denied."""
    policy.require(actor, Permission.MANAGE_KEYS)
    rows = [
        KeyRow(
            id=row.id,
            name=row.name,
            lookup=row.lookup,
            roles=tuple(row.roles),
            units=tuple(row.units),
            may_write=row.may_write,
            created_at=row.created_at,
            created_name=row.created_name,
            expires_at=row.expires_at,
            last_used_on=row.last_used_on,
            revoked_at=row.revoked_at,
            is_valid=row.revoked_at is None and row.expires_at > now,
        )
        for row in ApiKey.objects.order_by("name", "id")
    ]
    return tuple(sorted(rows, key=lambda row: not row.is_valid))


@dataclass(frozen=True, slots=True)
class AccessCounts:
    """AccessCounts (Zugangszahlen): how many people and citizens have access; counts, no names."""

    people: int
    mailboxes: int


def usage(actor: Actor, *, now: datetime) -> AccessCounts:
    """How many people of the staff have a current assignment, and how many citizens an open account with a mailbox.

    Raises:
        policy.Denied: for everybody but the platform's own jobs.
    """
    policy.require(actor, Permission.VIEW_PEOPLE, when=actor.is_system)
    people = _current(now).filter(person__is_active=True).values("person_id").distinct().count()
    return AccessCounts(people, CitizenAccount.objects.filter(state=CitizenAccount.State.ACTIVE).count())
