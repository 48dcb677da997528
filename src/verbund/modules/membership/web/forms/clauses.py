"""Forms of the library of clauses."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import KNOWN_VALUES, ClauseKind


class ClauseForm(forms.Form):
    """A version of a clause; `expected_number` is the version the writer started from."""

    expected_number = forms.IntegerField(widget=forms.HiddenInput, initial=0, min_value=0, max_value=100_000)
    code = forms.CharField(
        label=_("Short name"),
        max_length=60,
        help_text=_("Small letters, digits and underscores; a later contract replaces the clause of the same name."),
    )
    title = forms.CharField(label=_("Title"), max_length=200)
    kinds = forms.MultipleChoiceField(
        label=_("Which content does the clause cover?"),
        choices=ClauseKind.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    text = forms.CharField(label=_("Text"), max_length=20_000, widget=forms.Textarea({"rows": 12}))
    source = forms.CharField(
        label=_("Legal source"), max_length=300, required=False, help_text=_("For example: § 167b Abs. 3 Nr. 1 KV M-V.")
    )

    def __init__(self, *args: Any, has_code: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["text"].help_text = _(
            "An empty line begins a new paragraph. A name in braces stands for a value; these are filled in by "
            "themselves: %(names)s."
        ) % {"names": ", ".join(f"{{{name}}}" for name in sorted(KNOWN_VALUES))}
        if has_code:
            del self.fields["code"]


class ReviewForm(forms.Form):
    """A review: with a note, if there is something to say."""

    note = forms.CharField(label=_("Note"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3}))
