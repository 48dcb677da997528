"""Forms of the clerks and of the service editors: text in, plain values out."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.citizenservices.models import ApplicationState, Outcome
from verbund.modules.citizenservices.models.offers import LetterTexts
from verbund.modules.citizenservices.queries.catalogue import ServiceSettings
from verbund.modules.citizenservices.queries.forms import ServiceTemplate
from verbund.modules.citizenservices.queries.views import InboxFilters
from verbund.modules.citizenservices.services.offers import ServiceConfiguration
from verbund.platform.tenancy import Invalid
from verbund.platform.ui.once import OnceForm

DATE = forms.DateInput(attrs={"type": "date", "class": "vb-input--10"}, format="%Y-%m-%d")
ANSWER_DAYS = 14
SEPARATOR = "|"


def day_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    """A day, as the browser's own picker sends it or as people type it."""
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=DATE,
        input_formats=["%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y"],
        error_messages={"invalid": _("Enter a date such as 24.12.2026.")},
    )


def tell(form: Any, refusal: Invalid, renamed: dict[str, str]) -> None:
    """A door's messages at the fields they belong to."""
    for name, text in refusal.errors.items():
        field = renamed.get(name, name)
        form.add_error(field if field in form.fields else None, str(text))


class EuroField(forms.CharField):
    """An amount in euros as people write it ("1.234,56"), as integer cents."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "class": "vb-input--10"}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Cents as they are shown in the input."""
        return f"{value // 100},{value % 100:02d}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Cents; an empty optional field is 0."""
        text = str(super().clean(value)).replace("€", "").replace("\xa0", "").replace(" ", "")
        if not text:
            return 0
        if not re.fullmatch(r"\d{1,3}(\.\d{3}){1,4}(,\d{1,2})?|\d{1,13}([.,]\d{1,2})?", text, re.ASCII):
            raise ValidationError(_("Enter an amount such as 30,70."), code="invalid")
        try:
            amount = Decimal(text.replace(".", "").replace(",", ".") if "," in text or _grouped(text) else text)
        except InvalidOperation as error:
            raise ValidationError(_("Enter an amount such as 30,70."), code="invalid") from error
        return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _grouped(text: str) -> bool:
    return re.fullmatch(r"\d{1,3}(\.\d{3})+", text) is not None


class LinesField(forms.CharField):
    """One entry per line, as a list without empty lines."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        """The lines that hold something."""
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]


class ParagraphsField(LinesField):
    """Paragraphs, parted by empty lines."""

    def prepare_value(self, value: Any) -> Any:
        """The list with empty lines between."""
        return "\n\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        """The paragraphs; a single line break inside of one is kept as a blank."""
        text = str(forms.CharField.clean(self, value)).replace("\r\n", "\n")
        return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


class FilterForm(forms.Form):
    """Filter of a list: state and service. Read, never refused: a value that is not offered does not select."""

    state = forms.ChoiceField(label=_("State"))
    service = forms.ChoiceField(label=_("Service"))

    def __init__(self, data: Any, *, services: list[tuple[str, str]]) -> None:
        super().__init__(initial={name: data.get(name, "") for name in ("state", "service")}, auto_id="filter_%s")
        self.given = data
        states = [(value, str(label)) for value, label in ApplicationState.choices]
        for name, offered in (("state", states), ("service", services)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("all")), *offered]

    def narrowed(self, filters: InboxFilters) -> InboxFilters:
        """The saved filter, narrowed by what was chosen."""
        state, service = (self._chosen(name) for name in ("state", "service"))
        if state:
            filters = replace(filters, state=state, undecided=False)
        return replace(filters, service_id=UUID(service)) if service else filters

    def _chosen(self, name: str) -> str:
        given = str(self.given.get(name, ""))
        field = self.fields[name]
        return given if given and isinstance(field, forms.ChoiceField) and field.valid_value(given) else ""


class AskForm(forms.Form):
    """A question to the applicant."""

    text = forms.CharField(
        label=_("Your question"),
        max_length=4000,
        help_text=_("Write what is missing and why you need it. The applicant reads exactly this text."),
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write your question.")},
    )
    answer_until = day_field(_("Answer until"), help_text=_("Usual are two weeks."))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["answer_until"].initial = today + timedelta(days=ANSWER_DAYS)

    def clean_answer_until(self) -> date:
        """A day in the future."""
        day: date = self.cleaned_data["answer_until"]
        if day <= self.today:
            raise ValidationError(_("Choose a day in the future."))
        return day


class DecideForm(forms.Form):
    """Grant or refuse; a refusal says why (§ 39 VwVfG M-V)."""

    outcome = forms.ChoiceField(
        label=_("Your decision"),
        choices=[
            (Outcome.GRANTED.value, _("Grant the application")),
            (Outcome.REFUSED.value, _("Refuse the application")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whether you grant or refuse.")},
    )
    reason = forms.CharField(
        label=_("Reasons"),
        required=False,
        max_length=8000,
        help_text=_("Stands in the letter. Needed for a refusal: name the facts and the rule you apply."),
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def clean(self) -> dict[str, Any]:
        """A refusal without a reason is not taken."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("outcome") == Outcome.REFUSED and not str(values.get("reason", "")).strip():
            self.add_error("reason", _("A refusal needs a reason. Write why you refuse."))
        return values


