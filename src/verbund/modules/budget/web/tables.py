"""Tables as CSV, as German office programs read them: semicolons, decimal comma, UTF-8 with its mark."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Protocol, TypeVar

from django.http import HttpResponse
from django.utils.http import content_disposition_header

Cell = str | int | date | None
Row = TypeVar("Row", covariant=True)
Key = TypeVar("Key", covariant=True)
CHUNK = 1000


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


class Chunk(Protocol[Row, Key]):
    """A page of a keyset-paged query."""

    @property
    def rows(self) -> Sequence[Row]: ...

    @property
    def after(self) -> Key | None: ...


def all_rows(fetch: Callable[[Key | None], Chunk[Row, Key]]) -> Iterator[Row]:
    """Every row of a keyset-paged query, chunk after chunk: a download is whole or it is none."""
    after: Key | None = None
    while True:
        chunk = fetch(after)
        yield from chunk.rows
        after = chunk.after
        if after is None:
            return


def _cell(cell: Cell) -> str:
    if isinstance(cell, Cents):
        sign, cents = ("-", -int(cell)) if cell < 0 else ("", int(cell))
        return f"{sign}{cents // 100},{cents % 100:02d}"
    if isinstance(cell, date):
        return cell.strftime("%d.%m.%Y")
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
