"""Importing measures from a table (CSV): all mistakes at once with their lines, nothing half imported."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.costsharing import policies
from verbund.modules.costsharing.models import Measure, MeasureSource
from verbund.modules.costsharing.models.days import Span
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.queries import catalogue, parties
from verbund.platform import audit
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Invalid, new_id

from .measuring import LARGEST, crosses

MAX_BYTES = 5 * 1024 * 1024
MAX_LINES = 20_000
MAX_SHOWN = 200
# Column -> the names it may have, in lower case; the first is the one we say.
COLUMNS = {
    "member": ("mitglied", "member", "slug", "ags"),
    "service": ("leistung", "service"),
    "start": ("von", "from"),
    "end": ("bis", "to"),
    "quantity": ("menge", "quantity"),
    "reason": ("grund", "reason"),
}
OPTIONAL = {"reason"}
_COMMA = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d+")  # 1.234,5
_POINT = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)\.(\d{1,2}|\d{4,})|-?\d{1,3}(,\d{3})+\.\d+")  # 1,234.5
_EITHER = re.compile(r"-?\d+\.\d{3}")  # 1.234 is a thousand or a little more than one
_GERMAN = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")
_ENGLISH = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One line of the table that can be taken; `corrects` is the figure it replaces, `known` says that an import has
    brought this very figure before."""

    line: int
    member_id: UUID
    member_name: str
    service_code: str
    period_start: date
    period_end: date
    quantity: Decimal
    reason: str
    corrects: Decimal | None
    known: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or with `written` False would do."""

    lines: tuple[ImportLine, ...]
    written: bool
    encoding: str
    delimiter: str

    @property
    def new(self) -> tuple[ImportLine, ...]:
        """The lines that bring something."""
        return tuple(line for line in self.lines if not line.known)


class ImportRefused(Invalid):
    """The table has mistakes; nothing was taken. `problems` are (line, what is wrong), line 0 for the whole table."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        self.problems = sorted(problems)
        shown = [
            text if not line else _("Line %(line)d: %(text)s") % {"line": line, "text": text}
            for line, text in self.problems[:MAX_SHOWN]
        ]
        if len(self.problems) > MAX_SHOWN:
            shown.append(_("… and %(count)d more.") % {"count": len(self.problems) - MAX_SHOWN})
        super().__init__({"file": "\n".join(shown)})


@transaction.atomic
def import_measures(
    actor: Actor, *, content: bytes, now: datetime, reason: str = "", write: bool = True
) -> ImportReport:
    """Import measures from a CSV table with the columns Mitglied, Leistung, von, bis, Menge and perhaps Grund.

    The delimiter (semicolon, tab or comma), the encoding (UTF-8 with or without mark, else Windows-1252), decimal comma
    or point and German or ISO dates are found out. A line for a period that has a figure corrects it and needs a
    reason: the line's, else `reason`. A line whose figure an import has brought already stands as it is, so the same
    table twice is the table once. With `write` False nothing is written: that is the preview.

    Raises:
        policy.Denied, ImportRefused (all mistakes of the table at once).
    """
    policies.require(actor, Permission.MEASURE)
    rows, encoding, delimiter = _table(content)
    report = ImportReport(tuple(_checked(actor, rows, reason.strip())), write, encoding, delimiter)
    if write and report.new:
        batch = new_id()
        Measure.objects.bulk_create(
            [
                Measure(
                    member_id=line.member_id,
                    service_code=line.service_code,
                    period_start=line.period_start,
                    period_end=line.period_end,
                    quantity=line.quantity,
                    source=MeasureSource.IMPORTED,
                    reason=line.reason if line.corrects is not None else "",
                    batch=batch,
                    recorded_at=now,
                    recorded_by=actor.name,
                )
                for line in report.new
            ],
            batch_size=2000,
        )
        count = {"lines": len(report.new)}
        audit.record(actor, "costsharing.measures.imported", "costsharing.batch", batch, after=count)
    return report


