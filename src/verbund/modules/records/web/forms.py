"""Forms: what people type, as values for the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from verbund.modules.records.models import CaseState, DocumentKind, EntryKind, MetadataField, MetadataKind
from verbund.platform.tenancy import Invalid
from verbund.platform.ui.once import OnceForm

META = "meta_"


class DateInput(forms.DateInput):
    """The browser's own field for a date."""

    input_type = "date"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%Y-%m-%d", **options)


class CaseFilterForm(forms.Form):
    """The filters of the list of cases."""

    text = forms.CharField(label=_("Text or reference"), required=False, max_length=300)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("All")), *CaseState.choices])
    unit = forms.ChoiceField(label=_("Unit"), required=False)
    deadline = forms.ChoiceField(
        label=_("Deadline"),
        required=False,
        choices=[("", _("All")), ("late", _("Late")), ("week", _("Within seven days"))],
    )
    mine = forms.BooleanField(label=_("Assigned to me only"), required=False)
    position = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, units: list[str]) -> None:
        super().__init__(data)
        chosen = self.data.get("unit", "")  # registry and audit may ask for any unit
        known = list(dict.fromkeys([*units, *([chosen] if chosen.isprintable() and 0 < len(chosen) <= 40 else [])]))
        unit = self.fields["unit"]
        assert isinstance(unit, forms.ChoiceField)
        unit.choices = [("", _("All")), *((u, u) for u in known)]
        self.key = (*(self.data.get(name) for name in self.fields), *known)  # what its markup depends on


class SearchForm(forms.Form):
    """The search field and its facets."""

    q = forms.CharField(label=_("What are you looking for?"), required=False, max_length=300)
    year = forms.TypedChoiceField(label=_("Year"), required=False, coerce=int, empty_value=None)
    unit = forms.ChoiceField(label=_("Unit"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All")), *EntryKind.choices])

    def __init__(self, data: Any, *, years: list[int], units: list[str]) -> None:
        super().__init__(data)
        year, unit = self.fields["year"], self.fields["unit"]
        assert isinstance(year, forms.TypedChoiceField)
        assert isinstance(unit, forms.ChoiceField)
        year.choices = [("", _("All")), *((y, str(y)) for y in years)]
        unit.choices = [("", _("All")), *((u, u) for u in units)]
        self.key = (*(self.data.get(name) for name in self.fields), *years, *units)  # what its markup depends on


class OpenCaseForm(OnceForm):
    """A new case; the metadata fields of the chosen position are added to it."""

    title = forms.CharField(label=_("Title"), max_length=300)
    position = forms.ChoiceField(label=_("Position of the file plan"))
    unit = forms.CharField(label=_("Unit"), max_length=40)
    party = forms.CharField(
        label=_("Party"), required=False, max_length=300, help_text=_("The person or body that the case is about.")
    )
    file_title = forms.CharField(
        label=_("Subject file"),
        required=False,
        max_length=300,
        help_text=_("Only if several cases on one subject belong together, such as a plot of land."),
    )
    promised_on = forms.DateField(label=_("Answer promised by"), required=False, widget=DateInput())

    def __init__(
        self, data: Any = None, *, positions: list[tuple[str, str]], fields: tuple[MetadataField, ...], **options: Any
    ) -> None:
        super().__init__(data, **options)
        position = self.fields["position"]
        assert isinstance(position, forms.ChoiceField)
        position.choices = [("", _("Please choose")), *positions]
        for field in fields:
            options = {"label": field["label"], "required": field["required"]}
            if field["kind"] == MetadataKind.DATE:
                made: forms.Field = forms.DateField(widget=DateInput(), **options)
            elif field["kind"] == MetadataKind.NUMBER:
                made = forms.IntegerField(**options)
            else:
                made = forms.CharField(max_length=300, **options)
            self.fields[META + field["name"]] = made

    def metadata(self) -> dict[str, Any]:
        """The values of the metadata fields, as the service takes them."""
        given = {k.removeprefix(META): v for k, v in self.cleaned_data.items() if k.startswith(META)}
        return {k: v if isinstance(v, int) else str(v) for k, v in given.items() if v not in (None, "")}


class FileDocumentForm(OnceForm):
    """A document to be filed."""

    content = forms.FileField(
        label=_("File to upload"), help_text=_("PDF, picture, text or office document; at most 25 MB.")
    )
    title = forms.CharField(label=_("Title"), max_length=300)
    kind = forms.ChoiceField(label=_("Kind"), choices=DocumentKind.choices, initial=DocumentKind.INCOMING)
    visible_to_party = forms.BooleanField(label=_("The party sees it in the portal"), required=False)


class AddVersionForm(forms.Form):
    """A new version of a document."""

    content = forms.FileField(label=_("File to upload"))
    expected_version = forms.IntegerField(widget=forms.HiddenInput)


class NoteForm(OnceForm):
    """A note for the timeline."""

    text = forms.CharField(label=_("Note"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))
    visible_to_party = forms.BooleanField(label=_("The party sees it in the portal"), required=False)


class CloseForm(forms.Form):
    """The end of a case."""

    retention_years = forms.IntegerField(
        label=_("Keep for years"),
        required=False,
        min_value=0,
        max_value=120,
        help_text=_("Leave empty for the period of the file plan."),
        widget=forms.NumberInput(attrs={"class": "vb-input--4"}),
    )


class ImportPlanForm(forms.Form):
    """A file plan as CSV."""

    csv = forms.FileField(
        label=_("CSV file"), help_text=_("Semicolons or commas, UTF-8. Nothing is imported if a line has an error.")
    )


class DeliveryForm(forms.Form):
    """How a printed letter left the house."""

    note = forms.CharField(label=_("Posted by"), max_length=200)


def take_errors(form: forms.Form, refused: Invalid) -> None:
    """Show a service's refusal at the fields it names; what is about no field of the form stands on top."""
    for name, message in refused.errors.items():
        field = name if name in form.fields else META + name if META + name in form.fields else None
        form.add_error(field, str(message))
