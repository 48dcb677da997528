"""Template filters and tags of the face; docs/howto/ui.md shows each with an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django import forms, template
from django.contrib.messages.storage.base import Message
from django.forms.boundfield import BoundField
from django.http import HttpRequest
from django.template import Context
from django.template.defaultfilters import linebreaksbr
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from verbund.platform.identity import routes
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.clock import LEGAL_ZONE
from verbund.platform.ui import markup

register = template.Library()

UNDO = "undo:"
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"


# ---- Money and time -------------------------------------------------------------------------------------------------


@register.filter
def cents(value: int | str | None, currency: str = "€") -> str:
    """An amount of cents as people write it: 123456 -> "1.234,56 €" (English: "€1,234.56").

    ``None`` and "" give "". The sign is a real minus, so that red is never the only sign.
    """
    if value in (None, ""):
        return ""
    amount = Decimal(int(value)) / 100
    figure = f"{abs(amount):,.2f}"
    minus = MINUS if amount < 0 else ""
    if (translation.get_language() or "de").startswith("en"):
        return f"{minus}{currency}{figure}"
    german = figure.translate(str.maketrans(",.", ".,"))
    return f"{minus}{german}{NO_BREAK}{currency}" if currency else f"{minus}{german}"


def _legal_date(value: datetime | date) -> date:
    if isinstance(value, datetime):
        return value.astimezone(LEGAL_ZONE).date() if timezone.is_aware(value) else value.date()
    return value


@register.filter
def local_date(value: datetime | date | None) -> str:
    """The legal date (Europe/Berlin) in words of the language: "21. November 2026"; "" for nothing."""
    return "" if not value else date_format(_legal_date(value), "DATE_FORMAT")


@register.filter
def short_date(value: datetime | date | None) -> str:
    """The legal date for tables: "21.11.2026"."""
    return "" if not value else _legal_date(value).strftime("%d.%m.%Y")


@register.filter
def local_datetime(value: datetime | None) -> str:
    """Date and time of day in Europe/Berlin: "21.11.2026, 14:05"."""
    if not value:
        return ""
    moment = value.astimezone(LEGAL_ZONE) if timezone.is_aware(value) else value
    return moment.strftime("%d.%m.%Y, %H:%M")


@register.filter
def iso(value: datetime | date | None) -> str:
    """The machine's form for ``<time datetime>``."""
    return value.isoformat() if value else ""


@register.filter
def days_until(value: datetime | date | None, today: datetime | date | None = None) -> str:
    """A deadline in days: "in 3 days", "today", "2 days late"."""
    if not value:
        return ""
    left = days_left(value, today)
    if left > 0:
        return ngettext("in %(days)d day", "in %(days)d days", left) % {"days": left}
    if left == 0:
        return gettext("today")
    return ngettext("%(days)d day late", "%(days)d days late", -left) % {"days": -left}


@register.filter
def days_left(value: datetime | date, today: datetime | date | None = None) -> int:
    """Days from today (Europe/Berlin) to a date; negative when it has passed."""
    reference = _legal_date(today) if today else timezone.now().astimezone(LEGAL_ZONE).date()
    return (_legal_date(value) - reference) // timedelta(days=1)


@register.filter
def deadline_tone(value: datetime | date | None, today: datetime | date | None = None) -> str:
    """The tone of a deadline for ``ui/state_badge.html``: danger when late, warning within three days, else neutral."""
    if not value:
        return "neutral"
    left = days_left(value, today)
    return "danger" if left < 0 else "warning" if left <= 3 else "neutral"


@register.filter
def filesize(value: int | str | None) -> str:
    """A size for people: 345678 -> "338 kB", 5 MB as "5,0 MB"."""
    if value in (None, ""):
        return ""
    size = int(value)
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))}{NO_BREAK}kB"
    figure = f"{size / 1024 / 1024:.1f}"
    if not (translation.get_language() or "de").startswith("en"):
        figure = figure.replace(".", ",")
    return f"{figure}{NO_BREAK}MB"


# ---- Form fields ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldIds:
    """The ids that tie label, hint, error and input of one field together."""

    input: str
    hint: str
    error: str
    describedby: str


