"""Importing forms and code lists."""

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.gateways.genericode import read_code_list
from verbund.modules.citizenservices.gateways.xdatenfelder import read_form
from verbund.modules.citizenservices.models import CodeList, FormVersion
from verbund.modules.citizenservices.models.form import FormReport
from verbund.modules.citizenservices.policies import Permission
from verbund.modules.citizenservices.queries.forms import import_remarks, in_use
from verbund.platform import audit, files, xml
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, new_id


class VersionTaken(Conflict):
    """This version was imported before, with another content."""


@transaction.atomic
def import_form(actor: Actor, *, content: bytes, filename: str, now: datetime) -> FormReport:
    """Import a form (Datenschema, XDatenfelder 3.0.0) as an immutable form version; the source file is kept.

    The same form, version and content again gives the same form version and changes nothing. The report names what has
    no effect.

    Raises:
        xml.Refused (or its subclasses NotXDatenfelder3, BrokenSchema): with the reason, nothing was written.
        VersionTaken: the form is there in this version with another content.
        policy.Denied
    """
    policy.require(actor, Permission.IMPORT_FORM)
    read = read_form(content)
    definition = read.definition.to_json()
    digest = _digest(definition)
    known = FormVersion.objects.filter(form_id=read.definition.id, version=read.definition.version).first()
    if known is not None:
        if known.digest != digest:
            raise VersionTaken(
                _(
                    "Form %(form)s is already there in version %(version)s with another content. "
                    "Give the changed form a new version."
                )
                % {"form": known.form_id, "version": known.version}
            )
        return _report(known.id, read.unsupported, read.notes)
    stored = files.put(content, filename=filename, limit=xml.MAX_BYTES, allow=files.ANYTHING)
    version = FormVersion(
        id=new_id(),
        form_id=read.definition.id,
        version=read.definition.version,
        title=read.definition.title[:500],
        definition=definition,
        digest=digest,
        source=stored,
        filename=files.clean_filename(filename)[:255],
        unsupported=read.unsupported,
        notes=read.notes,
        imported_at=now,
        imported_by=actor.name,
    )
    version.save(force_insert=True)
    audit.record(
        actor,
        "citizenservices.form.imported",
        "citizenservices.form",
        version.id,
        after={"form": version.form_id, "version": version.version, "sha256": stored.sha256, "digest": digest},
    )
    return _report(version.id, read.unsupported, read.notes)


@transaction.atomic
def import_code_list(actor: Actor, *, content: bytes, filename: str, now: datetime) -> UUID:
    """Import a code list (Codeliste, OASIS genericode); forms that name it ask it as a choice from then on. Returns its
    id.

    Raises:
        xml.Refused (or its subclass NotGenericode), VersionTaken, policy.Denied
    """
    policy.require(actor, Permission.IMPORT_FORM)
    read = read_code_list(content)
    digest = _digest(read.rows)
    known = CodeList.objects.filter(version_urn=read.version_urn).first()
    if known is not None:
        if known.digest != digest:
            raise VersionTaken(
                _("Code list %(list)s is already there with another content.") % {"list": known.version_urn}
            )
        return known.id
    stored = files.put(content, filename=filename, limit=xml.MAX_BYTES, allow=files.ANYTHING)
    found = CodeList(
        id=new_id(),
        urn=read.urn,
        version=read.version,
        version_urn=read.version_urn,
        name=read.name[:300],
        columns=list(read.columns),
        key_column=read.key_column,
        name_column=read.name_column,
        entries=read.rows,
        digest=digest,
        source=stored,
        filename=files.clean_filename(filename)[:255],
        imported_at=now,
        imported_by=actor.name,
    )
    found.save(force_insert=True)
    audit.record(
        actor,
        "citizenservices.code_list.imported",
        "citizenservices.code_list",
        found.id,
        after={"list": found.version_urn, "entries": len(read.rows), "sha256": stored.sha256},
    )
    return found.id


def _report(form_version_id: UUID, unsupported: list[str], notes: list[str]) -> FormReport:
    missing, replaced = import_remarks(in_use(form_version_id))
    return FormReport(form_version_id, [*unsupported, *missing], [*notes, *replaced])


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
