"""Reads of the file plan."""

import csv
import io
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from verbund.modules.records.models import FilePlanPosition, MetadataField
from verbund.modules.records.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

CSV_COLUMNS: Final = ("code", "title", "parent", "retention_years", "disposal", "valid", "metadata_fields")


class PositionNotFound(NotFound):
    """The file plan has no such position."""


@dataclass(frozen=True, slots=True)
class PositionView:
    """PositionView (Aktenplanposition). `depth` counts from 0."""

    id: UUID
    code: str
    title: str
    parent: str
    retention_years: int | None
    disposal: str
    disposal_label: str
    is_valid: bool
    takes_cases: bool
    metadata_fields: tuple[MetadataField, ...]
    depth: int


def file_plan(actor: Actor) -> list[PositionView]:
    """The whole plan in its order.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_FILE_PLAN)
    positions = list(FilePlanPosition.objects.all())
    codes = {p.id: p.code for p in positions}
    return sorted((_view(p, codes.get(p.parent_id or p.id, "")) for p in positions), key=lambda v: code_key(v.code))


def positions_for_cases(actor: Actor) -> list[PositionView]:
    """The positions at which a case may be opened, in the plan's order."""
    return [p for p in file_plan(actor) if p.takes_cases]


def position(actor: Actor, code: str) -> PositionView:
    """One position.

    Raises:
        PositionNotFound, policy.Denied
    """
    policy.require(actor, Permission.READ_FILE_PLAN)
    found = FilePlanPosition.objects.select_related("parent").filter(code=code).first()
    if found is None:
        raise PositionNotFound(code)
    return _view(found, found.parent.code if found.parent else "")


def file_plan_csv(actor: Actor) -> str:
    """The plan as the CSV that `import_file_plan` reads: semicolons, UTF-8 with byte order mark for the office's
    spreadsheet.

    A metadata field is written `name:label:kind`, with `!` behind the kind if required; several are separated by `|`.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for p in file_plan(actor):
        fields = "|".join(
            f"{f['name']}:{f['label']}:{f['kind']}{'!' if f['required'] else ''}" for f in p.metadata_fields
        )
        years = "" if p.retention_years is None else str(p.retention_years)
        writer.writerow([p.code, p.title, p.parent, years, p.disposal, "1" if p.is_valid else "0", fields])
    return "\ufeff" + out.getvalue()


def code_key(code: str) -> tuple[int, ...]:
    """The order of codes: by number, part for part."""
    return tuple(int(part) for part in code.split("."))


def _view(p: FilePlanPosition, parent: str) -> PositionView:
    return PositionView(
        id=p.id,
        code=p.code,
        title=p.title,
        parent="" if p.parent_id is None else parent,
        retention_years=p.retention_years,
        disposal=p.disposal,
        disposal_label=p.get_disposal_display() if p.disposal else "",
        is_valid=p.is_valid,
        takes_cases=p.takes_cases,
        metadata_fields=tuple(p.metadata_fields),
        depth=p.code.count("."),
    )
