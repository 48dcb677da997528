"""What an archive says of a body and its people, checked as if a stranger had typed it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from verbund.commands.texts import _
from verbund.platform.identity.models import normal_email, normal_name
from verbund.platform.identity.roles import ALLIANCE_ROLES, Role
from verbund.platform.tenancy.models import Body

from . import archive as parts
from .archive import Archive, Spoilt

_KEPT_BY_ALLIANCE: Final = frozenset({"membership", "costsharing"})
_LETTERHEAD: Final = re.compile(r"[a-z_]{1,40}\Z")


def facts_of(archive: Archive) -> dict[str, Any]:
    """The body's row and hosts, checked as a body made here would be."""
    values = archive.json(parts.BODY)
    try:
        facts: dict[str, Any] = {
            key: _text(values[key]) for key in ("schema_name", "slug", "name", "kind", "ags", "ars")
        }
        facts["id"] = UUID(_text(values["id"]))
        facts["accent_colour"] = _text(values["accent_colour"])
        facts["letterhead"] = {_key(key): _text(value) for key, value in _mapping(values["letterhead"]).items()}
        facts["rooms"] = sorted({_text(room) for room in values["rooms"]} - _KEPT_BY_ALLIANCE)
        facts["hosts"] = [_text(host).lower() for host in values["hosts"]]
        is_alliance = values["is_alliance"]
        told = archive.manifest.body
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Spoilt([_("{path}: not the facts of a body").format(path=parts.BODY)]) from error
    if is_alliance is not False or facts["kind"] == "alliance":
        raise Spoilt([_("{path}: an alliance is not taken in by another one").format(path=parts.BODY)])
    if (str(facts["id"]), facts["schema_name"], facts["slug"]) != (told["id"], told["schema_name"], told["slug"]):
        raise Spoilt([_("{path}: speaks of another body than the manifest").format(path=parts.BODY)])
    rooms = {app.removeprefix("verbund.modules.") for app in settings.TENANT_APPS}
    if set(facts["rooms"]) - rooms:
        raise Spoilt([_("{path}: names rooms that this installation does not have").format(path=parts.BODY)])
    if facts["schema_name"].startswith("pg_") or facts["schema_name"] in {"public", "information_schema"}:
        raise Spoilt([_("{path}: the schema name is PostgreSQL's own").format(path=parts.BODY)])
    body = Body(**{key: value for key, value in facts.items() if key != "hosts"})
    try:
        body.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise Spoilt(
            [f"{parts.BODY}: {field}: {' '.join(messages)}" for field, messages in error.message_dict.items()]
        ) from error
    return facts


def people_of(archive: Archive) -> dict[str, list[dict[str, Any]]]:
    """People and assignments, each value checked; roles are those a member's people can have."""
    values = archive.json(parts.PEOPLE)
    faults: list[str] = []
    people, assignments = [], []
    try:
        for row in values["people"]:
            person = {
                "id": UUID(_text(row["id"])),
                "email": normal_email(_text(row["email"])),
                "display_name": normal_name(_text(row["display_name"])),
                "is_active": row["is_active"] is True,
                "created_at": _moment(row["created_at"]),
            }
            validate_email(str(person["email"]))
            if not 2 <= len(str(person["display_name"])) <= 200:
                faults.append(_("{path}: a person without a name").format(path=parts.PEOPLE))
            people.append(person)
        ids = {person["id"] for person in people}
        for row in values["assignments"]:
            role, person_id = _text(row["role"]), UUID(_text(row["person"]))
            if role not in set(Role) - ALLIANCE_ROLES:
                faults.append(
                    _("{path}: the role {role} does not exist for a body").format(path=parts.PEOPLE, role=role)
                )
            if person_id not in ids:
                faults.append(_("{path}: an assignment of nobody").format(path=parts.PEOPLE))
            until = row["valid_until"]
            assignments.append(
                {
                    "id": UUID(_text(row["id"])),
                    "person_id": person_id,
                    "unit": _text(row["unit"])[:40],
                    "role": role,
                    "valid_from": _moment(row["valid_from"]),
                    "valid_until": None if until is None else _moment(until),
                    "created_at": _moment(row["created_at"]),
                }
            )
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise Spoilt([_("{path}: not the people of a body").format(path=parts.PEOPLE)]) from error
    if len({person["email"] for person in people}) < len(people) or len(ids) < len(people):
        faults.append(_("{path}: a person stands there twice").format(path=parts.PEOPLE))
    if faults:
        raise Spoilt(faults)
    return {"people": people, "assignments": assignments}


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1000 or "\x00" in value:
        raise TypeError("text")
    return value


def _key(value: Any) -> str:
    if not _LETTERHEAD.match(_text(value)):
        raise ValueError("key")
    return str(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or len(value) > 40:
        raise TypeError("mapping")
    return value


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("moment")
    return moment
