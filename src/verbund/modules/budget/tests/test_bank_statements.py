"""Bank statements: read strictly, imported once, matched by reference, returned, assigned by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verbund.modules.budget import queries, services
from verbund.modules.budget.gateways import camt as reader
from verbund.modules.budget.models import BankAccount, BankStatement, Claim, OpenItem, StatementEntry, Voucher
from verbund.modules.budget.models.references import grouped
from verbund.platform.identity import policy
from verbund.platform.identity.roles import Role

from .factories import IBAN, NOW, SYSTEM, Town, camt, entry_xml, make_town, paid, raise_claim, statement_xml

REFUSED = {
    "camt052.v1.xml": "camt.052",
    "camt052.v2.with-account-name.xml": "camt.052",
    "camt052.v2.xml": "camt.052",
    "camt052.v8.xml": "camt.052",
    "camt053.v2.five.decimals.xml": "does not add up",
    "camt053.v2.minimal.xml": "SEK",
    "camt053.v2.wrong.xml": "no statement",
    "camt053.v4.xml": "SEK",
    "camt053.v8.xml": "SEK",
    "camt054.v2.with-account-name.xml": "camt.054",
    "camt054.v2.xml": "camt.054",
    "camt054.v8-with-financial-institution.xml": "camt.054",
    "camt054.v8.xml": "camt.054",
    "camt53.only-Dt-with-DtTm.xml": "RON",
    "statement_ac04.xml": "no opening balance",
}


@pytest.fixture
def town(alpha: Any) -> Town:
    return make_town()


def test_every_sample_is_read_or_refused_with_its_reason(shared_dir: Path, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    files = sorted((shared_dir / "standards" / "sepa" / "samples").rglob("*.xml"))
    assert len(files) >= 30
    read, reasons = {}, {}
    for file in files:
        try:
            read[file.name] = reader.read(file.read_bytes())
        except reader.NotAStatement as refusal:
            reasons[file.name] = refusal.reason
    for name, reason in reasons.items():
        assert (REFUSED.get(name) or name[:8]) in reason, name
    assert set(read) == {"camt053.v2.multi.statement.xml"}
    first, second = read["camt053.v2.multi.statement.xml"]
    assert (first.opening, first.closing, second.closing) == (1815, 2700, 2000)
    assert [e.cents for e in (*first.entries, *second.entries)] == [885, -700]
    assert first.entries[0].end_to_end_id == "000000001"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<a/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b'<?xml version="1.0"?><!DOCTYPE Document SYSTEM "file:///etc/passwd">'
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>',
        b"x" * (reader.LIMIT + 1),
        "<?xml version='1.0' encoding='UTF-16'?><a/>".encode("utf-16"),
    ],
)
def test_hostile_files_are_refused(content: bytes) -> None:
    with pytest.raises(reader.NotAStatement):
        reader.read(content)


@pytest.mark.parametrize(
    ("xml", "word"),
    [
        (entry_xml(500).replace('Ccy="EUR">5.00', 'Ccy="EUR">5.001'), "parts of a cent"),
        (entry_xml(500).replace("<Cd>BOOK</Cd>", "<Cd>PDNG</Cd>"), "not booked"),
        (entry_xml(500).replace("2026-11-19", "2026-13-19"), "not a date"),
        (entry_xml(500).replace("CRDT", "XXXX"), "came or went"),
        (entry_xml(500).replace(">5.00<", ">1e2<"), "not an amount"),
        (entry_xml(500).replace(">5.00<", ">-5.00<"), "not an amount"),
    ],
)
def test_an_entry_that_cannot_be_booked_exactly_refuses_the_file(xml: str, word: str, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    with pytest.raises(reader.NotAStatement) as refusal:
        reader.read(camt(statement_xml(0, [(500, xml)])))
    assert word in refusal.value.reason


def test_five_decimals_that_are_zeros_are_read_exactly() -> None:
    xml = entry_xml(885).replace(">8.85<", ">8.85000<")
    [statement] = reader.read(camt(statement_xml(1815, [(885, xml)])))
    assert (statement.opening, statement.entries[0].cents, statement.closing) == (1815, 885, 2700)


def test_a_collective_entry_is_split_where_its_parts_add_up() -> None:
    detail = (
        '<TxDtls><Refs><EndToEndId>{e}</EndToEndId></Refs><Amt Ccy="EUR">{a}</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls>'
    )
    head = (
        '<Ntry><NtryRef>N1</NtryRef><Amt Ccy="EUR">3.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        "<BookgDt><Dt>2026-11-19</Dt></BookgDt><NtryDtls>"
    )
    good = head + detail.format(e="a", a="1.00") + detail.format(e="b", a="2.00") + "</NtryDtls></Ntry>"
    [statement] = reader.read(camt(statement_xml(0, [(300, good)])))
    assert [(e.ref, e.cents, e.end_to_end_id) for e in statement.entries] == [("N1/1", 100, "a"), ("N1/2", 200, "b")]
    bad = good.replace(">2.00<", ">1.99<")
    [statement] = reader.read(camt(statement_xml(0, [(300, bad)])))
    assert [(e.ref, e.cents) for e in statement.entries] == [("N1", 300)]


def test_money_with_the_reference_settles_the_claim(town: Town, hearing: list[Any]) -> None:
    ref = raise_claim(town, 3070, origin="test:1")
    report = paid(town, 100_000, (3070, {"text": f"Parken {ref.payment_reference}"}))
    assert (report.booked, report.settled, report.waiting) == (("A-1",), 1, 0)
    view = queries.claim(SYSTEM, ref.id)
    assert (view.state, view.open_cents) == (Claim.State.SETTLED, 0)
    entry = StatementEntry.objects.get()
    assert (entry.state, entry.claim_id, entry.how) == ("matched", ref.id, "reference")
    settled = [e for e in hearing if type(e).__name__ == "ClaimSettled"]
    assert [(e.claim_id, e.origin, e.purpose, e.cents) for e in settled] == [(ref.id, "test:1", "fee", 3070)]
    cash = queries.cash_statement(SYSTEM, town.ledger, 2026)
    assert [(r.code, r.cents) for r in cash.operating.receipts if r.cents] == [("6311", 3070)]
    assert queries.reconcile_items(SYSTEM, town.ledger) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda r: r,
        lambda r: f"kassenzeichen:{grouped(r)}",
        lambda r: "KZ " + " ".join(r),
        lambda r: f"{r[:7]}\n{r[7:]} Danke",
        lambda r: f"RF{r} / Nr. 20",
        lambda r: f"Bescheid 2026-11-02 {r[:4]}-{r[4:8]}-{r[8:12]}-{r[12:]}",
    ],
)
def test_the_reference_is_found_however_it_is_written(town: Town, write: Callable[[str], str]) -> None:
    ref = raise_claim(town)
    paid(town, 100_000, (3070, {"text": write(ref.payment_reference)}))
    assert queries.claim(SYSTEM, ref.id).is_settled


def test_the_reference_is_found_in_the_structured_part_and_in_the_end_to_end_id(town: Town) -> None:
    one, two = raise_claim(town, 1000), raise_claim(town, 2000)
    paid(
        town,
        100_000,
        (1000, {"structured": one.payment_reference}),
        (2000, {"end_to_end": two.payment_reference, "ref": "x"}),
    )
    assert queries.claim(SYSTEM, one.id).is_settled
    assert queries.claim(SYSTEM, two.id).is_settled


def test_too_much_money_settles_and_leaves_the_rest_in_suspense(town: Town) -> None:
    ref = raise_claim(town, 3070)
    report = paid(town, 100_000, (5000, {"text": ref.payment_reference}))
    assert queries.claim(SYSTEM, ref.id).is_settled
    assert report.entries[0].rest_cents == 1930
    [waiting], _after = queries.waiting_entries(SYSTEM, town.ledger)
    assert waiting.waiting_cents == 1930
    assert queries.reconcile_items(SYSTEM, town.ledger) == []


def test_too_little_money_leaves_the_item_open_with_the_rest(town: Town) -> None:
    ref = raise_claim(town, 3070)
    paid(town, 100_000, (70, {"text": ref.payment_reference}))
    view = queries.claim(SYSTEM, ref.id)
    assert (view.state, view.open_cents, view.paid_cents) == ("open", 3000, 70)
    paid(town, 100_070, (3000, {"text": ref.payment_reference}), statement_id="A-2")
    assert queries.claim(SYSTEM, ref.id).is_settled


def test_paying_twice_settles_once(town: Town) -> None:
    ref = raise_claim(town, 3070)
    report = paid(town, 100_000, (3070, {"text": ref.payment_reference}), (3070, {"text": ref.payment_reference}))
    assert [e.state for e in report.entries] == ["matched", "suspense"]
    assert report.entries[1].how == "already-settled"


def test_one_transfer_for_two_claims_settles_both_only_when_it_is_enough(town: Town) -> None:
    one, two = raise_claim(town, 1000), raise_claim(town, 2000)
    text = f"{one.payment_reference} und {two.payment_reference}"
    report = paid(town, 100_000, (2500, {"text": text}))
    assert (report.entries[0].state, report.entries[0].how) == ("proposal", "several-references")
    paid(town, 102_500, (3000, {"text": text}), statement_id="A-2")
    assert queries.claim(SYSTEM, one.id).is_settled
    assert queries.claim(SYSTEM, two.id).is_settled


def test_same_amount_and_name_is_a_proposal_and_books_nothing_on_the_claim(town: Town) -> None:
    ref = raise_claim(town, 3070, name="Jürgen Weiß")
    report = paid(town, 100_000, (3070, {"text": "Parkausweis", "name": "WEISS, JUERGEN"}))
    assert (report.entries[0].state, report.entries[0].how) == ("proposal", "amount-and-name")
    assert queries.claim(SYSTEM, ref.id).open_cents == 3070
    [waiting], _after = queries.waiting_entries(SYSTEM, town.ledger)
    assert waiting.proposal is not None
    assert waiting.proposal.id == ref.id


def test_two_claims_alike_give_no_proposal(town: Town) -> None:
    raise_claim(town, 3070)
    raise_claim(town, 3070)
    report = paid(town, 100_000, (3070, {"text": "Parkausweis"}))
    assert (report.entries[0].state, report.entries[0].how) == ("suspense", "unknown")


def test_a_reference_of_a_cancelled_claim_goes_to_suspense(town: Town) -> None:
    ref = raise_claim(town, 3070)
    services.cancel_claim(SYSTEM, claim_id=ref.id, reason="Doppelt erhoben", now=NOW)
    report = paid(town, 100_000, (3070, {"text": ref.payment_reference}))
    assert report.entries[0].state == "suspense"
    assert queries.claim(SYSTEM, ref.id).state == "cancelled"


def test_a_returned_direct_debit_reopens_the_claim_with_a_deduction(town: Town, hearing: list[Any]) -> None:
    ref = raise_claim(town, 3070, origin="test:2")
    paid(town, 100_000, (3070, {"end_to_end": ref.payment_reference}))
    report = paid(
        town,
        103_070,
        (-3070, {"end_to_end": ref.payment_reference, "reason": "AC04", "text": "Rueckgabe"}),
        statement_id="A-2",
    )
    assert (report.entries[0].state, report.entries[0].how) == ("returned", "return")
    view = queries.claim(SYSTEM, ref.id)
    assert (view.state, view.open_cents) == ("open", 3070)
    voucher = queries.voucher(SYSTEM, Voucher.objects.order_by("-id")[0].id)
    bank = next(line for line in voucher.lines if line.account == "1810")
    assert (bank.credit, bank.finance_account, bank.deduction) == (3070, "6311", True)
    assert "AC04" in voucher.text
    assert queries.cash_statement(SYSTEM, town.ledger, 2026).operating.total_receipts == 0
    reopened = [e for e in hearing if type(e).__name__ == "ClaimReopened"]
    assert [(e.claim_id, e.origin, e.open_cents) for e in reopened] == [(ref.id, "test:2", 3070)]


def test_a_return_with_the_banks_fee_reopens_only_what_was_paid(town: Town) -> None:
    ref = raise_claim(town, 3070)
    paid(town, 100_000, (3070, {"text": ref.payment_reference}))
    report = paid(town, 103_070, (-3470, {"text": ref.payment_reference, "reason": "MD06"}), statement_id="A-2")
    assert report.entries[0].rest_cents == 400
    assert queries.claim(SYSTEM, ref.id).open_cents == 3070
    sums = {s.role: s.cents for s in queries.item_sums(SYSTEM, town.ledger)}
    assert sums == {"receivable": 3070, "suspense_out": 400}


def test_a_return_reopens_no_more_than_was_ever_paid(town: Town) -> None:
    ref = raise_claim(town, 3070)
    paid(town, 100_000, (70, {"text": ref.payment_reference}))
    report = paid(town, 100_070, (-3070, {"text": ref.payment_reference, "reason": "AC04"}), statement_id="A-2")
    assert (report.entries[0].state, report.entries[0].rest_cents) == ("returned", 3000)
    assert queries.claim(SYSTEM, ref.id).open_cents == 3070


def test_importing_again_changes_nothing_and_says_so(town: Town) -> None:
    """Property 16: idempotent."""
    ref = raise_claim(town)
    paid(town, 100_000, (3070, {"text": ref.payment_reference}))
    before = (Voucher.objects.count(), StatementEntry.objects.count(), BankAccount.objects.get().balance)
    again = paid(town, 100_000, (3070, {"text": ref.payment_reference}))
    assert (again.booked, again.already_there, again.entries) == ((), ("A-1",), ())
    assert (Voucher.objects.count(), StatementEntry.objects.count(), BankAccount.objects.get().balance) == before


def test_a_file_may_repeat_old_statements_before_new_ones(town: Town) -> None:
    first = statement_xml(100_000, [(100, entry_xml(100))])
    second = statement_xml(100_100, [(200, entry_xml(200))], statement_id="A-2")
    services.import_statement(SYSTEM, ledger=town.ledger, content=camt(first), filename="a.xml", now=NOW)
    report = services.import_statement(
        SYSTEM, ledger=town.ledger, content=camt(first, second), filename="b.xml", now=NOW
    )
    assert (report.booked, report.already_there) == (("A-2",), ("A-1",))
    assert BankAccount.objects.get().balance == 100_300


def test_statements_out_of_order_are_refused_whole(town: Town) -> None:
    """Property 16: a swap of files is refused."""
    first = statement_xml(100_000, [(100, entry_xml(100))])
    second = statement_xml(100_100, [(200, entry_xml(200))], statement_id="A-2")
    for content in (camt(second), camt(second, first)):
        with pytest.raises(services.StatementRefused):
            services.import_statement(SYSTEM, ledger=town.ledger, content=content, filename="b.xml", now=NOW)
    assert (BankStatement.objects.count(), Voucher.objects.filter(series="BK").count()) == (0, 0)


def test_a_file_with_one_bad_statement_books_none_of_it(town: Town) -> None:
    first = statement_xml(100_000, [(100, entry_xml(100))])
    gap = statement_xml(100_101, [(200, entry_xml(200))], statement_id="A-2")
    with pytest.raises(services.StatementRefused):
        services.import_statement(SYSTEM, ledger=town.ledger, content=camt(first, gap), filename="b.xml", now=NOW)
    assert (BankStatement.objects.count(), BankAccount.objects.get().balance) == (0, 100_000)


def test_a_known_statement_with_other_contents_is_refused(town: Town) -> None:
    paid(town, 100_000, (100, {}))
    with pytest.raises(services.StatementRefused):
        paid(town, 100_000, (200, {}))
    assert BankAccount.objects.get().balance == 100_100


def test_a_statement_that_does_not_add_up_is_refused(town: Town) -> None:
    content = camt(statement_xml(100_000, [(100, entry_xml(100))], closing=100_101))
    with pytest.raises(reader.NotAStatement):
        services.import_statement(SYSTEM, ledger=town.ledger, content=content, filename="b.xml", now=NOW)
    assert BankStatement.objects.count() == 0


def test_a_foreign_account_is_refused(town: Town) -> None:
    content = camt(statement_xml(0, [(100, entry_xml(100))], iban="DE89370400440532013000"))
    with pytest.raises(services.StatementRefused):
        services.import_statement(SYSTEM, ledger=town.ledger, content=content, filename="b.xml", now=NOW)


def test_a_statement_of_a_closed_day_is_refused(town: Town) -> None:
    from datetime import date

    services.lock_period(SYSTEM, ledger=town.ledger, year=2026, through=date(2026, 11, 30), now=NOW)
    with pytest.raises(services.PeriodClosed):
        paid(town, 100_000, (100, {}))
    assert (BankStatement.objects.count(), BankAccount.objects.get().balance) == (0, 100_000)


def test_assigning_by_hand_moves_money_from_suspense_to_the_claim(town: Town) -> None:
    ref = raise_claim(town, 3070)
    report = paid(town, 100_000, (5000, {"text": "ohne alles", "name": "Unbekannt"}))
    entry = report.entries[0].entry_id
    services.assign_receipt(SYSTEM, entry_id=entry, claim_id=ref.id, now=NOW)
    assert queries.claim(SYSTEM, ref.id).is_settled
    [waiting], _after = queries.waiting_entries(SYSTEM, town.ledger)
    assert waiting.waiting_cents == 1930
    cash = queries.cash_statement(SYSTEM, town.ledger, 2026)
    assert (cash.operating.total_receipts, cash.transit.total_receipts, cash.closing_liquid_funds) == (
        3070,
        1930,
        105_000,
    )
    assert queries.reconcile_items(SYSTEM, town.ledger) == []
    with pytest.raises(services.NotAssignable):
        services.assign_receipt(SYSTEM, entry_id=entry, claim_id=ref.id, now=NOW)


def test_a_return_that_nobody_knew_can_be_taken_off_a_claim_by_hand(town: Town) -> None:
    ref = raise_claim(town, 3070)
    paid(town, 100_000, (3070, {"text": ref.payment_reference}))
    report = paid(town, 103_070, (-3070, {"text": "Rückgabe", "reason": "AC04"}), statement_id="A-2")
    services.assign_receipt(SYSTEM, entry_id=report.entries[0].entry_id, claim_id=ref.id, now=NOW)
    assert queries.claim(SYSTEM, ref.id).open_cents == 3070
    cash = queries.cash_statement(SYSTEM, town.ledger, 2026)
    assert (cash.operating.balance, cash.transit.balance, cash.closing_liquid_funds) == (0, 0, 100_000)


@pytest.mark.parametrize("role", [Role.CLERK, Role.BUDGET_OFFICER, Role.AUDITOR, Role.HEAD_OF_UNIT])
def test_only_the_treasury_imports_and_assigns(town: Town, staff: Any, role: Role) -> None:
    ref = raise_claim(town)
    report = paid(town, 100_000, (3070, {"text": "?", "name": "?"}))
    with pytest.raises(policy.Denied):
        paid(town, 103_070, (100, {}), statement_id="A-2", actor=staff(role))
    with pytest.raises(policy.Denied):
        services.assign_receipt(staff(role), entry_id=report.entries[0].entry_id, claim_id=ref.id, now=NOW)
    assert BankStatement.objects.count() == 1
    assert OpenItem.objects.get(claim=ref.id).open_cents == 3070


def test_the_treasury_clerk_imports(town: Town, staff: Any) -> None:
    ref = raise_claim(town)
    paid(town, 100_000, (3070, {"text": ref.payment_reference}), actor=staff(Role.TREASURY_CLERK))
    assert queries.claim(SYSTEM, ref.id).is_settled


def test_the_statement_names_its_account_by_iban(town: Town) -> None:
    assert BankAccount.objects.get().iban == IBAN
