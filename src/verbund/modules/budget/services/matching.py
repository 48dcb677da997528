"""Matching (Zuordnung): which open claims a movement on the bank account is about. Decides, writes nothing."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from verbund.modules.budget.gateways.camt import Entry
from verbund.modules.budget.models import Account, AccountRole, Claim, Ledger, OpenItem, references


@dataclass(frozen=True, slots=True)
class Match:
    """What is decided for one entry: (item, cents) to settle or reopen; `rest` goes to suspense; `how` names the
    reason.
    """

    settles: tuple[tuple[OpenItem, int], ...]
    rest: int
    how: str
    proposal: OpenItem | None = None


@dataclass(slots=True)
class Standing:
    """The items under consideration with what is still open on each, as the entries of a file are worked through."""

    by_reference: dict[str, OpenItem]
    by_amount: dict[int, list[OpenItem]]
    open_cents: dict[UUID, int] = field(default_factory=dict)

    def left(self, item: OpenItem) -> int:
        return self.open_cents.setdefault(item.id, item.open_cents)

    def paid(self, item: OpenItem) -> int:
        return item.original_cents - self.left(item)

    def move(self, item: OpenItem, cents: int) -> None:
        self.open_cents[item.id] = self.left(item) + cents


def standing(ledger: Ledger, entries: Iterable[Entry]) -> Standing:
    """Read and lock the items that the entries name by reference, and read those of the same amount."""
    entries = list(entries)
    wanted = {ref for entry in entries for ref in references_of(entry)}
    amounts = {entry.cents for entry in entries if entry.cents > 0}
    claims = OpenItem.objects.filter(
        ledger=ledger, account__role=AccountRole.RECEIVABLE, finance_account__isnull=False
    ).exclude(claim__state=Claim.State.CANCELLED)
    # Locks are taken by ascending id, so that two imports never wait for each other crosswise.
    ids = claims.filter(payment_reference__in=wanted).values_list("id", flat=True)
    list(OpenItem.objects.filter(id__in=list(ids)).order_by("id").select_for_update())
    named = claims.filter(payment_reference__in=wanted).select_related("account", "product", "finance_account", "claim")
    similar = claims.filter(open_cents__in=amounts).select_related("party", "claim") if amounts else []
    by_amount: dict[int, list[OpenItem]] = {}
    for item in similar:
        by_amount.setdefault(item.open_cents, []).append(item)
    return Standing({item.payment_reference or "": item for item in named}, by_amount)


def references_of(entry: Entry) -> list[str]:
    """Payment references in the remittance, then in the end-to-end id."""
    return list(dict.fromkeys(references.found_in(entry.remittance) + references.found_in(entry.end_to_end_id)))


def decide(entry: Entry, now_open: Standing) -> Match:
    """The match for one entry; `now_open` is moved accordingly."""
    items = [now_open.by_reference[ref] for ref in references_of(entry) if ref in now_open.by_reference]
    if entry.cents > 0 and not entry.is_return:
        return _received(entry, items, now_open)
    if entry.cents < 0 and entry.is_return:
        return _returned(entry, items, now_open)
    return Match((), abs(entry.cents), "unknown-return" if entry.is_return else "unknown-payment")


def _received(entry: Entry, items: Sequence[OpenItem], now_open: Standing) -> Match:
    payable = [item for item in items if now_open.left(item) > 0]
    total = sum(now_open.left(item) for item in payable)
    if len(payable) > 1 and total > entry.cents:
        return Match((), entry.cents, "several-references", payable[0])
    if payable:
        settles, rest = [], entry.cents
        for item in payable:
            cents = min(rest, now_open.left(item))
            now_open.move(item, -cents)
            settles.append((item, cents))
            rest -= cents
        return Match(tuple(settles), rest, "reference")
    if items:
        return Match((), entry.cents, "already-settled")
    alike = [
        item
        for item in now_open.by_amount.get(entry.cents, [])
        if now_open.left(item) == entry.cents
        and item.party is not None
        and same_name(item.party.name, entry.counterparty)
    ]
    return Match(
        (), entry.cents, "amount-and-name" if len(alike) == 1 else "unknown", alike[0] if len(alike) == 1 else None
    )


def _returned(entry: Entry, items: Sequence[OpenItem], now_open: Standing) -> Match:
    settles, rest = [], -entry.cents
    for item in items:
        cents = min(rest, now_open.paid(item))
        if cents > 0:
            now_open.move(item, cents)
            settles.append((item, cents))
            rest -= cents
    return Match(tuple(settles), rest, "return" if settles else "unknown-return")


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same people's, whatever the bank made of umlauts, order, case and titles."""
    mine, theirs = _words(one), _words(other)
    return len(mine & theirs) >= 2 or (bool(mine) and mine == theirs)


_TITLES = frozenset({"herr", "frau", "dr", "prof", "und", "oder", "gmbh", "ag", "ev"})


def _words(name: str) -> frozenset[str]:
    folded = name.casefold()
    for umlaut, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        folded = folded.replace(umlaut, plain)
    folded = "".join(
        c if c.isalnum() else " " for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c)
    )
    return frozenset(word for word in folded.split() if len(word) > 1 and word not in _TITLES)


def role_account(ledger: Ledger, role: AccountRole) -> Account | None:
    """The account of the chart with this role."""
    return Account.objects.filter(ledger=ledger, role=role).order_by("code").first()
