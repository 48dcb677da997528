"""The search index: one row for each case and each document."""

from datetime import UTC, date, datetime
from typing import ClassVar, Final
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.ids import new_id

from .cases import Case
from .documents import Document

# How PostgreSQL makes the vector of {value}, a JSON object with the keys of `SearchWords`.
VECTOR: Final = (
    "(setweight(to_tsvector('pg_catalog.german', {value} ->> 'head'), 'A')"
    " || setweight(to_tsvector('pg_catalog.german', {value} ->> 'context'), 'C')"
    " || setweight(to_tsvector('pg_catalog.german', {value} ->> 'body'), 'B')"
    " || array_to_tsvector(string_to_array({value} ->> 'terms', ' ')))"
)

# Marks (Merkmale): lexemes that no text can have. By them the index of words answers also whose an entry is and when it
# happened. `records_findable` puts them to the words of the vector; they are kept nowhere else.
SEALED: Final = "@s"
SPAN: Final = 32  # days that share a mark, beside the one of each day
_FIRST: Final = date(2000, 1, 1)


def unit_mark(unit: str) -> str:
    """The mark of the entries of a unit."""
    return f"@u{unit}"


def person_mark(person: UUID) -> str:
    """The mark of the entries of cases assigned to a person."""
    return f"@p{person}"


def kind_mark(kind: str) -> str:
    """The mark of the entries of a kind."""
    return f"@k{kind}"


def day_marks(first: datetime, last: datetime) -> list[str]:
    """Marks of which every entry between two instants bears one: days, or for more than `SPAN` spans of days, so
    that some before the first bear one, too.
    """
    begin, end = ((at.astimezone(UTC).date() - _FIRST).days for at in (first, last))
    if end - begin < SPAN:
        return [f"@d{day}" for day in range(begin, end + 1)]
    return [f"@m{span}" for span in range(begin // SPAN, end // SPAN + 1)]


def findable() -> models.Func:
    """What an entry is found by: its words and its marks. Costly, and PostgreSQL knows it: it asks the index."""
    names = ("vector", "kind", "unit", "is_sealed", "assigned_to", "happened_at")
    return models.Func(*(models.F(name) for name in names), function="records_findable")


class EntryKind(models.TextChoices):
    """EntryKind (Trefferart)."""

    CASE = "case", _("Case")
    DOCUMENT = "document", _("Document")


class SearchEntry(models.Model):
    """SearchEntry (Sucheintrag): what can be found of a case or a document, with all that decides whether an actor
    may find it.

    Unit, seal and assignee are repeated from the case, so that a search is one index scan and no join; the services
    that change them on the case change them here in the same transaction. The columns decide; the marks made of them
    only spare looking at what they would refuse.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=EntryKind.choices)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", db_index=False)
    document = models.OneToOneField(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    unit = models.CharField(max_length=40)
    is_sealed = models.BooleanField(default=False)
    assigned_to = models.UUIDField(null=True, blank=True)
    year = models.PositiveSmallIntegerField()
    happened_at = models.DateTimeField()
    vector = SearchVectorField()

    written_as: ClassVar = {"vector": VECTOR}  # by `tenancy.rows.write`

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=models.Q(document__isnull=True), name="entry_per_case"),
        ]
        indexes = [
            # fastupdate off: what was filed is found at full speed at once, and no later search pays for merging a
            # pending list.
            GinIndex(findable(), name="entry_by_word_and_mark", fastupdate=False),
            models.Index(fields=["case"], name="entry_by_case"),
            models.Index(fields=["-happened_at", "-id"], name="entry_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_id}"
