"""Members: the list of the bodies the alliance works for."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.models import BodyKind

ROOMS = ("citizenservices", "records", "budget", "costsharing", "membership")
ALLIANCE_ROOMS = frozenset({"membership", "costsharing"})  # only the alliance works in them


class MemberKind(models.TextChoices):
    """MemberKind (Art des Mitglieds): the kinds of bodies with a tenant, and those the alliance only deals with."""

    TOWN = BodyKind.TOWN.value, _("Town")  # Stadt, Gemeinde
    MUNICIPAL_ASSOCIATION = BodyKind.MUNICIPAL_ASSOCIATION.value, _("Amt")
    COUNTY = BodyKind.COUNTY.value, _("County")  # Landkreis
    INDEPENDENT_CITY = BodyKind.INDEPENDENT_CITY.value, _("City")  # kreisfreie Stadt
    ASSOCIATION = BodyKind.ASSOCIATION.value, _("Special-purpose association")  # Zweckverband
    ALLIANCE = BodyKind.ALLIANCE.value, _("IT alliance")
    SCHOOL_BOARD = "school_board", _("School board")  # Schulträger
    STATE_AUTHORITY = "state_authority", _("State authority")  # Landesbehörde, for example the supervisory authority


def rooms_for(kind: str) -> tuple[str, ...]:
    """The rooms that can be switched on for a member of this kind."""
    return ROOMS if kind == MemberKind.ALLIANCE else tuple(room for room in ROOMS if room not in ALLIANCE_ROOMS)


class Member(models.Model):
    """Member (Mitglied): a body the alliance works for, as the alliance's management knows it.

    `schema_name` ties it to the body's technical side without a foreign key: no key crosses a schema. It is empty
    until the body is provisioned: a candidate or an authority has none.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    schema_name = models.CharField(max_length=48, unique=True, null=True, blank=True)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=MemberKind.choices)
    ags = models.CharField(max_length=8, blank=True, validators=[RegexValidator(r"^(\d{5}|\d{8})?\Z")])
    ars = models.CharField(max_length=12, blank=True, validators=[RegexValidator(r"^(\d{5}|\d{9}|\d{12})?\Z")])
    rooms = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    registered_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["name", "id"], name="membership_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def body_kind(self) -> BodyKind:
        """The kind its tenant has; a school board works as a special-purpose association does."""
        return BodyKind(self.kind) if self.kind in BodyKind.values else BodyKind.ASSOCIATION
