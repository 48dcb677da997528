"""What a bank would send: a statement of account as camt.053.001.08, made from movements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from lxml import etree

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement on the account; `cents` above zero came in, below zero went out.

    `returned` is the reason code of a direct debit or transfer that came back (ISO 20022 external code, such as AC04).
    """

    cents: int
    booked_on: date
    name: str
    iban: str
    remittance: str
    end_to_end: str = ""
    returned: str = ""


def statement(
    *, iban: str, number: int, opening: int, movements: Sequence[Movement], closing_on: date, owner: str = ""
) -> bytes:
    """A camt.053 message with one statement of the account `iban`, in euro; opening and movements are in cents."""
    closing = opening + sum(m.cents for m in movements)
    created = datetime.combine(closing_on, time(20, 15), UTC)
    identification = f"{closing_on:%Y%m%d}-{number:05d}"
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item]  # lxml's stubs
    message = _add(root, "BkToCstmrStmt")
    head = _add(message, "GrpHdr")
    _add(head, "MsgId", f"M{identification}")
    _add(head, "CreDtTm", created.isoformat())
    body = _add(message, "Stmt")
    _add(body, "Id", identification)
    _add(body, "ElctrncSeqNb", str(number))
    _add(body, "CreDtTm", created.isoformat())
    account = _add(body, "Acct")
    _add(_add(account, "Id"), "IBAN", iban)
    _add(account, "Ccy", "EUR")
    if owner:
        _add(_add(account, "Ownr"), "Nm", owner[:140])
    _balance(body, "OPBD", opening, min((m.booked_on for m in movements), default=closing_on))
    _balance(body, "CLBD", closing, closing_on)
    for position, movement in enumerate(movements, 1):
        _entry(body, f"{identification}-{position}", movement)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _entry(body: etree._Element, reference: str, movement: Movement) -> None:
    entry = _add(body, "Ntry")
    _add(entry, "NtryRef", reference)
    _amount(entry, movement.cents)
    if movement.returned:
        _add(entry, "RvslInd", "true")
    _add(_add(entry, "Sts"), "Cd", "BOOK")
    _add(_add(entry, "BookgDt"), "Dt", movement.booked_on.isoformat())
    _add(_add(entry, "ValDt"), "Dt", movement.booked_on.isoformat())
    _code(entry, movement)
    details = _add(_add(entry, "NtryDtls"), "TxDtls")
    references = _add(details, "Refs")
    _add(references, "EndToEndId", movement.end_to_end or "NOTPROVIDED")
    _amount(details, movement.cents)
    parties = _add(details, "RltdPties")
    # A return names the parties of the payment that came back: whoever had paid is still the debtor.
    payer = (movement.cents > 0) != bool(movement.returned)
    side = "Dbtr" if payer else "Cdtr"
    _add(_add(_add(parties, side), "Pty"), "Nm", movement.name[:140])
    _add(_add(_add(parties, f"{side}Acct"), "Id"), "IBAN", movement.iban)
    _add(_add(details, "RmtInf"), "Ustrd", movement.remittance[:140])
    if movement.returned:
        _add(_add(_add(details, "RtrInf"), "Rsn"), "Cd", movement.returned)


def _code(entry: etree._Element, movement: Movement) -> None:
    domain = _add(_add(entry, "BkTxCd"), "Domn")
    _add(domain, "Cd", "PMNT")
    family = _add(domain, "Fmly")
    _add(family, "Cd", "RCDT" if movement.cents > 0 else "ICDT")
    _add(family, "SubFmlyCd", "RRTN" if movement.returned else "ESCT")


def _balance(body: etree._Element, code: str, cents: int, day: date) -> None:
    balance = _add(body, "Bal")
    _add(_add(_add(balance, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(balance, cents)
    _add(_add(balance, "Dt"), "Dt", day.isoformat())


def _amount(parent: etree._Element, cents: int) -> None:
    amount = _add(parent, "Amt", f"{abs(cents) // 100}.{abs(cents) % 100:02d}")
    amount.set("Ccy", "EUR")
    _add(parent, "CdtDbtInd", "CRDT" if cents >= 0 else "DBIT")


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child
