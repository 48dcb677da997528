"""Importing the file plan."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.records.models import Disposal, FilePlanPosition, MetadataField, MetadataKind
from verbund.modules.records.models.fileplan import MAX_RETENTION_YEARS
from verbund.modules.records.policies import Permission
from verbund.modules.records.queries.fileplan import CSV_COLUMNS, code_key
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Invalid, new_id

from .texts import one_line

MOST_LINES: Final = 20_000
_SAMPLE: Final = Path(__file__).parents[1] / "plans" / "sample.csv"
_REQUIRED: Final = ("code", "title")
_YES: Final = frozenset({"", "1", "ja", "j", "yes", "true"})
_NO: Final = frozenset({"0", "nein", "n", "no", "false"})
# Spreadsheets of offices head their columns in German.
_GERMAN: Final = {
    "aktenzeichen": "code",
    "kennzahl": "code",
    "bezeichnung": "title",
    "titel": "title",
    "übergeordnet": "parent",
    "aufbewahrung": "retention_years",
    "aufbewahrungsfrist": "retention_years",
    "aussonderung": "disposal",
    "aussonderungsart": "disposal",
    "gültig": "valid",
    "metadaten": "metadata_fields",
}


class FilePlanInvalid(Invalid):
    """The file cannot be imported; nothing was. `lines` lists every error as (line number, message), the heading
    being line 1.
    """

    def __init__(self, lines: list[tuple[int, str]]) -> None:
        super().__init__({"csv": "\n".join(_("Line %(line)d: %(text)s") % {"line": n, "text": t} for n, t in lines)})
        self.lines = lines


@dataclass(frozen=True, slots=True)
class FilePlanReport:
    """FilePlanReport (Importbericht): how many positions were added, changed, and found as they were."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    code: str
    title: str
    parent: str
    retention_years: int | None
    disposal: str
    is_valid: bool
    metadata_fields: tuple[MetadataField, ...]


@cache
def sample_file_plan() -> str:
    """The small plan that comes with Verbund, as CSV; its numbers and words are its own."""
    return _SAMPLE.read_text(encoding="utf-8")


@transaction.atomic
def import_file_plan(actor: Actor, *, csv_text: str, now: datetime) -> FilePlanReport:
    """Import a file plan (Aktenplan einlesen): positions are added or changed by their code; none is removed.

    Semicolons, commas or tabs; columns `queries.fileplan.CSV_COLUMNS` in any order, by their English or German
    names. A `parent` left empty is the code without its last part. The whole file is checked first.

    Raises:
        FilePlanInvalid: with every error at once.
        policy.Denied
    """
    policy.require(actor, Permission.MANAGE_FILE_PLAN)
    present = {p.code: p for p in FilePlanPosition.objects.select_related("parent").select_for_update(of=("self",))}
    rows = _parse(csv_text, frozenset(present))
    added: list[FilePlanPosition] = []
    changed: list[FilePlanPosition] = []
    changes: dict[str, dict[str, object]] = {}
    positions = dict(present)
    for row in sorted(rows, key=lambda r: code_key(r.code)):
        parent = positions[row.parent] if row.parent else None
        wanted = {
            "title": row.title,
            "parent": parent,
            "retention_years": row.retention_years,
            "disposal": row.disposal,
            "is_valid": row.is_valid,
            "metadata_fields": list(row.metadata_fields),
        }
        found = present.get(row.code)
        if found is None:
            positions[row.code] = FilePlanPosition(id=new_id(), code=row.code, **wanted)
            added.append(positions[row.code])
            continue
        differences = {name for name, value in wanted.items() if getattr(found, name) != value}
        if differences:
            changes[row.code] = {name: str(getattr(found, name)) for name in sorted(differences)}
            for name, value in wanted.items():
                setattr(found, name, value)
            changed.append(found)
    FilePlanPosition.objects.bulk_create(added)
    FilePlanPosition.objects.bulk_update(
        changed, ["title", "parent", "retention_years", "disposal", "is_valid", "metadata_fields"]
    )
    report = FilePlanReport(len(added), len(changed), len(rows) - len(added) - len(changed))
    audit.record(
        actor,
        "records.file_plan.imported",
        "records.file_plan",
        "plan",
        before=changes,
        after={"at": now, "added": [p.code for p in added], "changed": sorted(changes)},
    )
    return report


