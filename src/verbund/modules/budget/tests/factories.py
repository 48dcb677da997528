"""A ledger ready to be booked on: the sample chart and products, a year with a few appropriations, a bank account."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

from verbund.modules.budget import services
from verbund.modules.budget.services import Line, Party
from verbund.platform.identity.actor import Actor

DATA = Path(__file__).resolve().parents[1] / "data"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
IBAN = "DE02120300000000202051"
SYSTEM = Actor.system("alpha", "test")


@dataclass(frozen=True, slots=True)
class Town:
    """The codes a test books on."""

    ledger: str = "ALPHA"
    year: int = 2026
    product: str = "12301"
    revenue: str = "4311"
    bank: str = "1810"
    bank_account: UUID | None = None


def make_town(
    actor: Actor = SYSTEM, *, code: str = "ALPHA", year: int = 2026, opening_cents: int = 100_000, iban: str = IBAN
) -> Town:
    """Open a ledger, import the sample chart, plan a few lines, open the bank account with its opening balance."""
    services.open_ledger(actor, code=code, name=f"Stadt {code}", now=NOW)
    services.import_chart(actor, ledger=code, csv_text=(DATA / "accounts.csv").read_text(encoding="utf-8"), now=NOW)
    services.import_products(actor, ledger=code, csv_text=(DATA / "products.csv").read_text(encoding="utf-8"), now=NOW)
    services.open_year(actor, ledger=code, year=year, now=NOW)
    for product, account, cents in (
        ("12301", "4311", 5_000_000),
        ("12201", "4032", 2_000_000),
        ("54100", "5233", 1_500_000),
        ("54100", "7233", 1_500_000),
        ("12600", "5233", 200_000),
        ("12600", "7233", 200_000),
    ):
        services.set_appropriation(
            actor, ledger=code, year=year, product=product, account=account, cents=cents, now=NOW
        )
    bank = services.open_bank_account(
        actor, ledger=code, account="1810", iban=iban, name="Girokonto", opening_cents=opening_cents, now=NOW
    )
    if opening_cents:
        services.post_voucher(
            actor,
            ledger=code,
            year=year,
            series="EB",
            posting_date=date(year, 1, 1),
            document_date=date(year, 1, 1),
            text="Eröffnung",
            kind=services.VoucherKind.OPENING,
            lines=[Line("1810", debit=opening_cents), Line("2010", credit=opening_cents)],
            now=NOW,
        )
    return Town(ledger=code, year=year, bank_account=bank)


def raise_claim(
    town: Town, cents: int = 3070, *, name: str = "Frieda Fuchs", origin: str = "", actor: Actor = SYSTEM
) -> services.ClaimRef:
    """A fee claim on the town's revenue line."""
    return services.raise_claim(
        actor,
        ledger=town.ledger,
        product=town.product,
        account=town.revenue,
        cents=cents,
        debtor=Party(name, "Am Markt 1", "19999", "Musterstadt"),
        due_on=date(2026, 12, 20),
        text="Bewohnerparkausweis",
        origin=origin,
        now=NOW,
    )


def entry_xml(
    cents: int,
    *,
    text: str = "",
    name: str = "Frieda Fuchs",
    ref: str = "",
    end_to_end: str = "NOTPROVIDED",
    day: str = "2026-11-19",
    reason: str = "",
    structured: str = "",
) -> str:
    """One `Ntry` of a camt.053.001.08; cents below zero went."""
    side = "CRDT" if cents > 0 else "DBIT"
    amount = f"{abs(cents) // 100}.{abs(cents) % 100:02d}"
    party = "Dbtr" if (cents > 0) != bool(reason) else "Cdtr"
    if reason:
        party = "Dbtr" if cents < 0 else "Cdtr"
    back = f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>" if reason else ""
    own = f"<NtryRef>{ref}</NtryRef>" if ref else ""
    strd = f"<Strd><CdtrRefInf><Ref>{structured}</Ref></CdtrRefInf></Strd>" if structured else ""
    return f"""<Ntry>{own}<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>
<NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs><Amt
Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>
<RltdPties><{party}><Pty><Nm>{name}</Nm></Pty></{party}></RltdPties>
<RmtInf><Ustrd>{text}</Ustrd>{strd}</RmtInf>{back}</TxDtls></NtryDtls></Ntry>"""


def statement_xml(
    opening: int,
    entries: list[tuple[int, str]],
    *,
    statement_id: str = "A-1",
    iban: str = IBAN,
    day: str = "2026-11-19",
    closing: int | None = None,
) -> str:
    """One `Stmt`; entries as (cents, Ntry)."""

    def balance(code: str, cents: int) -> str:
        side = "CRDT" if cents >= 0 else "DBIT"
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="EUR">{abs(cents) // 100}.{abs(cents) % 100:02d}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
            f"<Dt><Dt>{day}</Dt></Dt></Bal>"
        )

    total = opening + sum(cents for cents, _xml in entries) if closing is None else closing
    return (
        f"<Stmt><Id>{statement_id}</Id><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        + balance("OPBD", opening)
        + balance("CLBD", total)
        + "".join(xml for _cents, xml in entries)
        + "</Stmt>"
    )


def camt(*statements: str, version: str = "08") -> bytes:
    """A camt.053 message around statements."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        "<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr>" + "".join(statements) + "</BkToCstmrStmt></Document>"
    ).encode()


def paid(
    town: Town, opening: int, *entries: tuple[int, dict[str, str]], statement_id: str = "A-1", actor: Actor = SYSTEM
) -> services.StatementReport:
    """Import a statement with these movements."""
    rows = [(cents, entry_xml(cents, **kwargs)) for cents, kwargs in entries]
    return services.import_statement(
        actor,
        ledger=town.ledger,
        content=camt(statement_xml(opening, rows, statement_id=statement_id)),
        filename="auszug.xml",
        now=NOW,
    )
