"""Tables as CSV, as German office programs read them: semicolons, decimal comma, UTF-8 with its mark."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from django.http import HttpResponse
from django.utils.http import content_disposition_header

Cell = str | int | date | None


class Cents(int):
    """A whole number of cents that is written as euros."""


def csv_response(filename: str, headers: Sequence[object], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """The table as a download. Text that a spreadsheet would take for a formula is disarmed by an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([str(header) for header in headers])
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
    response = HttpResponse(b"\xef\xbb\xbf" + out.getvalue().encode(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _cell(cell: Cell) -> str:
    if isinstance(cell, Cents):
        sign, cents = ("-", -int(cell)) if cell < 0 else ("", int(cell))
        return f"{sign}{cents // 100},{cents % 100:02d}"
    if isinstance(cell, date):
        return cell.strftime("%d.%m.%Y")
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