@dataclass(frozen=True)
class Option:
    """One radio button or checkbox of a choice field."""

    type: str
    name: str
    value: str
    label: str
    id: str
    selected: bool


@register.filter
def field_kind(field: BoundField) -> str:
    """How ``ui/field.html`` lays a field out: input, textarea, select, checkbox, choices or group."""
    widget = field.field.widget
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "checkbox"
    if isinstance(widget, forms.Select):
        return "select"
    if isinstance(widget, forms.MultiWidget | forms.SelectDateWidget):
        return "group"
    return "textarea" if isinstance(widget, forms.Textarea) else "input"


@register.filter
def field_ids(field: BoundField) -> FieldIds:
    """Ids of a field's parts; ``describedby`` names hint and error where they stand on the page."""
    base = field.auto_id or f"id_{field.html_name}"
    described = [f"{base}_hint"] if field.help_text else []
    if field.errors:
        described.append(f"{base}_error")
    return FieldIds(field.id_for_label or base, f"{base}_hint", f"{base}_error", " ".join(described))


@register.filter
def anchor(field: BoundField) -> str:
    """The id that an error's link points at: the input, or the first choice of a group."""
    if field_kind(field) in ("choices", "group"):
        return next((option.id for option in options(field)), field_ids(field).input)
    return field_ids(field).input


@register.filter
def options(field: BoundField) -> Iterator[Option]:
    """The choices of a radio or checkbox group, without an empty first one."""
    widget_type = "checkbox" if isinstance(field.field.widget, forms.CheckboxSelectMultiple) else "radio"
    for subwidget in field.subwidgets:
        data = subwidget.data
        attributes = data.get("attrs", {})
        if "value" not in data or data["value"] in ("", None):
            continue
        yield Option(
            widget_type,
            data["name"],
            str(data["value"]),
            str(data.get("label", "")),
            str(attributes.get("id", "")),
            bool(data.get("selected")),
        )


@register.simple_tag
def kern_widget(field: BoundField) -> SafeString:
    """The input itself with KERN's class, its description and its error state."""
    kind, ids = field_kind(field), field_ids(field)
    base = {"checkbox": "kern-form-check__checkbox", "select": "kern-form-input__select"}.get(
        kind, "kern-form-input__input"
    )
    own = str(field.field.widget.attrs.get("class", ""))
    attributes: dict[str, Any] = {
        "class": " ".join(filter(None, [base, own, f"{base}--error" if field.errors else ""]))
    }
    if ids.describedby:
        attributes["aria-describedby"] = ids.describedby
    if field.errors:
        attributes["aria-invalid"] = "true"
    return markup.widget(field, attributes)


@register.simple_tag
def kern_field(field: BoundField, own_label: object = "", own_hint: object = "") -> SafeString:
    """One input with label, hint and errors: what ``ui/field.html`` says for the usual kinds."""
    kind, ids, e = field_kind(field), field_ids(field), markup.text
    errors = list(field.errors)
    label = e(own_label or field.label)
    hint = e(own_hint or field.help_text)
    hint = f'<div class="kern-hint" id="{e(ids.hint)}">{hint}</div>' if hint else ""
    wrong = (
        f'<div class="kern-error" id="{e(ids.error)}"><span class="kern-icon kern-icon--danger" aria-hidden="true">'
        f'</span><p class="kern-body">{" ".join(e(error) for error in errors)}</p></div>'
        if errors
        else ""
    )
    begin = f'<div class="kern-form-input{" kern-form-input--error" if errors else ""} vb-field">'
    made, target = kern_widget(field), e(ids.input)
    if kind == "checkbox":
        check = f'<div class="kern-form-check">{made}<label class="kern-label" for="{target}">{label}</label></div>'
        return markup.made(f"{begin}{wrong}{check}{hint}</div>")
    if not field.field.required:
        label = f'{label} <span class="kern-label__optional">({e(gettext("optional"))})</span>'
    if kind == "select":
        made = markup.made(f'<div class="kern-form-input__select-wrapper">{made}</div>')
    return markup.made(f'{begin}<label class="kern-label" for="{target}">{label}</label>{hint}{wrong}{made}</div>')


# ---- Messages, tables -----------------------------------------------------------------------------------------------


