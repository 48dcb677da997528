"""Forms as they are used: the definition with its code lists filled in, and its pages."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from verbund.modules.citizenservices.models import CodeList, FormVersion, OnlineService
from verbund.modules.citizenservices.models.checking import typed
from verbund.modules.citizenservices.models.form import Code, CodeListReference, FormDefinition, Step
from verbund.modules.citizenservices.models.sample import SampleFile, sample_files, valid_answers
from verbund.modules.citizenservices.policies import Permission, visible_services
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound, current_body
from verbund.platform.tenancy.shelf import Shelf

# What a process keeps of the forms of all its bodies, in characters of JSON; as objects they take five times that.
_DEFINITIONS: "Final[Shelf[FormDefinition]]" = Shelf(6_000_000)
_RESOLVED: "Final[Shelf[FormInUse]]" = Shelf(3_000_000)
FORMS: Final = Path(__file__).resolve().parents[1] / "forms"


class FormNotFound(NotFound):
    """There is no such form version."""


@dataclass(frozen=True, slots=True)
class FormInUse:
    """A form ready to be asked: with code lists, the service's own attachments, and the pages.

    `missing` names the code lists that are not there, `replaced` those of which another version is used.
    """

    definition: FormDefinition
    steps: tuple[Step, ...]
    missing: tuple[str, ...] = ()
    replaced: tuple[tuple[str, str], ...] = ()

    def step(self, number: int) -> Step | None:
        return self.steps[number - 1] if 1 <= number <= len(self.steps) else None

    def step_of(self, path: str) -> Step | None:
        """The page on which a path is asked."""
        return next((step for step in self.steps if step.holds(path)), None)


@dataclass(frozen=True, slots=True)
class FormRow:
    """A form version in the list of the editors."""

    id: UUID
    form_id: str
    version: str
    title: str
    unsupported: tuple[str, ...]
    notes: tuple[str, ...]
    imported_at: datetime
    imported_by: str


@dataclass(frozen=True, slots=True)
class CodeListRow:
    """A code list in the list of the editors."""

    id: UUID
    urn: str
    version: str
    version_urn: str
    name: str
    imported_at: datetime


def form_versions(actor: Actor) -> list[FormRow]:
    """Every imported form version, the newest first. Raises policy.Denied."""
    policy.require(actor, Permission.CONFIGURE_SERVICE)
    rows = FormVersion.objects.order_by("-imported_at", "-id").values_list(
        "id", "form_id", "version", "title", "unsupported", "notes", "imported_at", "imported_by"
    )[:500]
    return [FormRow(i, f, v, t, tuple(u), tuple(n), at, by) for i, f, v, t, u, n, at, by in rows]


def form_version(actor: Actor, form_version_id: UUID) -> tuple[FormRow, FormInUse]:
    """One form version with its pages, for the editors. Raises FormNotFound, policy.Denied."""
    policy.require(actor, Permission.CONFIGURE_SERVICE)
    row = next((r for r in form_versions(actor) if r.id == form_version_id), None)
    if row is None:
        raise FormNotFound
    return row, in_use(form_version_id)


def code_lists(actor: Actor) -> list[CodeListRow]:
    """Every imported code list by name. Raises policy.Denied."""
    policy.require(actor, Permission.CONFIGURE_SERVICE)
    rows = CodeList.objects.order_by("urn", "version").values_list(
        "id", "urn", "version", "version_urn", "name", "imported_at"
    )
    return [CodeListRow(*row) for row in rows]


def in_use(form_version_id: UUID, service: OnlineService | None = None) -> FormInUse:
    """The form as it is asked now; kept in the process, as a form version never changes.

    A code list of which the named version is missing is taken in the newest version there is: a choice among 197 states
    of last year helps more than an empty line for a code. Raises FormNotFound.
    """
    definition = _definition(current_body().schema_name, form_version_id)
    wanted = definition.code_lists()
    chosen = _chosen(wanted) if wanted else {}
    form = _resolved(current_body().schema_name, form_version_id, tuple(sorted(chosen.items())))
    if service is not None and service.attachments:
        extended = service.extended(form.definition)
        return replace(form, definition=extended, steps=extended.steps())
    return form


def _definition(schema: str, form_version_id: UUID) -> FormDefinition:
    found = _DEFINITIONS.get((schema, form_version_id))
    if found is not None:
        return found
    version = FormVersion.objects.filter(pk=form_version_id).only("definition").first()
    if version is None:
        raise FormNotFound
    return _DEFINITIONS.keep((schema, form_version_id), version.read(), len(json.dumps(version.definition)))


def _resolved(schema: str, form_version_id: UUID, chosen: tuple[tuple[str, UUID], ...]) -> FormInUse:
    kept = _RESOLVED.get((schema, form_version_id, chosen))
    if kept is not None:
        return kept
    definition = _definition(schema, form_version_id)
    lists = CodeList.objects.in_bulk([list_id for _urn, list_id in chosen])
    entries: dict[str, tuple[Code, ...]] = {}
    missing: list[str] = []
    replaced: list[tuple[str, str]] = []
    by_urn = dict(chosen)
    for reference in definition.code_lists():
        found = lists.get(by_urn[reference.version_urn]) if reference.version_urn in by_urn else None
        if found is None:
            missing.append(reference.version_urn)
            continue
        if found.version_urn != reference.version_urn and reference.version:
            replaced.append((reference.version_urn, found.version_urn))
        entries[reference.version_urn] = _entries(found, reference)
    resolved = definition.with_code_lists(entries)
    form = FormInUse(resolved, resolved.steps(), tuple(missing), tuple(replaced))
    # What it holds beyond its definition: the entries of its code lists, and the pages.
    own = sum(50 + len(entry.code) + len(entry.label) + len(entry.help) for own in entries.values() for entry in own)
    return _RESOLVED.keep((schema, form_version_id, chosen), form, 1_000 + own)


def _chosen(wanted: list[CodeListReference]) -> dict[str, UUID]:
    """For each wanted list the id of the version to use: the named one, else the newest of the same name."""
    rows = CodeList.objects.filter(urn__in={r.urn for r in wanted}).values_list("id", "urn", "version", "version_urn")
    there = list(rows)
    chosen: dict[str, UUID] = {}
    for reference in wanted:
        same = [row for row in there if row[1] == reference.urn]
        exact = next((row for row in same if row[3] == reference.version_urn), None)
        if exact is None and same:
            exact = max(same, key=lambda row: _natural(row[2]))
        if exact is not None:
            chosen[reference.version_urn] = exact[0]
    return chosen


def _natural(version: str) -> list[tuple[int, str]]:
    """`2.10` after `2.9`, dates in their order."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"[.\-_]", version)]


