"""What the alliance knows of a body: whom it administers, its people, buildings, organs and rules."""

from datetime import date
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .members import Member
from .periods import ENDS_AFTER_BEGIN, never_twice


class Administration(models.Model):
    """Administration (Amtszugehörigkeit): an Amt administers a town on these days; one Amt at a time."""

    id = models.UUIDField(primary_key=True, editable=False)
    amt = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="administers")
    town = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="administered_by")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)  # the last day
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_administration_days"),
            models.CheckConstraint(condition=~Q(amt=F("town")), name="membership_administration_of_another"),
            never_twice("membership_one_administration", "town_id"),
        ]

    def __str__(self) -> str:
        return f"{self.amt_id} {self.town_id}"


class InhabitantFigure(models.Model):
    """InhabitantFigure (Einwohnerzahl): the inhabitants of a member on a reference date; of several figures for one
    date the one recorded last counts.
    """

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="inhabitant_figures")
    reference_date = models.DateField()
    count = models.PositiveIntegerField()
    source = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["member", "reference_date", "recorded_at"], name="membership_inhabitants_recorded_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.count} ({self.reference_date})"


class FacilityKind(models.TextChoices):
    """FacilityKind (Art der Einrichtung)."""

    ADMINISTRATION = "administration", _("Administration")  # Kernverwaltung
    OFFICE = "office", _("Branch office")
    SCHOOL = "school", _("School")
    OTHER = "other", _("Other facility")


class Facility(models.Model):
    """Facility (Einrichtung): a building of a member where people work with the alliance's IT."""

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="facilities")
    kind = models.CharField(max_length=20, choices=FacilityKind.choices)
    name = models.CharField(max_length=200)
    street = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=5, blank=True)
    place = models.CharField(max_length=100, blank=True)
    workplaces = models.PositiveIntegerField(default=0)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_facility_days"),
            never_twice("membership_one_facility", "member_id", "name"),
        ]

    def __str__(self) -> str:
        return self.name


class OrganKind(models.TextChoices):
    """OrganKind (Art des Organs)."""

    COUNCIL = "council", _("Council")  # Stadt-/Gemeindevertretung, Kreistag
    AMT_COMMITTEE = "amt_committee", _("Amt committee")  # Amtsausschuss
    MAIN_COMMITTEE = "main_committee", _("Main committee")  # Hauptausschuss
    COMMITTEE = "committee", _("Committee")  # Ausschuss
    HEAD = "head", _("Head of administration")  # Bürgermeister, Amtsvorsteher, Landrat
    ASSEMBLY = "assembly", _("Assembly")  # Verbandsversammlung


class Organ(models.Model):
    """Organ (Organ): a body decides and acts through it."""

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="organs")
    kind = models.CharField(max_length=20, choices=OrganKind.choices)
    name = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["member", "name"], name="membership_organ_once")
        ]

    def __str__(self) -> str:
        return self.name


class TermOfOffice(models.Model):
    """TermOfOffice (Amtszeit): a person, named as the body names them, holds a function in an organ."""

    id = models.UUIDField(primary_key=True, editable=False)
    organ = models.ForeignKey(Organ, on_delete=models.PROTECT, related_name="terms")
    person_name = models.CharField(max_length=200)
    function = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_term_days"),
            never_twice("membership_one_term", "organ_id", "person_name", "function"),
        ]
        indexes: ClassVar = [models.Index(fields=["valid_until"], name="membership_term_by_end")]

    def __str__(self) -> str:
        return self.person_name

    def is_valid_on(self, day: date) -> bool:
        """Whether the person holds the function on this day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Contact(models.Model):
    """Contact (Ansprechperson): whom the alliance calls or writes to."""

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(max_length=200)
    function = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    ended_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class CompetenceThreshold(models.Model):
    """CompetenceThreshold (Wertgrenze der Hauptsatzung): up to this amount the organ decides a matter itself."""

    id = models.UUIDField(primary_key=True, editable=False)
    organ = models.ForeignKey(Organ, on_delete=models.PROTECT, related_name="thresholds")
    matter = models.CharField(max_length=200)
    amount_cents = models.BigIntegerField(validators=[MinValueValidator(0)])
    provision = models.CharField(max_length=200)  # where it stands, as § 4 (2) no. 5 of the Hauptsatzung
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_threshold_days"),
            never_twice("membership_one_threshold", "organ_id", "matter"),
        ]

    def __str__(self) -> str:
        return f"{self.matter} {self.amount_cents}"


class PublicationMedium(models.Model):
    """PublicationMedium (Bekanntmachungsmedium): where the Hauptsatzung says that the body publishes its statutes."""

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="media")
    name = models.CharField(max_length=200)
    provision = models.CharField(max_length=200, blank=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_medium_days"),
            never_twice("membership_one_medium", "member_id", "name"),
        ]

    def __str__(self) -> str:
        return self.name
