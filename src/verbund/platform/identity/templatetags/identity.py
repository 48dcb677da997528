"""Template filters of identity."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django import template

from verbund.platform.tenancy import local_date
from verbund.platform.ui.context import role_name as _role_name

register = template.Library()


@register.filter
def role_name(role: str) -> str:
    """A role in words."""
    return _role_name(role)


@register.filter
def at(names: Mapping[str, str], key: str) -> str:
    """The entry of a mapping, "" if there is none."""
    return names.get(key, "") if names else ""


@register.filter
def last_day(end: datetime) -> str:
    """The last legal day before a half-open end."""
    return local_date(end - timedelta(microseconds=1)).strftime("%d.%m.%Y")


@register.filter
def short_path(path: str) -> str:
    """A dotted name without the part that all have in common, breakable at its dots."""
    for start in ("verbund.modules.", "verbund.platform.", "verbund."):
        path = path.removeprefix(start)
    return path.replace(".", ".\N{ZERO WIDTH SPACE}")


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def device(user_agent: str) -> str:
    """Browser and system in two words, as far as the browser says so; else what it says."""
    found = [next((name for mark, name in table if mark in user_agent), "") for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found)) or user_agent[:60]
