"""Forms of membership."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import rooms_for

ROOM_NAMES: dict[str, str | Promise] = {
    "citizenservices": _("Online services"),
    "records": _("Digital file"),
    "budget": _("Budget"),
    "costsharing": _("Cost sharing"),
    "membership": _("Alliance management"),
}


class RoomsForm(forms.Form):
    """Which rooms are switched on for a member."""

    rooms = forms.MultipleChoiceField(
        label=_("Rooms"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, kind: str, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["rooms"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(room, ROOM_NAMES[room]) for room in rooms_for(kind)]