@register.filter
def message_tone(message: Message) -> str:
    """KERN's tone of a Django message."""
    return {"error": "danger", "debug": "info"}.get(message.level_tag, message.level_tag)


@register.filter
def undo_url(message: Message) -> str:
    """The path that undoes what the message tells, or ""; set by ``notices.done(request, text, undo=…)``."""
    tag = message.extra_tags or ""
    path = tag.removeprefix(UNDO) if tag.startswith(UNDO) else ""
    return path if path.startswith("/") and not path.startswith("//") else ""


@register.filter
def is_in(number: int, listed: str | None) -> bool:
    """Whether a column's number stands in a list such as "3,4"."""
    return str(number) in str(listed or "").split(",")


@register.filter
def may_open(actor: Actor, url_name: str) -> bool:
    """Whether the page of this name lets the actor in: its own policy is asked, so that no link leads to a refusal."""
    return routes.may_open(actor, routes.view_named(url_name))


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of KERN or of our own; with a label it speaks, without one it is decoration."""
    classes = f"kern-icon kern-icon--{name} vb-icon--{name}"
    if label:
        return format_html('<span class="{}" role="img" aria-label="{}"></span>', classes, label)
    return format_html('<span class="{}" aria-hidden="true"></span>', classes)


@register.simple_tag
def badge(tone: str, label: object) -> SafeString:
    """A state as text, colour and shape; tones: info, success, warning, danger, neutral.

    A tag and no template of its own: lists have one in every row.
    """
    tone = markup.text(tone or "neutral")
    return markup.made(
        f'<span class="kern-badge kern-badge--small kern-badge--{tone} vb-badge"><span class="kern-icon kern-icon--'
        f'{"draft" if tone == "neutral" else tone}" aria-hidden="true"></span>'
        f'<span class="kern-label kern-label--small">{markup.text(label)}</span></span>'
    )


@register.simple_tag
def deadline(day: datetime | date | None) -> SafeString:
    """A deadline in days; a late or near one as a badge."""
    tone, text = deadline_tone(day), days_until(day)
    if tone == "neutral":
        return markup.made(f'<span class="vb-nowrap">{markup.text(text)}</span>')
    return badge(tone, text)


@register.simple_tag
def timeline_items(entries: Iterable[Any]) -> SafeString:
    """The items of ``ui/timeline.html``; an entry is an object or a mapping."""
    return markup.made("\n".join(_timeline_item(entry) for entry in entries))


def _timeline_item(entry: Any) -> str:
    e = markup.text
    of = entry.get if isinstance(entry, Mapping) else partial(getattr, entry)
    at, title = of("at"), of("title")
    tone, by, text, url, link = (of(name, None) for name in ("tone", "by", "text", "url", "link"))
    kind = f" vb-timeline__item--{e(tone)}" if tone else ""
    return (
        f'<li class="vb-timeline__item{kind}"><p class="vb-timeline__when"><time datetime="{iso(at)}">'
        f"{local_datetime(at)}</time>{' · ' + e(by) if by else ''}</p>"
        f'<p class="vb-timeline__title">{e(title)}</p>'
        + (f'<p class="vb-timeline__text">{linebreaksbr(text, autoescape=True)}</p>' if text else "")
        + (
            f'<p><a class="kern-link kern-link--small kern-link--no-visited-state" href="{e(url)}">{e(link or title)}'
            "</a></p>"
            if url
            else ""
        )
        + "</li>"
    )


@register.simple_tag
def hidden(field: BoundField) -> SafeString:
    """A hidden input."""
    return markup.widget(field, {})


# ---- Addresses ------------------------------------------------------------------------------------------------------

WORKSPACE = "/arbeit/"


@register.filter
def workspace_home(path: str | None) -> str:
    """Where an error page leads back to: the workspace for its addresses, else the start page."""
    return WORKSPACE if (path or "").startswith(WORKSPACE) else "/"


@register.simple_tag(takes_context=True)
def way_back(context: Context) -> str:
    """The page of this house the request came from, else its own path."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return "/"
    own, referrer = request.build_absolute_uri("/"), request.META.get("HTTP_REFERER", "")
    return "/" + referrer.removeprefix(own) if referrer.startswith(own) else request.path
