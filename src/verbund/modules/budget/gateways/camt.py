"""Reader of bank statements, camt.053.001.02 to .14 (ISO 20022): strict about what is booked, indifferent to what is
not needed.

Read by `platform.xml`. A refusal is a `NotAStatement` with the
reason; nothing is guessed. Versions differ in few places (status as text or code, BIC names, parties wrapped in
`Pty`), which are read either way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from lxml import etree
from schwifty import IBAN

from verbund.platform import xml
from verbund.platform.tenancy import Invalid

LIMIT: Final = 20 * 1024 * 1024
_NAMESPACE = re.compile(r"^urn:iso:std:iso:20022:tech:xsd:((camt|pain|pacs|acmt|admi)\.\d{3})\.\d{3}\.(\d{2})$")
_VERSIONS: Final = frozenset(f"{n:02d}" for n in range(2, 15))
_ZONE: Final = ZoneInfo("Europe/Berlin")
_CENT: Final = Decimal("0.01")
_MAX: Final = Decimal("1e13")
_RETURN_FAMILIES: Final = frozenset({"RRTN", "UPDD", "PRDD", "RPCR", "ARET", "UPCT"})


class NotAStatement(Invalid):
    """The file is not a bank statement this reader takes; the message names the reason and the place."""

    def __init__(self, reason: str) -> None:
        super().__init__({"file": reason})
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked movement; `cents` is signed: above zero came, below zero went."""

    ref: str
    cents: int
    booked_on: date
    value_on: date | None
    counterparty: str
    counterparty_iban: str
    end_to_end_id: str
    mandate: str
    remittance: str
    is_return: bool
    return_reason: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account; opening + entries = closing is checked by the reader."""

    iban: str
    id: str
    sequence: str
    opening: int
    closing: int
    closing_on: date
    entries: tuple[Entry, ...]


def read(content: bytes) -> list[Statement]:
    """The statements of a camt.053 file, in the file's order.

    Raises:
        NotAStatement: not XML, unsafe XML, another message, another currency, amounts in parts of a cent, wrong sums,
        ...
    """
    if len(content) > LIMIT:
        raise NotAStatement(_("The file is larger than 20 MB. Ask the bank for daily statements."))
    if not content.strip():
        raise NotAStatement(_("The file is empty."))
    root = _parse(content)
    name = etree.QName(root)
    match = _NAMESPACE.match(name.namespace or "")
    if match is None or name.localname != "Document":
        raise NotAStatement(_("This is an XML file, but not a message of a bank (ISO 20022)."))
    kind, version = match.group(1), match.group(3)
    if kind != "camt.053":
        raise NotAStatement(_refused_kind(kind))
    if version not in _VERSIONS:
        raise NotAStatement(
            _("The version %(version)s of camt.053 is not known here.") % {"version": f"camt.053.001.{version}"}
        )
    statements = [_statement(node) for node in _all(root, "BkToCstmrStmt/Stmt")]
    if not statements:
        raise NotAStatement(_("The message contains no statement (element Stmt is missing)."))
    return statements


def _refused_kind(kind: str) -> str:
    reasons = {
        "camt.052": _(
            "This is a report of the current day (camt.052), not a statement. Only statements (camt.053) are booked."
        ),
        "camt.054": _(
            "This is a notification of movements (camt.054), not a statement. Only statements (camt.053) are booked."
        ),
        "pain.001": _("This is a payment order to the bank (pain.001), not a statement."),
        "pain.008": _("This is a direct debit order to the bank (pain.008), not a statement."),
    }
    return reasons.get(
        kind, _("This is a message of another kind (%(kind)s), not a statement (camt.053).") % {"kind": kind}
    )


def _parse(content: bytes) -> etree._Element:
    try:
        return xml.parse(content, limit=LIMIT)
    except xml.Refused as refusal:
        raise NotAStatement(str(refusal.message)) from None


def _all(node: etree._Element, path: str) -> list[etree._Element]:
    return node.findall("/".join(f"{{*}}{part}" for part in path.split("/")))


def _text(node: etree._Element, *paths: str) -> str:
    for path in paths:
        for found in _all(node, path):
            text = "".join(map(str, found.itertext())).strip()
            if text:
                return " ".join(text.split())
    return ""


def _statement(node: etree._Element) -> Statement:
    statement_id = _text(node, "Id")
    if not statement_id or len(statement_id) > 70:
        raise NotAStatement(_("A statement has no identification (element Id)."))
    iban = _iban(node, statement_id)
    currency = _text(node, "Acct/Ccy")
    if currency and currency != "EUR":
        raise NotAStatement(
            _("Statement %(id)s is of an account in %(currency)s. Only euro accounts are kept.")
            % {"id": statement_id, "currency": currency}
        )
    opening, _day = _balance(node, statement_id, ("OPBD", "PRCD"), _("opening"))
    closing, closing_on = _balance(node, statement_id, ("CLBD",), _("closing"))
    entries = tuple(_numbered(node, statement_id))
    total = sum(entry.cents for entry in entries)
    if opening + total != closing:
        raise NotAStatement(
            _(
                "Statement %(id)s does not add up: opening %(opening)s and movements of %(total)s are not"
                " the closing %(closing)s."
            )
            % {"id": statement_id, "opening": euros(opening), "total": euros(total), "closing": euros(closing)}
        )
    return Statement(iban, statement_id, _text(node, "ElctrncSeqNb", "LglSeqNb"), opening, closing, closing_on, entries)


def _iban(node: etree._Element, statement_id: str) -> str:
    written = _text(node, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
    iban = IBAN("".join(written.split()), allow_invalid=True)
    if not iban.is_valid:
        raise NotAStatement(_("Statement %(id)s names no valid IBAN of its account.") % {"id": statement_id})
    return str(iban.compact)


def euros(cents: int) -> str:
    """Cents as euros with a decimal comma."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100},{cents % 100:02d}"


