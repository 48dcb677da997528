"""Form fields that more than one room has."""

import re
from typing import Any, Final

from django import forms

_THOUSANDS: Final = re.compile(r"-?\d{1,3}(\.\d{3})+")


class AmountField(forms.DecimalField):
    """A number as Germans write it: 1.234,50; a point before three places divides thousands."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace("\u00a0", "").replace(" ", "").replace("€", "")
            if "," in value or _THOUSANDS.fullmatch(value):
                value = value.replace(".", "").replace(",", ".")
        return super().to_python(value)


def amount(places: int = 2, **options: Any) -> AmountField:
    """An amount with a comma or a point."""
    widget = forms.TextInput({"inputmode": "decimal", "class": "vb-input--10"})
    return AmountField(max_digits=16, decimal_places=places, widget=widget, **options)
