"""Forms of cost sharing: they make plain values, nothing more."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from verbund.modules.costsharing import queries
from verbund.modules.costsharing.models import (
    ChargeRule,
    Charging,
    Component,
    CostItem,
    KeyKind,
    LegalBasis,
    PlanPart,
    RunKind,
)
from verbund.modules.costsharing.models.taxes import TREATMENTS
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.models import BodyKind
from verbund.platform.ui.fields import amount
from verbund.platform.ui.once import OnceForm

TREATMENT_NAMES = {
    "not_taxable_2b1": _("not taxable, § 2b (1) UStG"),
    "not_taxable_2b3_1": _("not taxable, § 2b (3) no. 1 UStG"),
    "not_taxable_2b3_2": _("not taxable, § 2b (3) no. 2 UStG"),
    "exempt_4_29": _("exempt, § 4 no. 29 UStG"),
    "taxable_19": _("taxable, 19 %"),
    "taxable_7": _("taxable, 7 %"),
    "bga_old_law": _("old law (§ 27 (22a) UStG)"),
}


def day(**options: Any) -> forms.DateField:
    """A date field."""
    return forms.DateField(widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"), **options)


class _Room(forms.Form):
    """A form that offers members, services or centres the actor may see."""

    nothing_chosen = _("Please choose")

    def __init__(self, *args: Any, actor: Actor, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists: dict[str, Callable[[], list[tuple[str, str]]]] = {
            "member_id": lambda: [(str(p.id), p.name) for p in queries.parties(actor)],
            "service_code": lambda: [(s.code, f"{s.code} {s.name}") for s in queries.catalogue(actor, today)],
            "centre": lambda: [
                (row.code, f"{row.code} {row.name}") for row in queries.cost_sheet(actor, today.year, planned=True).rows
            ],
            "key": lambda: [(key.code, key.name) for key in queries.prices(actor).keys],
        }
        for name, choices in lists.items():
            field = self.fields.get(name)
            if isinstance(field, forms.ChoiceField):
                field.choices = [("", str(self.nothing_chosen)), *choices()]


class YearForm(forms.Form):
    """The year of a new plan."""

    year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2100)


class LineForm(OnceForm, _Room):
    """A line of the plan."""

    part = forms.ChoiceField(label=_("Part of the plan"), choices=PlanPart.choices)
    text = forms.CharField(label=_("Text"), max_length=200)
    euros = amount(label=_("Amount in euros"))
    centre = forms.ChoiceField(label=_("Cost centre"), required=False, choices=[])


class PostForm(OnceForm, _Room):
    """A post of the plan."""

    title = forms.CharField(label=_("Post"), max_length=200)
    grade = forms.CharField(label=_("Pay grade"), max_length=20)
    fte = amount(label=_("Share of full time"))
    centre = forms.ChoiceField(label=_("Cost centre"), required=False, choices=[])


class ResolveForm(forms.Form):
    """The board's resolution on the plan."""

    resolution = forms.CharField(label=_("Resolution of the administrative board"), max_length=200)
    resolved_on = day(label=_("Resolved on"))


class CostForm(OnceForm, _Room):
    """Actual cost of a centre."""

    centre = forms.ChoiceField(label=_("Cost centre"), choices=[])
    text = forms.CharField(label=_("Text"), max_length=200)
    euros = amount(label=_("Amount in euros"))
    is_income = forms.BooleanField(label=_("This is other income"), required=False)


class MeasureFilter(_Room):
    """What the quantities are narrowed to."""

    nothing_chosen = _("all")

    member_id = forms.ChoiceField(label=_("Member"), required=False, choices=[])
    service_code = forms.ChoiceField(label=_("Service"), required=False, choices=[])


class MeasureForm(OnceForm, _Room):
    """A quantity for a member, a service and a period."""

    member_id = forms.ChoiceField(label=_("Member"), choices=[])
    service_code = forms.ChoiceField(label=_("Service"), choices=[])
    period_start = day(label=_("First day"))
    period_end = day(label=_("Last day"))
    quantity = amount(3, label=_("Quantity"))
    reason = forms.CharField(
        label=_("Reason of a correction"),
        required=False,
        max_length=300,
        help_text=_("The figure before stays readable."),
    )


class ImportForm(forms.Form):
    """A table of quantities."""

    file = forms.FileField(
        label=_("Table (CSV)"),
        help_text=_("Columns: Mitglied;Leistung;von;bis;Menge and, if you like, Grund. At most 5 MB."),
        error_messages={"required": _("Choose the table."), "empty": _("The file is empty.")},
    )
    reason = forms.CharField(label=_("Reason, where figures are corrected"), required=False, max_length=300)


class ItemForm(OnceForm, _Room):
    """A cost that is charged as it is."""

    member_id = forms.ChoiceField(label=_("Member"), choices=[])
    service_code = forms.ChoiceField(label=_("Service"), choices=[])
    kind = forms.ChoiceField(label=_("Kind"), choices=CostItem.Kind.choices)
    text = forms.CharField(label=_("Text"), max_length=300)
    performed_on = day(label=_("Performed on"))
    euros = amount(label=_("Net amount in euros"))
    subsidy = amount(label=_("Subsidy in it, in euros"), required=False)
    grant = forms.CharField(label=_("Notice of the subsidy"), required=False, max_length=200)
    document = forms.CharField(label=_("Supplier's invoice or account"), max_length=200)


