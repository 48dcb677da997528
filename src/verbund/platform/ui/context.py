"""What every template knows: the body, the actor and the navigation, as `ui`, worked out only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from verbund.platform.identity.actor import Actor
from verbund.platform.identity.queries import names_of
from verbund.platform.tenancy.closing import ClosedRoom, room_of
from verbund.platform.tenancy.context import BodyFacts
from verbund.platform.ui.navigation import Entry, navigation


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


class Surroundings:
    """Surroundings of a page (Seitenrahmen). Touches no table but for the names of those one stands in for."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def _body(self) -> BodyFacts | None:
        tenant: Any = getattr(connection, "tenant", None)
        return tenant if isinstance(tenant, BodyFacts) else None

    @cached_property
    def _rooms(self) -> frozenset[str]:
        return self._body.rooms if self._body else frozenset()

    @cached_property
    def _actor(self) -> Actor | None:
        found: Any = getattr(self._request, "actor", None)
        return found if isinstance(found, Actor) else None

    @cached_property
    def body_name(self) -> str:
        """The body's name, "" outside of any body."""
        return self._body.name if self._body else ""

    @cached_property
    def body_initial(self) -> str:
        """The letter on the placeholder of the coat of arms: of the name proper, not of "Stadt" or "Amt"."""
        words = [w for w in self.body_name.split() if w.casefold() not in _TITLES] or self.body_name.split()
        return words[0][:1].upper() if words else "?"

    @cached_property
    def colours_url(self) -> str:
        """The body's style sheet; the colour is part of the address, so that it may be cached for long."""
        if not self._body:
            return ""
        return f"{reverse('ui:colours')}?{self._body.accent_colour.lstrip('#')}"

    @cached_property
    def actor_name(self) -> str:
        """Name of the signed-in person, "" for guests."""
        return self._actor.name if self._actor else ""

    @cached_property
    def role_names(self) -> list[str]:
        """The actor's roles in words."""
        return sorted(role_name(str(role)) for role in self._actor.roles) if self._actor else []

    @cached_property
    def unit_names(self) -> list[str]:
        """Codes of the actor's units."""
        return sorted(self._actor.units) if self._actor else []

    @cached_property
    def substitutes(self) -> list[str]:
        """Names of the people stood in for; one query, and only for those who stand in."""
        if not self._actor or not self._actor.substitutes:
            return []
        return sorted(names_of(self._actor, self._actor.substitutes).values()) or [gettext("an absent colleague")]

    @cached_property
    def closed_rooms(self) -> list[tuple[str, ClosedRoom]]:
        """The rooms that the body sees but may only read, by name."""
        if not self._body or not self._body.closed:
            return []
        return sorted((room_name(room), closed) for room, closed in self._body.closed.items() if room in self._rooms)

    @cached_property
    def closed_portal(self) -> list[tuple[str, ClosedRoom]]:
        """What of that concerns citizens: the room whose page the portal shows."""
        shown = room_of(resolve(self._request.path_info).func.__module__) if self.closed_rooms else ""
        return [(name, closed) for name, closed in self.closed_rooms if name == room_name(shown)]

    @cached_property
    def may_write(self) -> bool:
        """Whether the room whose page is shown takes changes: what only leads to a refusal is not offered."""
        return not self.closed_portal

    @cached_property
    def accent_colour(self) -> str:
        """The body's accent colour, "" outside of any body."""
        return self._body.accent_colour if self._body else ""

    @cached_property
    def standing(self) -> tuple[object, ...]:
        """What the menu under the person's name depends on beside the name: a key for what is kept of it."""
        return (self._actor.roles, self._actor.units, self.user_navigation) if self._actor else ()

    @cached_property
    def navigation(self) -> tuple[Entry, ...]:
        """Entries of the workspace, for staff only."""
        if not self._actor or not self._actor.is_staff:
            return ()
        return navigation("NAVIGATION", self._actor, self._request.path, self._rooms)

    @cached_property
    def navigation_list(self) -> str:
        """The navigation as markup, for wide and for narrow screens; the page keeps it."""
        return render_to_string("ui/navigation.html", {"entries": self.navigation})

    @cached_property
    def portal_navigation(self) -> tuple[Entry, ...]:
        """Entries of the portal."""
        return navigation("PORTAL_NAVIGATION", self._actor, self._request.path, self._rooms)

    @cached_property
    def user_navigation(self) -> tuple[Entry, ...]:
        """Entries of the menu under the person's name."""
        return navigation("USER_NAVIGATION", self._actor, self._request.path, self._rooms)

    @cached_property
    def home_url(self) -> str:
        """Where the mark at the top of the workspace leads."""
        return self.navigation[0].url if self.navigation else "/"

    @cached_property
    def sign_out_url(self) -> str:
        """Where signing out is posted to."""
        return _url("sign_out")


_TITLES = frozenset(
    {"stadt", "landeshauptstadt", "hansestadt", "amt", "landkreis", "kreis", "gemeinde", "zweckverband"}
)


def room_name(room: str) -> str:
    """A room's name for people, as the wiring has it."""
    names: Mapping[str, object] = import_string(settings.ROOM_NAMES)
    return str(names.get(room, room))


def role_name(role: str) -> str:
    """A role's name for people."""
    names = {
        "clerk": gettext("Clerk"),
        "registry": gettext("Registry"),
        "head_of_unit": gettext("Head of unit"),
        "service_editor": gettext("Service editor"),
        "budget_officer": gettext("Budget office"),
        "treasury_clerk": gettext("Treasury"),
        "treasurer": gettext("Head of treasury"),
        "auditor": gettext("Audit"),
        "data_protection_officer": gettext("Data protection officer"),
        "body_admin": gettext("Administration"),
        "alliance_manager": gettext("Alliance management"),
        "board_member": gettext("Administrative board"),
        "cost_controller": gettext("Cost accounting of the alliance"),
        "member_representative": gettext("Representative of a member"),
        "operator": gettext("Operations"),
    }
    return names.get(role, role)


def face(request: HttpRequest) -> dict[str, Surroundings]:
    """Context processor: `ui` in every template."""
    return {"ui": Surroundings(request)}
