"""The navigation shows what one may use, and where one is."""

from enum import StrEnum
from typing import Any

import pytest
from django.test import RequestFactory

from verbund.platform.identity import policy
from verbund.platform.identity.roles import Role
from verbund.platform.ui.context import Surroundings, role_name
from verbund.platform.ui.navigation import entries


class Permission(StrEnum):
    SEE_IMPRINT = "test.see_imprint"


policy.grant({Role.AUDITOR: {Permission.SEE_IMPRINT}})

WIRED: list[Any] = [
    ("Imprint", "ui:imprint", Permission.SEE_IMPRINT, "info"),
    ("Privacy", "ui:privacy", None, "info"),
    ("Elsewhere", "no:such-page", None, "info"),
]


def test_only_what_is_permitted_and_exists_is_shown(alpha: Any, staff: Any) -> None:
    assert [e.label for e in entries(WIRED, staff(Role.AUDITOR), "/")] == ["Imprint", "Privacy"]
    assert [e.label for e in entries(WIRED, staff(Role.CLERK), "/")] == ["Privacy"]
    assert [e.label for e in entries(WIRED, None, "/")] == ["Privacy"]
    assert [e.label for e in entries(WIRED, staff(Role.AUDITOR, body="beta"), "/")] == ["Privacy"]


def test_the_longest_address_that_fits_is_the_active_one(alpha: Any, staff: Any) -> None:
    wired: list[Any] = [("Work", "clerk_home", None, "home"), ("Inbox", "clerk_inbox", None, "inbox")]
    active = {
        path: [e.label for e in entries(wired, staff(), path) if e.active]
        for path in ("/arbeit/", "/arbeit/eingang/x/", "/")
    }
    assert active == {"/arbeit/": ["Work"], "/arbeit/eingang/x/": ["Inbox"], "/": []}


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("Stadt Ludwigslust", "L"),
        ("Amt Parchimer Umland", "P"),
        ("Amt", "A"),
        ("Landkreis Ludwigslust-Parchim", "L"),
        ("", "?"),
    ],
)
def test_the_shield_bears_the_letter_of_the_name_proper(name: str, letter: str) -> None:
    surroundings = Surroundings(RequestFactory().get("/"))
    surroundings.__dict__["body_name"] = name
    assert surroundings.body_initial == letter


def test_every_role_has_a_name_for_people() -> None:
    assert [role for role in Role if role_name(str(role)) == str(role)] == []