def _cents(node: etree._Element, where: str) -> int:
    """The amount of an `Amt` element in cents; more decimals than two are taken only if they are zeros."""
    currency = node.get("Ccy", "")
    written = (node.text or "").strip()
    if currency != "EUR":
        raise NotAStatement(
            _("%(where)s: the amount is in %(currency)s. Only euros are booked.")
            % {"where": where, "currency": currency or "?"}
        )
    try:
        amount = Decimal(written) if re.fullmatch(r"\+?\d{1,18}(\.\d{0,5})?", written) else None
    except InvalidOperation:
        amount = None
    if amount is None or amount >= _MAX:
        raise NotAStatement(_("%(where)s: “%(written)s” is not an amount.") % {"where": where, "written": written[:40]})
    if amount != amount.quantize(_CENT):
        raise NotAStatement(
            _("%(where)s: the amount %(written)s has parts of a cent.") % {"where": where, "written": written}
        )
    return int(amount * 100)


def _signed(node: etree._Element, where: str) -> int:
    amounts = _all(node, "Amt")
    if len(amounts) != 1:
        raise NotAStatement(_("%(where)s: there is no amount.") % {"where": where})
    cents = _cents(amounts[0], where)
    indicator = _text(node, "CdtDbtInd")
    if indicator not in ("CRDT", "DBIT"):
        raise NotAStatement(_("%(where)s: it is not said whether the amount came or went.") % {"where": where})
    return cents if indicator == "CRDT" else -cents


def _balance(node: etree._Element, statement_id: str, codes: tuple[str, ...], word: str) -> tuple[int, date]:
    for code in codes:
        found = [b for b in _all(node, "Bal") if _text(b, "Tp/CdOrPrtry/Cd") == code]
        if len(found) > 1:
            raise NotAStatement(
                _("Statement %(id)s has several %(word)s balances.") % {"id": statement_id, "word": word}
            )
        if found:
            where = _("Statement %(id)s, %(word)s balance") % {"id": statement_id, "word": word}
            day = _date(found[0], "Dt", where)
            if day is None:
                raise NotAStatement(_("%(where)s: the date is missing.") % {"where": where})
            return _signed(found[0], where), day
    raise NotAStatement(_("Statement %(id)s has no %(word)s balance.") % {"id": statement_id, "word": word})


def _date(node: etree._Element, path: str, where: str) -> date | None:
    day = _text(node, f"{path}/Dt")
    instant = _text(node, f"{path}/DtTm")
    try:
        if day:
            return date.fromisoformat(day[:10])
        if instant:
            moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", instant))
            return (moment.astimezone(_ZONE) if moment.tzinfo else moment).date()
    except ValueError as error:
        raise NotAStatement(
            _("%(where)s: “%(written)s” is not a date.") % {"where": where, "written": (day or instant)[:40]}
        ) from error
    return None


