"""Who may do what with records, and what may be seen at all."""

from enum import StrEnum
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role

from .models import Case, CaseReader, File, SearchEntry
from .models.search import SEALED, person_mark, unit_mark


class Permission(StrEnum):
    """Permission (Berechtigung) in records."""

    READ_CASE = "records.read_case"
    OPEN_CASE = "records.open_case"
    FILE_DOCUMENT = "records.file_document"
    FILE_BELATEDLY = "records.file_belatedly"  # nobody's but the system's: what a crash has delayed
    ISSUE_LETTER = "records.issue_letter"
    DELIVER_LETTER = "records.deliver_letter"
    ASSIGN_CASE = "records.assign_case"
    CLOSE_CASE = "records.close_case"
    SEAL_CASE = "records.seal_case"
    READ_FILE_PLAN = "records.read_file_plan"
    MANAGE_FILE_PLAN = "records.manage_file_plan"


_CLERK = frozenset(
    {
        Permission.READ_CASE,
        Permission.OPEN_CASE,
        Permission.FILE_DOCUMENT,
        Permission.ISSUE_LETTER,
        Permission.DELIVER_LETTER,
        Permission.ASSIGN_CASE,
        Permission.CLOSE_CASE,
        Permission.READ_FILE_PLAN,
    }
)
# What a citizen or guest does here, they do through the process that opened the case and that names its origin.
_PARTY = frozenset({Permission.OPEN_CASE, Permission.FILE_DOCUMENT, Permission.READ_CASE, Permission.CLOSE_CASE})

GRANTS: dict[Role | ActorKind, frozenset[Permission]] = {
    Role.CLERK: _CLERK,
    Role.HEAD_OF_UNIT: _CLERK | {Permission.SEAL_CASE},
    Role.REGISTRY: _CLERK | {Permission.SEAL_CASE, Permission.MANAGE_FILE_PLAN},
    Role.AUDITOR: frozenset({Permission.READ_CASE, Permission.READ_FILE_PLAN}),
    Role.DATA_PROTECTION_OFFICER: frozenset({Permission.READ_FILE_PLAN}),
    Role.SERVICE_EDITOR: frozenset({Permission.READ_FILE_PLAN}),
    Role.BODY_ADMIN: frozenset({Permission.READ_FILE_PLAN, Permission.MANAGE_FILE_PLAN}),
    ActorKind.CITIZEN: _PARTY,
    ActorKind.GUEST: _PARTY,
}
policy.grant(GRANTS)

_SEES_ALL_UNITS = frozenset({Role.REGISTRY, Role.AUDITOR})


def sees_all_units(actor: Actor) -> bool:
    """Whether the actor sees the unsealed cases of every unit: registry and audit do, and the machine."""
    return actor.is_system or (actor.is_staff and not actor.roles.isdisjoint(_SEES_ALL_UNITS))


def stands_for(actor: Actor) -> frozenset[UUID]:
    """The people as whom the actor is assigned cases: itself and those it stands in for."""
    return actor.substitutes | ({actor.id} if actor.id is not None else frozenset())


def visible_branches(actor: Actor, origin: str | None = None, *, case: str = "pk", unit: str = "") -> list[Q]:
    """What `actor` may see, as conditions that exclude each other, so that each can be answered from one index.

    Staff: the cases of its units, and those assigned to it or to somebody it stands in for; registry and audit:
    those of all units. A sealed case exists only for those it is assigned to and its named readers. Citizens and
    guests: only the cases of the process that asks for them and names their `origin`; that process has checked who
    they are.

    `case` is the name of the field with the case's id in the table asked; `unit` narrows to one unit.
    """
    narrowed = Q(unit=unit) if unit else Q()
    if actor.is_system:
        return [narrowed]
    if not actor.is_staff:
        return [narrowed & Q(origin=origin)] if origin and case == "pk" else []
    if not policy.allows(actor, Permission.READ_CASE):
        return []
    units = sorted(actor.units)
    people = sorted(stands_for(actor))
    if sees_all_units(actor):
        branches = [narrowed & Q(is_sealed=False)]
        within = Q(is_sealed=False)
    else:
        branches = [Q(unit=own, is_sealed=False) for own in units if unit in ("", own)]
        within = Q(unit__in=units, is_sealed=False)
    if people:
        # Where the actor sees what is not sealed anyway, only what is sealed is left: an index of few cases.
        left = Q(is_sealed=True) if unit in actor.units or sees_all_units(actor) else ~within
        branches.append(narrowed & Q(assigned_to__in=people) & left)
        named = CaseReader.objects.filter(person__in=people).values("case_id")
        elsewhere = Q(assigned_to__isnull=True) | ~Q(assigned_to__in=people)
        branches.append(narrowed & Q(is_sealed=True, **{f"{case}__in": named}) & elsewhere)
    return branches


def visible_cases(actor: Actor, origin: str | None = None) -> "QuerySet[Case]":
    """The cases (sichtbare Vorgänge) that exist for `actor`: see `visible_branches`. `origin` narrows for staff,
    too.
    """
    branches = visible_branches(actor, origin)
    if not branches:
        return Case.objects.none()
    cases = Case.objects.filter(reduce(or_, branches))
    return cases if origin is None else cases.filter(origin=origin)


def visible_entries(actor: Actor) -> "QuerySet[SearchEntry]":
    """What a search of `actor` may find: the entries of its visible cases, decided on the entry's own row."""
    branches = visible_branches(actor, case="case_id")
    if not branches:
        return SearchEntry.objects.none()
    return SearchEntry.objects.filter(reduce(or_, branches))


def visible_marks(actor: Actor) -> tuple[str, ...]:
    """The marks of which every entry in `visible_entries` bears one; none for those who see the entries of all units.

    Every sealed entry bears the mark of the seal: whether it is the actor's is for `visible_entries`.
    """
    if sees_all_units(actor):
        return ()
    return (*map(unit_mark, sorted(actor.units)), *map(person_mark, sorted(stands_for(actor))), SEALED)


def visible_files(actor: Actor) -> "QuerySet[File]":
    """The files (sichtbare Akten): registry, audit and others of the staff see those with a case that they may see."""
    if actor.is_system:
        return File.objects.all()
    if not actor.is_staff:
        return File.objects.none()
    # Each branch is asked by itself: the index that answers it says for one file in no time whether there is a case.
    seen = [Exists(Case.objects.filter(branch, file=OuterRef("pk"))) for branch in visible_branches(actor)]
    return File.objects.filter(reduce(or_, map(Q, seen))) if seen else File.objects.none()
