"""What a re-computation finds: a chain with its length, and where it is broken."""

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any, Final

GENESIS: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry of a chain that is not what was written: `entry` names it as people find it, `reason` says
    why."""

    entry: str
    reason: str
    row: str = ""  # the id in the table


@dataclass(slots=True)
class Chain:
    """One kind of chain of one body."""

    name: str
    entries: int = 0
    broken: list[Broken] = field(default_factory=list)
    bytes: int = 0

    @property
    def ok(self) -> bool:
        return not self.broken

    def values(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "chain": self.name,
            "ok": self.ok,
            "entries": self.entries,
            "bytes": self.bytes,
            "broken": [asdict(b) for b in self.broken],
        }


def netstring(value: str) -> bytes:
    """`<octets>:<value>,` in UTF-8."""
    octets = value.encode()
    return b"%d:%b," % (len(octets), octets)


def link(previous: bytes, form: bytes) -> bytes:
    """The hash of an entry: SHA-256 over the hash before it and its canonical form."""
    return hashlib.sha256(previous + form).digest()