def _entries(found: CodeList, reference: CodeListReference) -> tuple[Code, ...]:
    key = reference.code_key if reference.code_key in found.columns else found.key_column
    name = reference.name_key if reference.name_key in found.columns else found.name_column
    text = reference.help_key if reference.help_key in found.columns else ""
    entries = [Code(row[key], row.get(name) or row[key], row.get(text, "")) for row in found.entries if row.get(key)]
    return tuple({entry.code: entry for entry in entries}.values())


def import_remarks(form: FormInUse) -> tuple[list[str], list[str]]:
    """What an import report says of code lists: (unsupported, notes)."""
    unsupported = [
        _("code list %(urn)s is not there: its code is asked as free text until the list is imported") % {"urn": urn}
        for urn in form.missing
    ]
    notes = [
        _("code list %(wanted)s is not there: %(used)s is used") % {"wanted": wanted, "used": used}
        for wanted, used in form.replaced
    ]
    return unsupported, notes


@dataclass(frozen=True, slots=True)
class MadeUpPage:
    """What to post to one page of the portal: input name -> texts, input name -> files."""

    number: int
    values: Mapping[str, tuple[str, ...]]
    files: Mapping[str, tuple[SampleFile, ...]]


def made_up_pages(
    actor: Actor, slug: str, *, seed: int = 0, optional: float = 0.3, changes: Mapping[str, str] | None = None
) -> list[MadeUpPage]:
    """Valid answers of nobody for every page of a service, as its inputs are named; for the walk and the demo data.

    `changes` replaces made-up answers by path. Raises FormNotFound, policy.Denied, models.sample.NoSample.
    """
    policy.require(actor, Permission.FIND_SERVICE)
    service = visible_services(actor).filter(slug=slug).first()
    if service is None:
        raise FormNotFound
    form = in_use(service.form_version_id, service)
    answers = {**valid_answers(form.definition, seed, optional=optional), **(changes or {})}
    uploads = {file.path: file for file in sample_files(form.definition, answers)}
    pages = []
    for step in form.steps:
        values: dict[str, tuple[str, ...]] = {}
        files: dict[str, tuple[SampleFile, ...]] = {}
        for path, value in answers.items():
            asked = form.definition.field_at(path)
            if asked is None or not step.holds(path):
                continue
            base = path.rpartition(".")[0]
            if path in uploads:
                files[base] = (*files.get(base, ()), uploads[path])
            elif asked.is_boxes:
                values[base] = (*values.get(base, ()), value)
            else:
                values[path] = (typed(asked, value),)
        pages.append(MadeUpPage(step.number, values, files))
    return pages


@dataclass(frozen=True, slots=True)
class ServiceTemplate:
    """Service template (Leistungsvorlage) of this release: a form of ours, and what a body adapts to offer it."""

    key: str
    values: Mapping[str, Any]
    form: bytes
    filename: str


@cache
def service_templates() -> Mapping[str, ServiceTemplate]:
    """The templates that come with the release, by key (the file's name)."""
    found = {}
    for file in sorted(FORMS.glob("*.service.toml")):
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        filename = str(values.pop("form"))
        key = file.name.removesuffix(".service.toml")
        found[key] = ServiceTemplate(key, values, (FORMS / filename).read_bytes(), filename)
    return found
