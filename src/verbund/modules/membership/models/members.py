"""Members: the list of the bodies the alliance works for."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from verbund.platform.tenancy.models import BodyKind

ROOMS = ("citizenservices", "records", "budget", "membership")


class Member(models.Model):
    """Member (Mitglied): a body the alliance works for, as the alliance's management knows it.

    `schema_name` ties it to the body's technical side without a foreign key: no key crosses a schema.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    schema_name = models.CharField(max_length=48, unique=True)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=BodyKind.choices)
    ags = models.CharField(max_length=8, blank=True, validators=[RegexValidator(r"^(\d{5}|\d{8})?\Z")])
    ars = models.CharField(max_length=12, blank=True, validators=[RegexValidator(r"^(\d{5}|\d{9}|\d{12})?\Z")])
    rooms = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    registered_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["name", "id"], name="membership_by_name")]

    def __str__(self) -> str:
        return self.name