class ImportForm(forms.Form):
    """A file to import."""

    file = forms.FileField(label=_("File"), error_messages={"required": _("Choose a file.")})

    def __init__(self, *args: Any, accept: str, help_text: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["accept"] = accept
        self.fields["file"].help_text = help_text


class TemplateForm(OnceForm):
    """What a body says when it takes a service template over."""

    unit = forms.CharField(
        label=_("Responsible unit"), max_length=40, help_text=_("Code of the unit whose inbox it is.")
    )
    file_plan_position = forms.CharField(label=_("File plan position"), max_length=40)
    fee = EuroField(label=_("Fee in euros"), required=False)
    ledger = forms.CharField(label=_("Ledger"), required=False, max_length=40)
    product = forms.CharField(label=_("Product"), required=False, max_length=40)
    account = forms.CharField(label=_("Account"), required=False, max_length=40)

    def __init__(self, data: Any, *, template: ServiceTemplate) -> None:
        values = {name: template.values.get(name, "") for name in self.base_fields if name != "once"}
        super().__init__(data, initial={**values, "fee": int(template.values.get("fee_cents", 0))})

    def changes(self) -> dict[str, Any]:
        """The values that replace the template's."""
        given = dict(self.cleaned_data)
        cents = given.pop("fee")
        given.pop("once")
        return {**given, "fee_cents": cents}


class ServiceForm(OnceForm):
    """Everything a service needs beside its form."""

    form_version = forms.ChoiceField(label=_("Form"), help_text=_("Applications keep the version they were sent with."))
    title = forms.CharField(label=_("Title"), max_length=200, help_text=_("As a citizen would say it."))
    topic = forms.CharField(label=_("Topic"), max_length=100, help_text=_("Services of a topic stand together."))
    summary = forms.CharField(
        label=_("In one sentence"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Shown in lists."),
    )
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 6}))
    audience = forms.CharField(label=_("Who can apply"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    needed = LinesField(label=_("What one needs"), required=False, help_text=_("One entry per line."))
    search_words = LinesField(
        label=_("Other words for it"),
        required=False,
        help_text=_("One per line. The search finds the service by them."),
    )
    unit = forms.CharField(
        label=_("Responsible unit"), max_length=40, help_text=_("Code of the unit whose inbox it is.")
    )
    file_plan_position = forms.CharField(label=_("File plan position"), max_length=40)
    promised_days = forms.IntegerField(
        label=_("Promised processing time in days"),
        min_value=1,
        max_value=365,
        widget=forms.NumberInput(attrs={"class": "vb-input--4"}),
    )
    retention_years = forms.IntegerField(
        label=_("Retention period in years"),
        min_value=0,
        max_value=110,
        widget=forms.NumberInput(attrs={"class": "vb-input--4"}),
    )
    requires_sign_off = forms.BooleanField(label=_("A second person signs the decision"), required=False)
    attachments = LinesField(
        label=_("Documents to attach"),
        required=False,
        help_text=_("One per line: title | hint | required. Hint and the word required may be left out."),
    )
    fee = EuroField(label=_("Fee in euros"), required=False)
    fee_text = forms.CharField(label=_("Fee in words"), required=False, max_length=200)
    ledger = forms.CharField(label=_("Ledger"), required=False, max_length=40)
    product = forms.CharField(label=_("Product"), required=False, max_length=40)
    account = forms.CharField(label=_("Account"), required=False, max_length=40)
    payment_days = forms.IntegerField(
        label=_("Days to pay"), min_value=0, max_value=365, widget=forms.NumberInput(attrs={"class": "vb-input--4"})
    )
    legal_basis = forms.CharField(label=_("Legal basis"), required=False, max_length=1000)
    subject_grant = forms.CharField(label=_("Subject when granted"), required=False, max_length=300)
    grant = ParagraphsField(
        label=_("Text when granted"), required=False, help_text=_("An empty line parts paragraphs.")
    )
    subject_refuse = forms.CharField(label=_("Subject when refused"), required=False, max_length=300)
    refuse = ParagraphsField(label=_("Text when refused"), required=False, help_text=_("The reason follows by itself."))
    remedy = forms.CharField(
        label=_("Legal remedy"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )

    PLAIN = (
        *(
            "title",
            "topic",
            "summary",
            "description",
            "audience",
            "needed",
            "search_words",
            "unit",
            "file_plan_position",
        ),
        *("promised_days", "retention_years", "requires_sign_off", "fee_text", "ledger", "product", "account"),
        "payment_days",
    )
    LETTER = ("legal_basis", "subject_grant", "grant", "subject_refuse", "refuse", "remedy")
    SECTIONS = (
        (
            _("What citizens read"),
            "",
            ("title", "topic", "summary", "description", "audience", "needed", "search_words"),
        ),
        (_("Form and documents"), "", ("form_version", "attachments")),
        (
            _("How it is processed"),
            "",
            ("unit", "file_plan_position", "promised_days", "retention_years", "requires_sign_off"),
        ),
        (
            _("Fee"),
            _("A fee needs ledger, product and account: the claim is booked with the decision."),
            ("fee", "fee_text", "ledger", "product", "account", "payment_days"),
        ),
        (_("Texts of the decision"), "", LETTER),
    )

    def __init__(self, *args: Any, form_versions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["form_version"].choices = form_versions  # type: ignore[attr-defined]

    def sections(self) -> list[dict[str, Any]]:
        """The fields in the order of the page, under their headings."""
        return [
            {"title": title, "hint": hint, "fields": [self[name] for name in names]}
            for title, hint, names in self.SECTIONS
        ]

    def clean_attachments(self) -> list[dict[str, Any]]:
        """Title, help and whether it is required, of each line."""
        wanted = []
        for line in self.cleaned_data["attachments"]:
            title, *rest = (part.strip() for part in line.split(SEPARATOR))
            required = bool(rest) and rest[-1].casefold() in {"required", gettext("required").casefold()}
            if not title or len(title) > 200 or len(rest) > 2:
                raise ValidationError(_("This line cannot be read: %(line)s"), params={"line": line[:80]})
            hint = "" if not rest or (len(rest) == 1 and required) else rest[0]
            wanted.append({"title": title, "help": hint, "required": required})
        return wanted

    def clean(self) -> dict[str, Any]:
        """A fee needs a line of the budget."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("fee"):
            for name in ("ledger", "product", "account"):
                if not values.get(name):
                    self.add_error(name, _("Name it: there is a fee to be booked."))
        return values

    def configuration(self) -> ServiceConfiguration:
        """The plain values of a service, as its door wants them."""
        given = dict(self.cleaned_data)
        given.pop("once")
        letters = {name: given.pop(name) for name in self.LETTER}
        for name in ("needed", "search_words", "attachments"):
            given[name] = tuple(given[name])
        return ServiceConfiguration(
            form_version_id=UUID(given.pop("form_version")),
            fee_cents=given.pop("fee"),
            letters=cast(LetterTexts, {name: text for name, text in letters.items() if text}),
            **given,
        )

    @staticmethod
    def initial_of(service: ServiceSettings) -> dict[str, Any]:
        """A service's values as the form shows them."""
        words = {name: getattr(service, name) for name in ServiceForm.PLAIN}
        lines = [
            SEPARATOR.join(
                part
                for part in (
                    f"{a['title']} ",
                    f" {a['help']} " if a.get("help") else "",
                    " " + gettext("required") if a.get("required") else "",
                )
                if part
            ).strip()
            for a in service.attachments
        ]
        return {
            **words,
            **service.letters,
            "form_version": str(service.form_version_id),
            "fee": service.fee_cents,
            "attachments": lines,
        }