class TariffForm(OnceForm, _Room):
    """A price from a day on."""

    service_code = forms.ChoiceField(label=_("Service"), choices=[])
    component = forms.ChoiceField(
        label=_("Component"), choices=[c for c in Component.choices if c[0] in ("base", "quantity")]
    )
    charging = forms.ChoiceField(label=_("Charged"), choices=Charging.choices)
    euros = amount(6, label=_("Price in euros"))
    valid_from = day(label=_("Valid from"))
    basis = forms.CharField(label=_("Resolution or calculation"), max_length=200)


class RuleForm(_Room):
    """How a service is charged."""

    service_code = forms.ChoiceField(label=_("Service"), choices=[])
    legal_basis = forms.ChoiceField(label=_("Legal basis"), choices=LegalBasis.choices)
    provision = forms.CharField(label=_("Clause, statute or resolution"), max_length=300)
    settled_by = forms.ChoiceField(label=_("Settlement of the year"), choices=ChargeRule.SettledBy.choices)
    bearers = forms.ChoiceField(label=_("Who bears it"), choices=ChargeRule.Bearers.choices)
    key = forms.ChoiceField(label=_("Key"), required=False, choices=[])
    levied = forms.BooleanField(label=_("Planned cost is shared by the key in advance"), required=False)


class TaxForm(OnceForm, _Room):
    """A reviewed tax treatment."""

    service_code = forms.ChoiceField(label=_("Service"), choices=[])
    recipient_kind = forms.ChoiceField(
        label=_("For bodies of the kind"), required=False, choices=[("", _("all others")), *BodyKind.choices]
    )
    treatment = forms.ChoiceField(label=_("Treatment"), choices=[(code, TREATMENT_NAMES[code]) for code in TREATMENTS])
    valid_from = day(label=_("For performance from"))
    reasoning = forms.CharField(label=_("Reasoning"), max_length=4000, widget=forms.Textarea({"rows": 4}))
    document = forms.CharField(label=_("File reference of the review"), max_length=300)
    reviewer = forms.CharField(label=_("Reviewed by"), max_length=200)
    reviewed_on = day(label=_("Reviewed on"))


class KeyForm(forms.Form):
    """A key of weighted parts."""

    code = forms.CharField(
        label=_("Code"), max_length=40, help_text=_("A short name without spaces, for example ARBEITSPLATZ.")
    )
    name = forms.CharField(label=_("Name"), max_length=200)
    justification = forms.CharField(
        label=_("Which use does it mirror?"), max_length=4000, widget=forms.Textarea({"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        weighed = str(_("Weights are compared with each other, for example 70 and 30. Empty: does not count."))
        for kind, label in KeyKind.choices:
            self.fields[f"weight_{kind}"] = amount(
                3, label=_("Weight: %(kind)s") % {"kind": label}, required=False, help_text=weighed
            )
            weighed = ""


class RunForm(forms.Form):
    """The days of a new run."""

    kind = forms.ChoiceField(label=_("Kind"), choices=RunKind.choices)
    period_start = day(label=_("First day"))
    period_end = day(label=_("Last day"))


class ReasonForm(forms.Form):
    """Why a run is discarded or an invoice taken back."""

    reason = forms.CharField(label=_("Reason"), max_length=200)


class AddressForm(forms.Form):
    """Where a member's invoices go."""

    street = forms.CharField(label=_("Street and number"), max_length=200)
    postcode = forms.CharField(
        label=_("Postcode"), max_length=12, widget=forms.TextInput({"inputmode": "numeric", "class": "vb-input--10"})
    )
    city = forms.CharField(label=_("Town"), max_length=100)
    leitweg_id = forms.CharField(
        label=_("Leitweg-ID"), max_length=46, help_text=_("As the member states it, for example 13076-0001-41.")
    )
    email = forms.EmailField(label=_("E-mail address for electronic invoices"), max_length=254)
    shows_name = forms.BooleanField(
        label=_("Others may see the name beside the unit cost"),
        required=False,
        help_text=_("Only if the member has agreed."),
    )


class ScenarioForm(OnceForm, _Room):
    """What a body would pay if it joined."""

    name = forms.CharField(label=_("Body"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=BodyKind.choices)
    joins_on = day(label=_("Would join on"))
    alone = amount(label=_("What it pays a year today, in euros"), required=False)
    change = amount(label=_("Cost of the change, once, in euros"), required=False)
    inhabitants = forms.IntegerField(label=_("Inhabitants"), required=False, min_value=0, max_value=10_000_000)
    workplaces = forms.IntegerField(label=_("Workplaces"), required=False, min_value=0, max_value=1_000_000)

    def __init__(self, *args: Any, actor: Actor, today: date, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, today=today, **kwargs)
        self.codes = {}
        for service in queries.catalogue(actor, today):
            name = f"quantity_{service.code}"
            self.codes[name] = service.code
            self.fields[name] = amount(3, label=_("Quantity: %(service)s") % {"service": service.name}, required=False)
