"""`verbund body`: make a body ready to work, list the bodies, hand one over, take one in.

Every step may be repeated: a call that was cut off goes on where it stopped.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import installation
from .texts import _


def main(argv: Sequence[str]) -> int:
    """`verbund body add --name … --kind … --slug …`, `body list`, `body export SLUG`, `body import FOLDER`."""
    parser = argparse.ArgumentParser(prog="verbund body", description=_("Make a body ready to work."))
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help=_("list the bodies with hosts and schemas"))
    add = actions.add_parser("add", help=_("make a new body, or finish one whose making was cut off"))
    add.add_argument("--name", required=True, help=_("official name"))
    add.add_argument(
        "--kind", required=True, choices=["town", "amt", "county", "independent_city", "association", "alliance"]
    )
    add.add_argument("--slug", required=True, help=_("short name in addresses: small letters, digits, hyphens"))
    add.add_argument("--ags", default="", help=_("official municipality key (8 digits; 5 for a county)"))
    add.add_argument("--ars", default="", help=_("official regional key (12 digits)"))
    add.add_argument(
        "--schema", default="", help=_("name of the database schema; made from the short name when left out")
    )
    add.add_argument(
        "--host", action="append", default=[], help=_("host name, the first one is the primary; repeatable")
    )
    add.add_argument("--rooms", default="citizenservices,records,budget", help=_("rooms switched on, with commas"))
    add.add_argument("--admin-name", default="", help=_("first and last name of the first administrator"))
    add.add_argument("--admin-email", default="", help=_("e-mail address of the first administrator"))
    _moving(actions)
    chosen = parser.parse_args(argv)
    if chosen.action == "list":
        return _list()
    if chosen.action == "export":
        return _export(chosen)
    if chosen.action == "import":
        return _import(chosen)
    if chosen.action == "erase":
        return _erase(chosen)
    return _add(chosen)


def _moving(actions: Any) -> None:
    export = actions.add_parser("export", help=_("write everything of a body into a folder, in open formats"))
    export.add_argument("slug", help=_("short name of the body"))
    export.add_argument("--to", default="", help=_("the folder; it must not exist yet"))
    take = actions.add_parser("import", help=_("take in a body that another installation has exported"))
    take.add_argument("folder", help=_("the folder that `verbund body export` wrote"))
    take.add_argument(
        "--host", action="append", default=[], help=_("host name here instead of those in the archive; repeatable")
    )
    take.add_argument(
        "--manifest-sha256", default="", help=_("what the export printed: proves that the manifest is that one")
    )
    take.add_argument("--invite", action="store_true", help=_("send everybody a link to choose a password"))

    erase = actions.add_parser("erase", help=_("erase a body that was exported, with a certificate"))
    erase.add_argument("folder", help=_("the folder that `verbund body export` wrote"))
    erase.add_argument("--manifest-sha256", required=True, help=_("what the export printed"))
    erase.add_argument("--certificate", default=".", help=_("folder for the certificate; default: here"))
    erase.add_argument("--yes", action="store_true", help=_("do not ask"))


def _list() -> int:
    installation.enter()
    from verbund.platform.tenancy.models import Body, Host

    for body in Body.objects.order_by("-is_alliance", "name"):
        hosts = ", ".join(
            Host.objects.filter(tenant_id=body.id).order_by("-is_primary", "domain").values_list("domain", flat=True)
        )
        print(f"{body.schema_name:<32} {body.name}  [{hosts}]")
    return 0


def _add(chosen: argparse.Namespace) -> int:
    if bool(chosen.admin_name) != bool(chosen.admin_email):
        raise installation.Unready(_("Give --admin-name and --admin-email together."))
    installation.enter(owner=True)
    from django.core.exceptions import ValidationError

    from verbund.platform.tenancy import Conflict, Invalid, NotFound, bodies
    from verbund.platform.tenancy.models import Body

    schema = chosen.schema or chosen.slug.replace("-", "_")
    is_alliance = chosen.kind == "alliance"
    rooms = sorted(
        {room.strip() for room in chosen.rooms.split(",") if room.strip()} | ({"membership"} if is_alliance else set())
    )
    alliance = Body.objects.filter(is_alliance=True).first()
    if alliance is None and not is_alliance:
        raise installation.Unready(_("Make the alliance first: `verbund body add --kind alliance …`."))
    if is_alliance and alliance is not None and alliance.schema_name != schema:
        raise installation.Unready(
            _("There is an alliance already: {name}. An installation has one.").format(name=alliance.name)
        )
    hosts = chosen.host or ([f"{chosen.slug}.localhost"] if installation.is_embedded() else [])
    if not hosts:
        raise installation.Unready(_("Give the host name under which the body is reached: --host NAME."))
    try:
        body = bodies.create_body(
            schema_name=schema,
            slug=chosen.slug,
            name=chosen.name,
            kind=chosen.kind,
            hosts=hosts,
            ags=chosen.ags,
            ars=chosen.ars,
            is_alliance=is_alliance,
            rooms=rooms,
        )
        print(
            _("Body {name}: schema {schema}, hosts {hosts}").format(
                name=body.name, schema=schema, hosts=", ".join(hosts)
            )
        )
        as_app()
        _register(body, rooms)
        if chosen.admin_email:
            _administrator(body, chosen.admin_name, chosen.admin_email)
    except ValidationError as error:
        raise installation.Unready("; ".join(f"{k}: {' '.join(v)}" for k, v in error.message_dict.items())) from error
    except (Invalid, Conflict, NotFound) as error:
        raise installation.Unready(str(error)) from error
    return 0


def _export(chosen: argparse.Namespace) -> int:
    installation.enter(owner=True)
    from verbund.platform.tenancy import local_date, now

    from .leaving.exporting import export_body

    moment = now()
    target = Path(chosen.to or f"{chosen.slug}-{local_date(moment)}").absolute()
    done = export_body(os.environ["VERBUND_OWNER_DATABASE_URL"], chosen.slug, target, now=moment, progress=_progress())
    _progress()("")
    print(
        _("{tables} tables, {rows} rows, {contents} files, {size:.1f} MB in {folder}").format(
            tables=done.tables, rows=done.rows, contents=done.contents, size=done.bytes / 1e6, folder=done.folder
        )
    )
    print(_("SHA-256 of the manifest: {sha256}").format(sha256=done.manifest_sha256))
    return 0


def _import(chosen: argparse.Namespace) -> int:
    installation.enter(owner=True)
    from verbund.platform.tenancy import now
    from verbund.platform.tenancy.models import Body

    from .leaving.archive import NAMED, Spoilt
    from .leaving.restoring import import_body

    try:
        taken = import_body(
            os.environ["VERBUND_OWNER_DATABASE_URL"],
            Path(chosen.folder).absolute(),
            now=now(),
            hosts=chosen.host,
            manifest_sha256=chosen.manifest_sha256,
            progress=_progress(),
        )
    except Spoilt as spoilt:
        _progress()("")
        print(_("The archive cannot be taken in:"), file=sys.stderr)
        for fault in spoilt.faults[:NAMED]:
            print(f"  {fault}", file=sys.stderr)
        if len(spoilt.faults) > NAMED:
            print("  " + _("and {number} more").format(number=len(spoilt.faults) - NAMED), file=sys.stderr)
        return 1
    _progress()("")
    if taken.again:
        print(_("{name} was taken in from this archive before.").format(name=taken.name))
    else:
        print(
            _("{name}: {rows} rows, {contents} files, {people} people (known here before: {known})").format(
                name=taken.name, rows=taken.rows, contents=taken.contents, people=taken.people, known=taken.known
            )
        )
    body = Body.objects.get(schema_name=taken.schema_name)
    as_app()
    _register(body, body.rooms)
    if chosen.invite:
        print(_("Invited: {number}").format(number=_invite_all(body)))
    return 0


def _erase(chosen: argparse.Namespace) -> int:
    folder = Path(chosen.folder).absolute()
    if not chosen.yes and input(_("Type the name of the folder to erase the body: ")) != folder.name:
        raise installation.Unready(_("Nothing was erased."))
    installation.enter(owner=True)
    from verbund.platform.tenancy import now

    from .leaving.archive import NAMED, Spoilt
    from .leaving.erasing import erase_body

    try:
        erased = erase_body(
            os.environ["VERBUND_OWNER_DATABASE_URL"],
            folder,
            manifest_sha256=chosen.manifest_sha256,
            certificates=Path(chosen.certificate).absolute(),
            now=now(),
            progress=_progress(),
        )
    except Spoilt as spoilt:
        for fault in spoilt.faults[:NAMED]:
            print(f"  {fault}", file=sys.stderr)
        return 1
    _progress()("")
    print(_("{name} is erased. Certificate: {path}").format(name=erased.name, path=erased.certificate))
    print(_("SHA-256 of the certificate: {sha256}").format(sha256=erased.sha256))
    return 0


def _progress() -> Callable[[str], None]:
    """Tells on a terminal what is being done; elsewhere nothing."""
    if not sys.stderr.isatty():
        return lambda _text: None
    return lambda text: print(f"\r{text[:70]}\033[K", end="", file=sys.stderr, flush=True)


def _invite_all(body: Any) -> int:
    """Send everybody who works for the body at present and has no password a link to choose one; how many."""
    from verbund.platform.identity import services as identity
    from verbund.platform.identity.actor import Actor
    from verbund.platform.identity.models import Assignment, Person
    from verbund.platform.tenancy import acting_for, now

    moment = now()
    with acting_for(body):
        actor = Actor.system(body.schema_name, "verbund body import")
        current = Assignment.objects.filter(body_id=body.id, valid_from__lte=moment).exclude(valid_until__lte=moment)
        people = Person.objects.filter(is_active=True, password="", id__in=current.values("person_id"))
        for person in people:
            identity.invite_person(actor, person_id=person.id, now=moment)
    return len(people)


def as_app() -> None:
    """Go on as the role of web and worker: rooms are entered as it, never as the owner of the tables."""
    from django.db import connections

    from verbund.config.database import database

    os.environ.pop("VERBUND_AS_OWNER", None)
    connection: Any = connections["default"]
    connection.close()
    connection.settings_dict.update(database(os.environ))
    connection.set_schema_to_public()


def _register(body: Any, rooms: Sequence[str]) -> None:
    from verbund.modules.membership import services as membership
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for, now
    from verbund.platform.tenancy.models import Body

    alliance = Body.objects.get(is_alliance=True)
    with acting_for(alliance):
        actor = Actor.system(alliance.schema_name, "verbund body add")
        if membership.tie_tenant(actor, slug=body.slug, schema_name=body.schema_name, rooms=rooms, now=now()):
            return
        membership.register_body(
            Actor.system(alliance.schema_name, "verbund body add"),
            name=body.name,
            kind=body.kind,
            ags=body.ags,
            ars=body.ars,
            slug=body.slug,
            schema_name=body.schema_name,
            rooms=rooms,
            now=now(),
        )
    print(_("Entered in the alliance's list of members."))


def _administrator(body: Any, name: str, email: str) -> None:
    from django.db import transaction

    from verbund.platform.identity import services as identity
    from verbund.platform.identity.actor import Actor
    from verbund.platform.identity.local.models import Token
    from verbund.platform.identity.models import Person, normal_email
    from verbund.platform.identity.roles import Role
    from verbund.platform.identity.services.links import issue, url_of
    from verbund.platform.tenancy import Conflict, acting_for, now

    roles = [Role.BODY_ADMIN, *([Role.OPERATOR] if body.is_alliance else [])]
    moment = now()
    with acting_for(body):
        actor = Actor.system(body.schema_name, "verbund body add")
        for role in roles:
            try:
                identity.create_person(
                    actor, email=email, display_name=name, role=role, valid_from=moment, now=moment, invite=False
                )
            except Conflict:
                continue  # has it since an earlier call
        person = Person.objects.get(email=normal_email(email))
        print(_("Administrator {name}, {email}").format(name=person.display_name, email=person.email))
        if person.password and person.has_usable_password():
            return
        with transaction.atomic():
            secret = issue(Token.Kind.INVITATION, person.id, now=moment)
        print(_("Choose the password here (once, within seven days):"))
        print(f"  {url_of('staff_invitation', secret)}")