def _table(content: bytes) -> tuple[list[tuple[int, dict[str, str]]], str, str]:
    """The rows as (line, column -> text). Raises ImportRefused for a table that cannot be read at all."""
    if len(content) > MAX_BYTES:
        raise ImportRefused([(0, _("The file is larger than 5 MB. Split it."))])
    if b"\x00" in content:
        raise ImportRefused([(0, _("This is no CSV table. Save the table as CSV and choose that file."))])
    try:
        text, encoding = content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        text, encoding = content.decode("cp1252", errors="replace"), "Windows-1252"
    if not text.strip():  # spaces, or a byte order mark alone
        raise ImportRefused([(0, _("The file is empty."))])
    first = text.lstrip().splitlines()[0]
    delimiter = max(";\t,", key=lambda sign: (first.count(sign), sign == ";"))
    if delimiter not in first:
        raise ImportRefused(
            [(0, _("The first line has no columns. Separate them by semicolons: Mitglied;Leistung;von;bis;Menge"))]
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        read = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error:
        raise ImportRefused([(0, _("This is no CSV table. Save the table as CSV and choose that file."))]) from None
    if not read:
        raise ImportRefused([(0, _("The file is empty."))])
    header = [cell.strip().lower() for cell in read[0][1]]
    places, problems = {}, []
    for column, names in COLUMNS.items():
        found = [place for place, name in enumerate(header) if name in names]
        if len(found) == 1:
            places[column] = found[0]
        elif found:
            problems.append((1, _("The column %(name)s stands twice.") % {"name": names[0]}))
        elif column not in OPTIONAL:
            problems.append((1, _("The column %(name)s is missing.") % {"name": names[0]}))
    if len(read) < 2:
        problems.append((0, _("The table has no line below its heading.")))
    if len(read) > MAX_LINES + 1:
        problems.append((0, _("The table has more than 20,000 lines. Split it.")))
    if problems:
        raise ImportRefused(problems)
    rows = [
        (line, {column: cells[place].strip() if place < len(cells) else "" for column, place in places.items()})
        for line, cells in read[1:]
    ]
    return rows, encoding, delimiter


def _checked(actor: Actor, rows: list[tuple[int, dict[str, str]]], reason: str) -> list[ImportLine]:
    members = {}
    for known_party in parties(actor):
        members[known_party.code.casefold()] = members[known_party.name.casefold()] = known_party
    services: dict[date, set[str]] = {}
    known: dict[tuple[UUID, str], dict[Span, Measure]] = {}
    for row in Measure.objects.order_by("id"):
        known.setdefault((row.member_id, row.service_code), {})[Span(row.period_start, row.period_end)] = row
    seen: dict[tuple[UUID, str], list[tuple[Span, int]]] = {}
    lines, problems = [], []
    texts = [_bare(cells["quantity"]) for _number, cells in rows]
    comma, point = any(map(_COMMA.fullmatch, texts)), any(map(_POINT.fullmatch, texts))
    if comma and point:
        problems.append((0, _("The table has both decimal commas and decimal points. Use one of them.")))
    for number, cells in rows:
        wrong: list[str] = []
        party = members.get(cells["member"].casefold())
        if party is None:
            wrong.append(_("There is no member %(name)s.") % {"name": cells["member"] or "–"})
        start, end = _day(cells["start"]), _day(cells["end"])
        if start is None or end is None:
            wrong.append(_("Give both days as 31.12.2026 or 2026-12-31."))
        elif end < start or (end - start).days > 366:
            wrong.append(_("The period ends on or after its first day, and is at most a year long."))
        text = _bare(cells["quantity"])
        quantity = _quantity(text, point=point)
        if not comma and not point and _EITHER.fullmatch(text):
            wrong.append(
                _("“%(text)s” can be read in two ways. Leave out the point, or write the places after the comma.")
                % {"text": cells["quantity"]}
            )
        elif quantity is None:
            wrong.append(_("“%(text)s” is no quantity.") % {"text": cells["quantity"]})
        elif quantity < 0:
            wrong.append(_("A quantity is never below zero."))
        code = cells["service"].upper()
        if start is not None:
            offered = services.setdefault(start, {service.code for service in catalogue(actor, start)})
            if code not in offered:
                wrong.append(
                    _("The catalogue has no service %(code)s on %(day)s.")
                    % {"code": cells["service"] or "–", "day": start.strftime("%d.%m.%Y")}
                )
        if not wrong and party and start and end and quantity is not None:
            span, pair = Span(start, end), (party.id, code)
            why = cells.get("reason") or reason
            there = known.get(pair, {}).get(span)
            again = there is not None and (there.quantity, there.source) == (quantity, MeasureSource.IMPORTED)
            corrects = there.quantity if there is not None and not again else None
            twin = next((line for other, line in seen.get(pair, []) if other.within(span)), None)
            crossing = next((other for other in known.get(pair, {}) if other != span and other.within(span)), None)
            if twin is not None:
                wrong.append(_("The same days stand in line %(line)d already.") % {"line": twin})
            elif crossing is not None:
                wrong.append(crosses(crossing.first, crossing.last))
            elif corrects is not None and not why:
                wrong.append(_("There is a figure for this period. Say why it is corrected."))
            elif len(why) > 300:
                wrong.append(_("Give the reason in at most 300 characters."))
            seen.setdefault(pair, []).append((span, number))
            lines.append(ImportLine(number, party.id, party.name, code, start, end, quantity, why, corrects, again))
        problems += [(number, text) for text in wrong]
    if problems:
        raise ImportRefused(problems)
    return lines


def _day(text: str) -> date | None:
    for pattern in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _bare(text: str) -> str:
    return text.replace("\u00a0", "").replace("\u202f", "").replace(" ", "")


def _quantity(text: str, *, point: bool) -> Decimal | None:
    """A number with a decimal comma (1.234,5), or with a decimal point where the table uses those (1,234.5)."""
    if point and _ENGLISH.fullmatch(text):
        text = text.replace(",", "")
    elif not point and _GERMAN.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    else:
        return None
    if len(text) > 30:
        return None
    number = Decimal(text)
    if abs(number) >= LARGEST or number != number.quantize(Decimal("0.001")):
        return None
    return number
