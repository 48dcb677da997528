"""Forms of what the alliance knows of a body: one for each kind of entry; `values()` is what its service takes."""

import re
import unicodedata
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import FacilityKind, MemberKind, OrganKind

from .services import day

_day = partial(day, earliest=1900)  # a facility may be older than the law of the alliances

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


class MemberFilterForm(forms.Form):
    """Narrows the list of members."""

    text = forms.CharField(label=_("Name or official key"), required=False, max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All")), *MemberKind.choices])


class DayForm(forms.Form):
    """The day on which a body is looked at."""

    day = _day(_("As of"), required=False)


class RegisterForm(forms.Form):
    """A body that the alliance gets to know: a candidate, an authority, a town that an Amt administers."""

    name = forms.CharField(
        label=_("Name"), max_length=200, help_text=_("As the body writes itself, for example Stadt Wittenburg.")
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("", _("Please choose")), *((k, v) for k, v in MemberKind.choices if k != MemberKind.ALLIANCE)],
    )
    ags = forms.CharField(
        label=_("Official key (AGS)"),
        required=False,
        max_length=8,
        help_text=_("Eight digits with the leading zero, for example 13076089; five for a county."),
    )
    ars = forms.CharField(
        label=_("Regional key (ARS)"), required=False, max_length=12, help_text=_("Twelve digits; five for a county.")
    )
    slug = forms.SlugField(
        label=_("Short name"),
        required=False,
        max_length=40,
        help_text=_("Stands in addresses later. Left empty, it is made of the name."),
    )

    def values(self) -> dict[str, Any]:
        """What `services.register_body` takes."""
        data = dict(self.cleaned_data)
        return {**data, "slug": data["slug"] or short_name(data["name"])}


def short_name(name: str) -> str:
    """A name as it can stand in an address: "Stadt Lübz" -> "stadt-luebz"."""
    spelled = unicodedata.normalize("NFKD", name.lower().translate(_UMLAUTS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", spelled).strip("-")[:40].strip("-")


class EntryForm(forms.Form):
    """What is entered about a body. `others`: the bodies and organs that may be chosen, as (id, name)."""

    chooses: ClassVar[tuple[str, Any]] = ("", "")

    def __init__(self, *args: Any, others: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, label = self.chooses
        if name:
            choices = [("", _("Please choose")), *others]
            self.fields = {name: forms.ChoiceField(label=label, choices=choices), **self.fields}

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        return {name: UUID(value) if name == self.chooses[0] else value for name, value in self.cleaned_data.items()}


class InhabitantsForm(EntryForm):
    """Inhabitants on a reference date."""

    reference_date = _day(
        _("Reference date"), help_text=_("As the statistical office reports: 31 December or 30 June.")
    )
    count = forms.IntegerField(label=_("Inhabitants"), min_value=0, max_value=10_000_000)
    source = forms.CharField(
        label=_("Source"), max_length=200, help_text=_("For example the statistical report with its number.")
    )


class FacilityForm(EntryForm):
    """A building with its workplaces."""

    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Please choose")), *FacilityKind.choices])
    name = forms.CharField(label=_("Name"), max_length=200)
    street = forms.CharField(label=_("Street and number"), required=False, max_length=200)
    postcode = forms.RegexField(
        r"[0-9]{5}\Z",
        label=_("Postcode"),
        required=False,
        max_length=5,
        error_messages={"invalid": _("A postcode has five digits.")},
    )
    place = forms.CharField(label=_("Town"), required=False, max_length=100)
    workplaces = forms.IntegerField(label=_("Workplaces"), min_value=0, max_value=100_000, initial=0)
    valid_from = _day(_("First day"))


class OrganForm(EntryForm):
    """An organ."""

    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Please choose")), *OrganKind.choices])
    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("For example: Stadtvertretung Wittenburg."))


class TermForm(EntryForm):
    """Who holds a function in an organ."""

    chooses = ("organ_id", _("Organ"))
    person_name = forms.CharField(label=_("Name of the person"), max_length=200)
    function = forms.CharField(label=_("Function"), max_length=200)
    valid_from = _day(_("First day"))
    valid_until = _day(_("Last day"), required=False, help_text=_("Left empty, it is open."))


class ThresholdForm(EntryForm):
    """Up to which amount an organ decides."""

    chooses = ("organ_id", _("Organ"))
    matter = forms.CharField(
        label=_("Matter"), max_length=200, help_text=_("For example: contracts with the alliance.")
    )
    euro = forms.DecimalField(label=_("Up to, in euros"), min_value=0, max_digits=12, decimal_places=2)
    provision = forms.CharField(
        label=_("Provision"), max_length=200, help_text=_("For example § 4 (2) no. 5 of the Hauptsatzung.")
    )
    valid_from = _day(_("First day"), help_text=_("An amount that is still open for the matter ends the day before."))

    def values(self) -> dict[str, Any]:
        values = super().values()
        values["amount_cents"] = int(values.pop("euro") * 100)
        return values


class ContactForm(EntryForm):
    """Whom to call or write to."""

    name = forms.CharField(label=_("Name"), max_length=200)
    function = forms.CharField(label=_("Function"), required=False, max_length=200)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Telephone"), required=False, max_length=40)


class MediumForm(EntryForm):
    """Where the body publishes."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("For example the official gazette."))
    provision = forms.CharField(
        label=_("Provision"), required=False, max_length=200, help_text=_("Where the Hauptsatzung names it.")
    )
    valid_from = _day(_("First day"))


class AdministrationForm(EntryForm):
    """A town that an Amt administers."""

    chooses = ("town_id", _("Town it administers"))
    valid_from = _day(_("First day"))
    valid_until = _day(_("Last day"), required=False, help_text=_("Left empty, it is open."))


class EndForm(forms.Form):
    """The last day of an entry."""

    last_day = _day(_("Last day"))
