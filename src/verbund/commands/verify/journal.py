"""The journal's chain: per ledger, year and series, voucher by voucher (the canonical form of the budget room).

Written a second time here, apart from the room: two hands that agree say more than one.
"""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from .finding import GENESIS, Broken, Chain, link, netstring

VOUCHERS = """
SELECT v.id::text, l.code, y.year, v.series, v.no, v.kind, v.posting_date::text, v.document_date::text, v.text,
       v.reverses_id::text, to_char(v.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       v.posted_by, v.line_count,
       v.hash_prev, v.hash, v.total_cents
  FROM budget_voucher v JOIN budget_fiscalyear y ON y.id = v.fiscal_year_id JOIN budget_ledger l ON l.id = v.ledger_id
 ORDER BY v.fiscal_year_id, v.series, v.no
"""
LINES = """
SELECT n.voucher_id::text, n.position::text, a.code, p.code, n.debit::text, n.credit::text, f.code,
       CASE WHEN n.deduction THEN '1' ELSE '0' END, n.open_item_id::text, n.project, n.cost_center
  FROM budget_voucherline n
  JOIN budget_voucher v ON v.id = n.voucher_id
  JOIN budget_account a ON a.id = n.account_id
  LEFT JOIN budget_product p ON p.id = n.product_id
  LEFT JOIN budget_account f ON f.id = n.finance_account_id
 ORDER BY v.fiscal_year_id, v.series, v.no, n.position
"""
HEADS = """
SELECT l.code, y.year, c.series, c.last_no, c.last_hash
  FROM budget_seriescounter c JOIN budget_fiscalyear y ON y.id = c.fiscal_year_id JOIN budget_ledger l ON l.id =
  y.ledger_id
 ORDER BY 1, 2, 3
"""
ORPHANS = (
    "SELECT count(*) FROM budget_voucherline n LEFT JOIN budget_voucher v ON v.id = n.voucher_id WHERE v.id IS NULL"
)

Key = tuple[str, int, str]


def journal_chain(
    connection: "psycopg.Connection[Any]", lines_connection: "psycopg.Connection[Any]", progress: Callable[[int], None]
) -> Chain:
    """Re-compute every series; vouchers and lines are read as two streams side by side."""
    chain = Chain("journal")
    ends: dict[Key, tuple[int, bytes]] = {}
    broken: set[Key] = set()
    with (
        connection.cursor(name="verify_vouchers") as vouchers,
        lines_connection.cursor(name="verify_lines") as lines,
    ):
        vouchers.itersize = lines.itersize = 2000
        by_voucher = _lines_of(lines.execute(LINES))
        for row in vouchers.execute(VOUCHERS):
            chain.entries += 1
            if chain.entries % 2000 == 0:
                progress(chain.entries)
            own = by_voucher(row[0])
            key: Key = (row[1], row[2], row[3])
            if key in broken:
                continue
            last_no, last_hash = ends.get(key, (0, GENESIS))
            reason = _fault(row, own, last_no, last_hash)
            if reason:
                broken.add(key)
                chain.broken.append(Broken(label(key, row[4]), reason, row[0]))
                continue
            ends[key] = (row[4], bytes(row[14]))
    heads = {
        (code, year, series): (no, bytes(end)) for code, year, series, no, end in connection.execute(HEADS).fetchall()
    }
    for key in sorted((set(heads) | set(ends)) - broken):
        no, end = ends.get(key, (0, GENESIS))
        if key not in heads:
            chain.broken.append(Broken(label(key, no), "the end of the series is not recorded any more"))
        elif heads[key][0] > no:
            chain.broken.append(Broken(label(key, no + 1), "the last vouchers are missing"))
        elif heads[key] != (no, end):
            chain.broken.append(Broken(label(key, no), "the recorded end is not that of the vouchers"))
    orphans = connection.execute(ORPHANS).fetchone()
    if orphans and orphans[0]:
        chain.broken.append(Broken("voucher lines", f"{orphans[0]} lines without their voucher"))
    return chain


def label(key: Key, no: int) -> str:
    """The number of a voucher as people read it."""
    return f"{key[0]}-{key[1]}-{key[2]}-{no:06d}"


def _lines_of(lines: Any) -> Callable[[str], list[Any]]:
    """A function that gives the lines of the next voucher, reading the stream once."""
    stream: Iterator[Any] = iter(lines)
    held = next(stream, None)

    def of(voucher: str) -> list[Any]:
        nonlocal held
        own = []
        while held is not None and held[0] == voucher:
            own.append(held)
            held = next(stream, None)
        return own

    return of


def _fault(row: Any, lines: list[Any], last_no: int, last_hash: bytes) -> str:
    if row[4] != last_no + 1:
        return (
            f"follows number {last_no}: vouchers between are missing" if row[4] > last_no + 1 else "number used twice"
        )
    if bytes(row[13]) != last_hash:
        return "does not follow the voucher before it"
    if len(lines) != row[12]:
        return f"has {len(lines)} lines, {row[12]} were written"
    if link(last_hash, _canonical(row, lines)) != bytes(row[14]):
        return "its content is not what was written"
    debit, credit = (sum(int(line[side]) for line in lines) for side in (4, 5))
    if not debit == credit == row[15]:
        return "is not balanced"
    return ""


def _canonical(row: Any, lines: list[Any]) -> bytes:
    values = ["verbund-voucher-1", *row[:13]]
    for line in lines:
        values += line[1:]
    return b"".join(b"~," if value is None else netstring(str(value)) for value in values)
