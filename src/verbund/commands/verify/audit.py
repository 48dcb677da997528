"""The audit chain: per lane, number by number, each hash over the one before it and the entry's fields (ADR 0004)."""

from collections.abc import Callable
from typing import Any

import psycopg

from .finding import GENESIS, Broken, Chain, link, netstring

# The fields in the order in which they were hashed, then what stands beside them.
ENTRIES = """
SELECT lane, lane_no, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       actor_kind, actor_id, actor_name, substitutes, action,
       object_type, object_id, request_id, changes, hash_prev, hash, id
  FROM audit_auditentry ORDER BY lane, lane_no
"""
HEADS = "SELECT lane, last_no, last_hash FROM audit_auditlane ORDER BY lane"


def audit_chain(connection: "psycopg.Connection[Any]", progress: Callable[[int], None]) -> Chain:
    """Re-compute every lane of the body the connection stands in."""
    chain = Chain("audit")
    ends: dict[int, tuple[int, bytes]] = {}
    broken: set[int] = set()
    with connection.cursor(name="verify_audit", binary=True) as cursor:
        cursor.itersize = 2000
        for row in cursor.execute(ENTRIES):
            chain.entries += 1
            if chain.entries % 5000 == 0:
                progress(chain.entries)
            lane, number = row[0], row[1]
            if lane in broken:
                continue
            last_no, last_hash = ends.get(lane, (0, GENESIS))
            reason = _fault(row, last_no, last_hash)
            if reason:
                broken.add(lane)
                chain.broken.append(Broken(_name(row), reason, str(row[14])))
                continue
            ends[lane] = (number, bytes(row[13]))
    heads = {lane: (number, bytes(end)) for lane, number, end in connection.execute(HEADS).fetchall()}
    for lane in sorted((set(heads) | set(ends)) - broken):
        end = ends.get(lane, (0, GENESIS))
        if lane not in heads:
            chain.broken.append(Broken(f"lane {lane}", "the end of the lane is not recorded any more"))
        elif heads[lane][0] > end[0]:
            chain.broken.append(Broken(f"lane {lane} no {end[0] + 1}", "the last entries are missing"))
        elif heads[lane] != end:
            chain.broken.append(Broken(f"lane {lane} no {end[0]}", "the recorded end is not that of the entries"))
    return chain


def _fault(row: Any, last_no: int, last_hash: bytes) -> str:
    if row[1] != last_no + 1:
        return f"follows number {last_no}: entries between are missing" if row[1] > last_no + 1 else "number used twice"
    if bytes(row[12]) != last_hash:
        return "does not follow the entry before it"
    if link(last_hash, b"".join(netstring(str(value)) for value in row[:12])) != bytes(row[13]):
        return "its content is not what was written"
    return ""


def _name(row: Any) -> str:
    return f"lane {row[0]} no {row[1]}, {row[2]}, {row[7]} {row[8]} {row[9]}"
