"""Forms of the budget room: they make plain values, nothing more."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from verbund.modules.budget.models import InboundInvoice, VoucherKind
from verbund.platform.ui.fields import amount

_DATE = {"type": "date"}


class AppropriationForm(forms.Form):
    """The appropriation of a line of the plan."""

    product = forms.ChoiceField(label=_("Product"))
    account = forms.ChoiceField(label=_("Account"))
    euros = amount(
        label=_("Appropriation in euros"),
        help_text=_("As the budget statute says. What stands there before is replaced; the history stays readable."),
    )

    def __init__(
        self, *args: Any, products: list[tuple[str, str]], accounts: list[tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        for name, choices in (("product", products), ("account", accounts)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("Please choose")), *choices]


class JournalFilter(forms.Form):
    """What the journal is narrowed to."""

    text = forms.CharField(label=_("Text"), required=False, max_length=100)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("all")), *VoucherKind.choices])
    series = forms.CharField(label=_("Series"), required=False, max_length=8)
    day_from = forms.DateField(label=_("Posted from"), required=False, widget=forms.DateInput(_DATE, "%Y-%m-%d"))
    day_to = forms.DateField(label=_("Posted to"), required=False, widget=forms.DateInput(_DATE, "%Y-%m-%d"))


class ItemFilter(forms.Form):
    """What the open items are narrowed to."""

    text = forms.CharField(label=_("Name, text or payment reference"), required=False, max_length=100)
    role = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[
            ("", _("all")),
            ("receivable", _("Receivables")),
            ("payable", _("Payables")),
            ("suspense_in", _("Unidentified receipts")),
            ("suspense_out", _("Unidentified payments")),
        ],
    )
    overdue = forms.BooleanField(label=_("only overdue"), required=False)


class AsOfForm(forms.Form):
    """The day up to which a report counts."""

    as_of = forms.DateField(label=_("As of"), required=False, widget=forms.DateInput(_DATE, "%Y-%m-%d"))


class StatementForm(forms.Form):
    """A bank statement to be imported."""

    file = forms.FileField(
        label=_("Bank statement (camt.053)"),
        help_text=_("The XML file as the bank provides it, at most 20 MB. A file can be imported again without harm."),
        error_messages={
            "required": _("Choose the file that the bank provided."),
            "empty": _("The file is empty. Fetch it from the bank again."),
        },
    )


class InvoiceForm(forms.Form):
    """An electronic invoice to be taken in."""

    file = forms.FileField(
        label=_("Electronic invoice"),
        help_text=_("XRechnung as XML (UBL or CII) or ZUGFeRD as PDF, at most 20 MB. The file is kept as it is."),
        error_messages={
            "required": _("Choose the file that the supplier sent."),
            "empty": _("The file is empty. Ask the supplier for a new one."),
        },
    )


class InboundFilter(forms.Form):
    """What the received invoices are narrowed to."""

    text = forms.CharField(label=_("Number or supplier"), required=False, max_length=100)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("all")), *InboundInvoice.State.choices])


class ReturnForm(forms.Form):
    """Why an invoice goes back to its supplier."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("For the supplier: what is wrong, and what a new invoice must say."),
        error_messages={"required": _("Say in a few words why.")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class ReasonForm(forms.Form):
    """Why a voucher is reversed or a claim cancelled; the reason becomes the text of the new voucher."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("It becomes the text of the new voucher."),
        error_messages={"required": _("Say in a few words why.")},
    )


class ClaimSearch(forms.Form):
    """Finding the claim that money belongs to."""

    text = forms.CharField(label=_("Payment reference, name or text of the claim"), required=False, max_length=100)
