"""The public tables of tenancy: bodies and their hosts."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin

from .closing import closed_of
from .context import BodyFacts
from .ids import new_id


class BodyKind(models.TextChoices):
    """BodyKind (Art der Körperschaft)."""

    TOWN = "town", _("Town")  # Stadt, Gemeinde
    MUNICIPAL_ASSOCIATION = "amt", _("Amt")  # Amt with the towns it administers
    COUNTY = "county", _("County")  # Landkreis
    INDEPENDENT_CITY = "independent_city", _("City")  # kreisfreie Stadt
    ASSOCIATION = "association", _("Special-purpose association")  # Zweckverband
    ALLIANCE = "alliance", _("IT alliance")  # gemeinsames Kommunalunternehmen (AöR)


class Body(TenantMixin):  # type: ignore[misc]  # django-tenants is untyped
    """Body (Körperschaft, Mandant): one public body with a schema and a database role of its own."""

    auto_create_schema = False  # `bodies.create_body` makes schema, role and rights as the owner

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema_name = models.CharField(max_length=48, unique=True, validators=[RegexValidator(r"^[a-z][a-z0-9_]{1,46}\Z")])
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=BodyKind.choices)
    ags = models.CharField(max_length=8, blank=True)  # Amtlicher Gemeindeschlüssel
    ars = models.CharField(max_length=12, blank=True)  # Amtlicher Regionalschlüssel
    is_alliance = models.BooleanField(default=False)
    rooms = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    # {room: {"since", "until", "why"}}: what the body may only read; its role cannot write there (`closing.py`)
    closed: "models.JSONField[dict[str, dict[str, str]], dict[str, dict[str, str]]]" = models.JSONField(
        default=dict, blank=True
    )
    accent_colour = models.CharField(max_length=7, default="#1d4b8f", validators=[RegexValidator(r"^#[0-9a-f]{6}\Z")])
    letterhead: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_alliance"], condition=models.Q(is_alliance=True), name="one_alliance"),
            models.CheckConstraint(condition=models.Q(kind__in=BodyKind.values), name="body_kind_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def facts(self) -> BodyFacts:
        """The body as values, for the connection and the request."""
        return BodyFacts(
            id=self.id,
            schema_name=self.schema_name,
            slug=self.slug,
            name=self.name,
            kind=self.kind,
            ags=self.ags,
            ars=self.ars,
            is_alliance=self.is_alliance,
            rooms=frozenset(self.rooms),
            closed=closed_of(self.closed),
            accent_colour=self.accent_colour,
            letterhead=dict(self.letterhead),
        )

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise RuntimeError("a body is never deleted by a model call; leaving the alliance is a procedure of its own")


class Blueprint(models.Model):
    """Blueprint (Bauplan): how a body's schema is made, as SQL (`blueprints.py`). The owner's alone: what stands here
    is run in its name."""

    digest = models.CharField(max_length=64, primary_key=True)  # of the migrations and rights it was made from
    tables = models.TextField()  # run with the new schema first in the search_path
    rights = models.TextField()  # `verbund_blueprint` stands for the schema's name
    migrations: "models.JSONField[list[list[str]], list[list[str]]]" = models.JSONField()  # pairs of app and name
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest


class Host(DomainMixin):  # type: ignore[misc]  # django-tenants is untyped
    """Host (Rechnername): a host name under which a body is reached."""

    def __str__(self) -> str:
        return str(self.domain)
