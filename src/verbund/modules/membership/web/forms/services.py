"""Forms of the catalogue of services and of the agreements."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import MeasuredUnit, PriceBasis
from verbund.modules.membership.web.forms.members import ROOM_NAMES

# The rooms that a service can switch on for a body; the others are the alliance's own.
_ROOMS = [(room, ROOM_NAMES[room]) for room in ("citizenservices", "records", "budget")]


def day(label: Any, help_text: Any = "", *, required: bool = True, earliest: int = 1990) -> forms.DateField:
    """A date field; a mistyped year is asked about before anything is recorded for it."""
    words = _("Please check the year.")
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        validators=[MinValueValidator(date(earliest, 1, 1), words), MaxValueValidator(date(2100, 12, 31), words)],
    )


class CatalogueFilter(forms.Form):
    """What of the catalogue is shown."""

    q = forms.CharField(label=_("Search"), max_length=100, required=False, widget=forms.TextInput({"type": "search"}))
    room = forms.ChoiceField(label=_("Switches on"), required=False, choices=[("", _("all rooms")), *_ROOMS])
    unit = forms.ChoiceField(label=_("Measured unit"), required=False, choices=[("", _("all")), *MeasuredUnit.choices])
    ended = forms.BooleanField(label=_("Also what is not offered any more"), required=False)


class VersionFields(forms.Form):
    """What a version of a service says."""

    name = forms.CharField(label=_("Name"), max_length=200)
    description = forms.CharField(label=_("What it contains"), max_length=10_000, widget=forms.Textarea({"rows": 6}))
    level = forms.CharField(
        label=_("Service level"),
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Hours, time to answer, availability."),
    )
    unit = forms.ChoiceField(label=_("Measured unit"), choices=MeasuredUnit.choices)
    price_basis = forms.ChoiceField(
        label=_("Price basis"), choices=PriceBasis.choices, help_text=_("The figures stand in the cost sharing.")
    )
    rooms = forms.MultipleChoiceField(
        label=_("Rooms it switches on"), required=False, choices=_ROOMS, widget=forms.CheckboxSelectMultiple
    )
    valid_from = day(_("Valid from"))
    valid_until = day(_("Last day"), required=False, help_text=_("Leave empty if it is open."))


class ServiceForm(VersionFields):
    """A new service."""

    field_order = ("code",)
    code = forms.RegexField(
        r"^[A-Z0-9][A-Z0-9.-]{0,39}\Z",
        label=_("Code"),
        max_length=40,
        help_text=_("Capital letters, digits, dot and hyphen, for example KERN-IT. It stays for ever."),
        error_messages={"invalid": _("Use capital letters, digits, dot and hyphen only, for example KERN-IT.")},
    )


class VersionForm(VersionFields):
    """A further version of a service; `version` is the service's as the editor saw it."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class EndServiceForm(forms.Form):
    """The end of a service."""

    last_day = day(_("Last day on which it is offered"))
    reason = forms.CharField(label=_("Reason"), max_length=300)
    version = forms.IntegerField(widget=forms.HiddenInput)


class AgreementFilter(forms.Form):
    """Which agreements are shown."""

    member = forms.ChoiceField(label=_("Body"), required=False)
    service = forms.ChoiceField(label=_("Service"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("all")), ("in_force", _("in force")), ("planned", _("planned")), ("ended", _("ended"))],
    )

    def __init__(self, *args: Any, members: list[tuple[str, str]], services: list[tuple[str, str]]) -> None:
        super().__init__(*args)
        offer(self, "member", [("", _("all")), *members])
        offer(self, "service", [("", _("all")), *services])


def offer(form: forms.Form, name: str, choices: list[tuple[Any, Any]]) -> None:
    """Set the choices of a field."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


class TermsFields(forms.Form):
    """What is agreed."""

    role = forms.ChoiceField(
        label=_("The body uses it"),
        choices=[("carrier", _("as a carrier")), ("co_user", _("as a co-user, without being a carrier"))],
        widget=forms.RadioSelect,
    )
    quantity_limit = forms.IntegerField(
        label=_("At most"),
        required=False,
        min_value=0,
        max_value=10**12,
        help_text=_("In the measured unit of the service. Leave empty if there is no limit."),
    )
    basis = forms.CharField(
        label=_("Contract or resolution it rests on"),
        max_length=300,
        help_text=_("For example: Contract of 25 September 2018, section 4."),
    )

    def terms(self) -> dict[str, Any]:
        """The terms as the services take them."""
        data = self.cleaned_data
        return {
            "as_carrier": data["role"] == "carrier",
            "quantity_limit": data["quantity_limit"],
            "basis": data["basis"],
        }


class AgreeForm(TermsFields):
    """A new agreement."""

    field_order = ("member_id", "service_code")
    member_id = forms.ChoiceField(label=_("Body"))
    service_code = forms.ChoiceField(label=_("Service"))
    valid_from = day(_("First day"))
    valid_until = day(_("Last day"), required=False, help_text=_("Leave empty if it is open."))

    def __init__(
        self, *args: Any, members: list[tuple[str, str]], services: list[tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        offer(self, "member_id", [("", _("Please choose")), *members])
        offer(self, "service_code", [("", _("Please choose")), *services])

    def values(self) -> dict[str, Any]:
        """What `services.agree_service` takes."""
        data = self.cleaned_data
        return {
            "member_id": UUID(data["member_id"]),
            **{name: data[name] for name in ("service_code", "valid_from", "valid_until")},
            **self.terms(),
        }


class ChangeAgreementForm(TermsFields):
    """A change from a day on; `version` is the agreement's as the editor saw it."""

    field_order = ("from_day",)
    from_day = day(_("From which day"), help_text=_("What is agreed now holds up to the day before."))
    version = forms.IntegerField(widget=forms.HiddenInput)


class EndAgreementForm(forms.Form):
    """The end of an agreement."""

    last_day = day(_("Last day on which the service is rendered"))
    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("For example the notice and its date."))
    version = forms.IntegerField(widget=forms.HiddenInput)
