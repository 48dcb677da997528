"""Markup that stands in every page many times: inputs, fields, rows of lists.

Made in Python and not by templates: a list with a filter form spent half of its time in the templates of Django's
widgets and in escaping through lazy wrappers. Every value is escaped here unless it is markup already.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from django import forms
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

_SPECIAL: Final = re.compile(r"""[&<>"']""").search
_PLAIN_INPUTS: Final = "django/forms/widgets/"
_INPUTS: Final = frozenset(
    f"{_PLAIN_INPUTS}{name}.html"
    for name in ("text", "number", "email", "url", "password", "hidden", "date", "time", "datetime", "file", "input")
)


def text(value: object) -> str:
    """A value as markup: escaped, unless it is markup already."""
    found = str(value)
    # Nearly every value has nothing to escape, and looking for all five signs at once is quicker than replacing each.
    return escape(found) if _SPECIAL(found) and not isinstance(found, SafeString) else found


def made(html: str) -> SafeString:
    """What was put together here with every value through `text`: the one place that calls such a string markup."""
    return SafeString(html)  # nosec B703 - see above; tests compare it with what Django's templates make of hostile values


def attributes(values: Mapping[str, Any]) -> str:
    """Attributes as they stand in a tag: true without a value, false and none not at all."""
    return "".join(
        f" {name}" if value is True else f' {name}="{text(value)}"'
        for name, value in values.items()
        if value is not None and value is not False
    )


def widget(field: BoundField, own: dict[str, Any]) -> SafeString:
    """The input of a field with `own` attributes; other widgets than the usual ones are left to their templates."""
    own_widget = field.field.widget
    if isinstance(own_widget, forms.MultiWidget):
        return field.as_widget(attrs=own)
    if field.field.localize:
        own_widget.is_localized = True
    attrs = field.build_widget_attrs(own, own_widget)
    if field.auto_id and "id" not in own_widget.attrs:
        attrs.setdefault("id", field.auto_id)
    shown = own_widget.get_context(field.html_name, field.value(), attrs)["widget"]
    name, template = text(shown["name"]), shown["template_name"]
    if template in _INPUTS:
        value = "" if shown["value"] is None else f' value="{text(shown["value"])}"'
        return made(f'<input type="{text(shown["type"])}" name="{name}"{value}{attributes(shown["attrs"])}>')
    if template == f"{_PLAIN_INPUTS}checkbox.html":
        value = "" if shown["value"] is None else f' value="{text(shown["value"])}"'
        return made(f'<input type="checkbox" name="{name}"{value}{attributes(shown["attrs"])}>')
    if template == f"{_PLAIN_INPUTS}textarea.html":
        value = "" if shown["value"] is None else text(shown["value"])
        return made(f'<textarea name="{name}"{attributes(shown["attrs"])}>\n{value}</textarea>')
    if template == f"{_PLAIN_INPUTS}select.html":
        groups = "".join(_group(label, found) for label, found, _index in shown["optgroups"])
        return made(f'<select name="{name}"{attributes(shown["attrs"])}>{groups}</select>')
    return field.as_widget(attrs=own)


def _group(label: object, found: list[dict[str, Any]]) -> str:
    rows = "".join(
        f'<option value="{text(row["value"])}"{attributes(row["attrs"])}>{text(row["label"])}</option>' for row in found
    )
    return f'<optgroup label="{text(label)}">{rows}</optgroup>' if label else rows