def _parse(csv_text: str, present: frozenset[str]) -> list[_Row]:
    errors: list[tuple[int, str]] = []
    text = csv_text.removeprefix("\ufeff").replace("\x00", "")
    heading = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=heading.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(c.strip() for c in cells)]
    except csv.Error as error:
        raise FilePlanInvalid([(reader.line_num, _("This is not a CSV file: %(error)s") % {"error": error})]) from error
    if not lines:
        raise FilePlanInvalid([(1, _("The file is empty."))])
    if len(lines) > MOST_LINES:
        raise FilePlanInvalid([(MOST_LINES, _("A file plan has at most %(most)d lines.") % {"most": MOST_LINES})])
    columns = [_GERMAN.get(c.strip().lower(), c.strip().lower()) for c in lines[0][1]]
    for missing in [c for c in _REQUIRED if c not in columns]:
        errors.append((1, _("The column “%(column)s” is missing.") % {"column": missing}))
    for unknown in [c for c in columns if c and c not in CSV_COLUMNS]:
        errors.append((1, _("The column “%(column)s” is not known.") % {"column": unknown}))
    if errors:
        raise FilePlanInvalid(errors)
    rows: list[_Row] = []
    seen: dict[str, int] = {}
    for line, cells in lines[1:]:
        row = _row(line, dict(zip(columns, (c.strip() for c in cells), strict=False)), errors)
        if row is None:
            continue
        if row.code in seen:
            errors.append(
                (
                    line,
                    _("The code %(code)s stands in line %(line)d already.")
                    % {"code": row.code, "line": seen[row.code]},
                )
            )
        seen.setdefault(row.code, line)
        rows.append(row)
    known = present | seen.keys()
    for row in rows:
        if row.parent and row.parent not in known:
            errors.append(
                (
                    row.line,
                    _("The position %(parent)s above %(code)s is missing.") % {"parent": row.parent, "code": row.code},
                )
            )
    if errors:
        raise FilePlanInvalid(sorted(errors))
    return rows


def _row(line: int, cells: dict[str, str], errors: list[tuple[int, str]]) -> _Row | None:
    before = len(errors)

    def wrong(text: str) -> None:
        errors.append((line, text))

    code = cells.get("code", "")
    if not _is_code(code):
        wrong(_("“%(code)s” is no code; write numbers separated by points, such as 32.10.") % {"code": code})
    title = one_line(cells.get("title", ""))
    if not title or len(title) > 200:
        wrong(_("The title is missing or longer than 200 characters."))
    parent = cells.get("parent", "") or (code.rpartition(".")[0] if _is_code(code) else "")
    if parent and _is_code(code) and not code.startswith(parent + "."):
        wrong(_("The position %(parent)s cannot stand above %(code)s.") % {"parent": parent, "code": code})
    years = _years(cells.get("retention_years", ""), wrong)
    disposal = cells.get("disposal", "").upper()
    if disposal and disposal not in Disposal.values:
        wrong(_("“%(value)s” is no disposal; write A (archive), V (destroy) or B (appraise).") % {"value": disposal})
    elif bool(cells.get("retention_years", "")) != bool(disposal):
        wrong(_("Retention period and disposal belong together: give both or neither."))
    valid = cells.get("valid", "").lower()
    if valid not in _YES | _NO:
        wrong(_("“%(value)s” does not say whether the position is valid; write 1 or 0.") % {"value": valid})
    fields = _fields(cells.get("metadata_fields", ""), wrong)
    if len(errors) > before:
        return None
    return _Row(line, code, title, parent, years, disposal, valid in _YES, fields)


def _is_code(code: str) -> bool:
    parts = code.split(".")
    return (
        1 <= len(parts) <= 5 and all(p.isascii() and p.isdigit() and len(p) <= 3 for p in parts) and len(parts[0]) <= 2
    )


def _years(text: str, wrong: Callable[[str], None]) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= MAX_RETENTION_YEARS):
        wrong(
            _("“%(value)s” is no retention period; write whole years up to %(most)d.")
            % {"value": text, "most": MAX_RETENTION_YEARS}
        )
        return None
    return int(text)


def _fields(text: str, wrong: Callable[[str], None]) -> tuple[MetadataField, ...]:
    fields: list[MetadataField] = []
    for piece in filter(None, (p.strip() for p in text.split("|"))):
        name, _colon, rest = piece.partition(":")
        label, _colon, kind = rest.rpartition(":")
        required = kind.endswith("!")
        kind = kind.removesuffix("!")
        if not (name.isidentifier() and name.isascii() and label.strip() and kind in MetadataKind.values):
            wrong(
                _("“%(value)s” is no metadata field; write name:label:kind with the kind text, date or number.")
                % {"value": piece}
            )
            continue
        fields.append({"name": name, "label": label.strip(), "kind": kind, "required": required})
    if len({f["name"] for f in fields}) < len(fields):
        wrong(_("Two metadata fields have the same name."))
    return tuple(fields)
