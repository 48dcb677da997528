"""The search index: one row for each case and each document."""

from typing import ClassVar, Final

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


class EntryKind(models.TextChoices):
    """EntryKind (Trefferart)."""

    CASE = "case", _("Case")
    DOCUMENT = "document", _("Document")


class SearchEntry(models.Model):
    """SearchEntry (Sucheintrag): what can be found of a case or a document, with all that decides whether an actor
    may find it.

    Unit, seal and assignee are repeated from the case, so that a search is one index scan and no join; the services
    that change them on the case change them here in the same transaction.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=EntryKind.choices)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
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
            GinIndex(fields=["vector"], name="entry_by_word", fastupdate=False),
            models.Index(fields=["case"], name="entry_by_case"),
            models.Index(fields=["-happened_at", "-id"], name="entry_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_id}"
