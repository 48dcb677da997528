"""The canonical form of a voucher and its hash chain (Prüfkette), without any use of Django.

A chain runs through the vouchers of one fiscal year and series by their number, so that two series never wait for
each other:

    hash(n) = SHA-256( hash(n-1) || canonical(n) ),   hash(0) = 32 zero bytes

`canonical` is a sequence of *netstrings* in UTF-8: `<number of octets>:<octets>,` for a value, `~,` for none. No
value can imitate a
border between values, and nothing needs escaping. The values, in this order:

    "verbund-voucher-1", voucher id, ledger code, year, series, number, kind, posting date, document date, text,
    id of the reversed voucher or none, posted at (UTC, `2026-11-21T22:30:00.000000Z`), posted by, number of lines,
    then for every line by position:
    position, account code, product code or none, debit in cents, credit in cents, finance account code or none,
    "1" for a deduction else "0", open item id or none, project, cost centre

Ids are lower-case UUIDs with hyphens, dates ISO 8601, numbers decimal without leading zeros. PostgreSQL writes the
same bytes in `budget_post` (migration 0002). The three queries below read what is needed, as plain SQL inside a
body's schema.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

VERSION: Final = "verbund-voucher-1"
GENESIS: Final = bytes(32)

VOUCHERS_SQL: Final = """
SELECT v.id::text, l.code, y.year, v.series, v.no, v.kind, v.posting_date::text, v.document_date::text, v.text,
v.reverses_id::text,
       to_char(v.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), v.posted_by, v.line_count,
       v.hash_prev, v.hash
  FROM budget_voucher v
  JOIN budget_fiscalyear y ON y.id = v.fiscal_year_id
  JOIN budget_ledger l ON l.id = v.ledger_id
 ORDER BY l.code, y.year, v.series, v.no
"""

LINES_SQL: Final = """
SELECT n.voucher_id::text, n.position, a.code, p.code, n.debit, n.credit, f.code, n.deduction, n.open_item_id::text,
n.project, n.cost_center
  FROM budget_voucherline n
  JOIN budget_voucher v ON v.id = n.voucher_id
  JOIN budget_fiscalyear y ON y.id = v.fiscal_year_id
  JOIN budget_ledger l ON l.id = v.ledger_id
  JOIN budget_account a ON a.id = n.account_id
  LEFT JOIN budget_product p ON p.id = n.product_id
  LEFT JOIN budget_account f ON f.id = n.finance_account_id
 ORDER BY l.code, y.year, v.series, v.no, n.position
"""

COUNTERS_SQL: Final = """
SELECT l.code, y.year, c.series, c.last_no, c.last_hash
  FROM budget_seriescounter c
  JOIN budget_fiscalyear y ON y.id = c.fiscal_year_id
  JOIN budget_ledger l ON l.id = y.ledger_id
 ORDER BY l.code, y.year, c.series
"""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first voucher of a chain that does not agree with its hash, its number or its predecessor."""

    ledger: str
    year: int
    series: str
    no: int
    reason: str

    @property
    def label(self) -> str:
        return f"{self.ledger}/{self.year}/{self.series}/{self.no}"


def netstring(value: str | None) -> bytes:
    """`value` as netstring; `~,` for None."""
    if value is None:
        return b"~,"
    octets = value.encode()
    return b"%d:%s," % (len(octets), octets)


def canonical(header: Sequence[Any], lines: Iterable[Sequence[Any]]) -> bytes:
    """The canonical form: `header` = the first 13 columns of VOUCHERS_SQL, `lines` = rows of LINES_SQL of this
    voucher.
    """
    parts = [netstring(VERSION)]
    parts += [netstring(None if value is None else str(value)) for value in header[:13]]
    for _, position, account, product, debit, credit, finance, deduction, item, project, cost_center in lines:
        values = (
            position,
            account,
            product,
            debit,
            credit,
            finance,
            "1" if deduction else "0",
            item,
            project,
            cost_center,
        )
        parts += [netstring(None if value is None else str(value)) for value in values]
    return b"".join(parts)


def chained(previous: bytes, form: bytes) -> bytes:
    """SHA-256 over the previous hash and the canonical form."""
    return hashlib.sha256(previous + form).digest()


def label(ledger: str, year: int, series: str, no: int) -> str:
    """The number of a voucher as people read it."""
    return f"{ledger}-{year}-{series}-{no:06d}"


def broken_chains(
    vouchers: Iterable[Sequence[Any]], lines: Iterable[Sequence[Any]], counters: Iterable[Sequence[Any]]
) -> Iterator[Broken]:
    """Recompute every chain; yield the first broken voucher of each that is broken.

    The arguments are rows of the three queries, in their order; vouchers and lines are read as two streams, once.
    """
    ends: dict[tuple[str, int, str], tuple[int, bytes]] = {}
    broken: set[tuple[str, int, str]] = set()
    stream = iter(lines)
    held: Sequence[Any] | None = next(stream, None)
    for row in vouchers:
        voucher_id, ledger, year, series, no = row[:5]
        own: list[Sequence[Any]] = []
        while held is not None and held[0] == voucher_id:
            own.append(held)
            held = next(stream, None)
        key = (ledger, year, series)
        if key in broken:
            continue
        last_no, last_hash = ends.get(key, (0, GENESIS))
        reason = _fault(row, own, last_no, last_hash)
        if reason:
            broken.add(key)
            yield Broken(ledger, year, series, no if reason != "gap" else last_no + 1, reason)
            continue
        ends[key] = (no, bytes(row[14]))
    yield from _cut_off(ends, broken, counters)


def _fault(row: Sequence[Any], own: list[Sequence[Any]], last_no: int, last_hash: bytes) -> str:
    if row[4] != last_no + 1:
        return "gap"
    if len(own) != row[12]:
        return "lines"
    if bytes(row[13]) != last_hash:
        return "predecessor"
    if chained(last_hash, canonical(row, own)) != bytes(row[14]):
        return "hash"
    if sum(line[4] for line in own) != sum(line[5] for line in own):
        return "balance"
    return ""


def _cut_off(
    ends: Mapping[tuple[str, int, str], tuple[int, bytes]],
    broken: set[tuple[str, int, str]],
    counters: Iterable[Sequence[Any]],
) -> Iterator[Broken]:
    known = set()
    for ledger, year, series, last_no, last_hash in counters:
        key = (ledger, year, series)
        known.add(key)
        if key not in broken and ends.get(key, (0, GENESIS)) != (last_no, bytes(last_hash)):
            yield Broken(ledger, year, series, ends.get(key, (0, GENESIS))[0] + 1, "end")
    for key in sorted(set(ends) - known - broken):
        yield Broken(*key, 1, "counter")