def _numbered(node: etree._Element, statement_id: str) -> Iterator[Entry]:
    """Entries with references unique in the statement: the bank's own where there is one, else the position."""
    seen: dict[str, int] = {}
    for position, entry in enumerate(_all(node, "Ntry"), 1):
        where = _("Statement %(id)s, movement %(position)d") % {"id": statement_id, "position": position}
        status = _text(entry, "Sts/Cd", "Sts")
        if status and status != "BOOK":
            raise NotAStatement(
                _("%(where)s: it is not booked yet (%(status)s).") % {"where": where, "status": status[:10]}
            )
        cents = _signed(entry, where)
        booked_on = _date(entry, "BookgDt", where) or _date(entry, "ValDt", where)
        if booked_on is None:
            raise NotAStatement(_("%(where)s: the booking date is missing.") % {"where": where})
        if cents == 0:
            continue
        base = _text(entry, "NtryRef") or _text(entry, "AcctSvcrRef") or f"#{position}"
        seen[base] = seen.get(base, 0) + 1
        ref = base[:80] if seen[base] == 1 else f"{base[:80]}#{seen[base]}"
        details = _all(entry, "NtryDtls/TxDtls")
        parts = _split(details, cents, where)
        for number, (detail, part) in enumerate(parts, 1):
            yield _entry(entry, detail, f"{ref}/{number}" if len(parts) > 1 else ref, part, booked_on, where)


def _split(details: list[etree._Element], cents: int, where: str) -> list[tuple[etree._Element | None, int]]:
    """A collective entry is split into its transactions where their amounts say exactly the entry's amount."""
    if len(details) < 2:
        return [(details[0] if details else None, cents)]
    parts = []
    for detail in details:
        amounts = _all(detail, "Amt") or _all(detail, "AmtDtls/TxAmt/Amt")
        if len(amounts) != 1 or amounts[0].get("Ccy") != "EUR":
            return [(None, cents)]
        sign = {"CRDT": 1, "DBIT": -1}.get(_text(detail, "CdtDbtInd"), 1 if cents > 0 else -1)
        parts.append((detail, sign * _cents(amounts[0], where)))
    if sum(part for _detail, part in parts) != cents or any(part == 0 for _detail, part in parts):
        return [(None, cents)]
    return [(detail, part) for detail, part in parts]


def _entry(
    entry: etree._Element, detail: etree._Element | None, ref: str, cents: int, booked_on: date, where: str
) -> Entry:
    source = detail if detail is not None else entry
    side = "Dbtr" if cents > 0 else "Cdtr"
    other = "Cdtr" if cents > 0 else "Dbtr"
    reason = _text(source, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
    family = _text(source, "BkTxCd/Domn/Fmly/SubFmlyCd") or _text(entry, "BkTxCd/Domn/Fmly/SubFmlyCd")
    is_return = bool(_all(source, "RtrInf")) or _text(entry, "RvslInd") in ("true", "1") or family in _RETURN_FAMILIES
    if is_return:  # the parties of the first payment: the other one stands on our usual side
        side, other = other, side
    words = [" ".join("".join(map(str, u.itertext())).split()) for u in _all(source, "RmtInf/Ustrd")]
    words += [_text(s, "CdtrRefInf/Ref") for s in _all(source, "RmtInf/Strd")]
    words += [_text(s, "AddtlRmtInf") for s in _all(source, "RmtInf/Strd")]
    if detail is None or not any(words):
        words.append(_text(entry, "AddtlNtryInf"))
    end_to_end = _text(source, "Refs/EndToEndId")
    return Entry(
        ref=ref,
        cents=cents,
        booked_on=booked_on,
        value_on=_date(entry, "ValDt", where),
        counterparty=_text(source, f"RltdPties/{side}/Pty/Nm", f"RltdPties/{side}/Nm", f"RltdPties/Ultmt{side}/Nm")[
            :200
        ],
        counterparty_iban="".join(_text(source, f"RltdPties/{side}Acct/Id/IBAN").split())[:34],
        end_to_end_id="" if end_to_end.upper() == "NOTPROVIDED" else end_to_end[:70],
        mandate=_text(source, "Refs/MndtId")[:70],
        remittance="\n".join(word for word in words if word)[:2000],
        is_return=is_return,
        return_reason=reason[:40],
    )
