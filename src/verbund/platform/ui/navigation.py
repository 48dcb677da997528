"""Navigation of the workspace and the portal: entries come from the wiring, only permitted ones are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import get_language

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy.context import connection

# (label, url name, permission or None, icon)
Wired = tuple[str | Promise, str, StrEnum | None, str]
_Shown = tuple[str, str, str]  # label, URL, icon


@dataclass(frozen=True)
class Entry:
    """One entry of a navigation as the template needs it."""

    label: str
    url: str
    icon: str
    active: bool


def wired(setting: str) -> list[Wired]:
    """The entries behind a setting, which holds a dotted path to a list, or the list itself, or is not there."""
    value: Any = getattr(settings, setting, ())
    return list(import_string(value) if isinstance(value, str) else value)


@cache
def _room(url: str) -> str:
    """The room whose view answers at `url`, "" for the platform's own pages."""
    parts = resolve(url).func.__module__.split(".")
    return parts[2] if parts[:2] == ["verbund", "modules"] else ""


def entries(
    listed: Iterable[Wired], actor: Actor | None, path: str, rooms: frozenset[str] | None = None
) -> list[Entry]:
    """The entries that `actor` may use; the one whose URL is the longest start of `path` is the active one.

    An entry whose room has no page here (its URL does not resolve), or is not among the `rooms` switched on for the
    body, is left out.
    """
    return list(_marked(_permitted(listed, actor, rooms), path))


def navigation(setting: str, actor: Actor | None, path: str, rooms: frozenset[str]) -> tuple[Entry, ...]:
    """As `entries`, of a setting. What somebody may use is worked out once for all with the same roles and rooms."""
    value = getattr(settings, setting, ())
    if not isinstance(value, str) or (actor is not None and actor.body != connection.schema_name):
        return tuple(entries(wired(setting), actor, path, rooms))
    who = (None, frozenset[Role]()) if actor is None else (actor.kind, actor.roles)
    return _marked(_shown(value, *who, rooms, get_language()), path)


@lru_cache(maxsize=512)
def _shown(
    wiring: str, kind: ActorKind | None, roles: frozenset[Role], rooms: frozenset[str], _language: str | None
) -> tuple[_Shown, ...]:
    # Policy looks at kind, roles and body; that the body is the connection's was asked before.
    actor = Actor(kind=kind, id=None, name="", body=connection.schema_name, roles=roles) if kind else None
    return _permitted(import_string(wiring), actor, rooms)


def _permitted(listed: Iterable[Wired], actor: Actor | None, rooms: frozenset[str] | None) -> tuple[_Shown, ...]:
    shown: list[_Shown] = []
    for label, name, permission, icon in listed:
        if permission is not None and (actor is None or not policy.allows(actor, permission)):
            continue
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        if rooms is None or not (room := _room(url)) or room in rooms:
            shown.append((str(label), url, icon))
    return tuple(shown)


def _marked(shown: tuple[_Shown, ...], path: str) -> tuple[Entry, ...]:
    active = max([url for _, url, _ in shown if path.startswith(url)], key=len, default="")
    return _entries(shown, active)


@lru_cache(maxsize=2048)
def _entries(shown: tuple[_Shown, ...], active: str) -> tuple[Entry, ...]:
    return tuple(Entry(label, url, icon, url == active) for label, url, icon in shown)
