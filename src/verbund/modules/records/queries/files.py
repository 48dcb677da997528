"""Reads of files."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.db.models import Q

from verbund.modules.records.policies import Permission, visible_files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound
from verbund.platform.tenancy.kept import KeptRows, given

from .cases import LARGEST_PAGE, CaseFilters, CaseRow, cases
from .pages import Page, date_key, read_instant_key
from .seen import reader_of

_FILE: Final = ("id", "reference", "title", "position__code", "opened_at")


class FileNotFound(NotFound):
    """There is no such file for this actor."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """FileRow (Zeile der Aktenliste)."""

    id: UUID
    reference: str
    title: str
    position_code: str
    opened_at: datetime


def files(actor: Actor, *, position: str = "", after: str | None = None, limit: int = 50) -> Page[FileRow]:
    """A page of the files, the newest first: registry and audit see all, others those with a case that they may see.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    limit = max(1, min(limit, LARGEST_PAGE))
    key = read_instant_key(after)
    asked = _file_list(reader_of(actor), limit, at_position=bool(position), is_later=key is not None)
    at, ident = key or (None, None)
    rows = [FileRow(*row) for row in asked.all(position=position, at=at, id=ident)]
    following = date_key(rows[limit - 1].opened_at, rows[limit - 1].id) if len(rows) > limit else None
    return Page(tuple(rows[:limit]), following)


@lru_cache(maxsize=512)
def _file_list(reader: Actor, limit: int, *, at_position: bool, is_later: bool) -> KeptRows:
    """The query of a page: `limit` rows and one more, those after (`at`, `id`) if it is a later page."""
    chosen = visible_files(reader)
    if at_position:
        chosen = chosen.filter(position__code=given("position"))
    if is_later:
        at, ident = given("at"), given("id")
        chosen = chosen.filter(Q(opened_at__lte=at) & (Q(opened_at__lt=at) | Q(id__lt=ident)))
    return KeptRows(chosen.order_by("-opened_at", "-id").values_list(*_FILE)[: limit + 1])


@lru_cache(maxsize=512)
def _one_file(reader: Actor) -> KeptRows:
    return KeptRows(visible_files(reader).filter(pk=given("file")).values_list(*_FILE))


def file(actor: Actor, file_id: UUID) -> FileRow:
    """One file.

    Raises:
        FileNotFound: also if the actor sees none of its cases.
        policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    for row in _one_file(reader_of(actor)).all(file=file_id):
        return FileRow(*row)
    raise FileNotFound(file_id)


def file_cases(actor: Actor, file_id: UUID, *, after: str | None = None, limit: int = 50) -> Page[CaseRow]:
    """A page of the cases of one file."""
    return cases(actor, filters=CaseFilters(file_id=file_id), after=after, limit=limit)
