"""The worked example of a whole year (budget domain, section 4), replayed voucher by voucher through the services, to
the cent.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from verbund.modules.budget import queries, services
from verbund.modules.budget.models import Claim, OpenItem
from verbund.modules.budget.services import Demand, Line, NewItem, Party, VoucherKind
from verbund.platform.identity.actor import Actor

EXAMPLE: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "example1.json").read_text(encoding="utf-8"))
EXPECTED = EXAMPLE["expected"]
LEDGER = "BSP"
YEAR = 2026


def cents(written: str) -> int:
    value = Decimal(written) * 100
    assert value == int(value)
    return int(value)


def chart() -> str:
    kinds = {"special_item": "special_item", "revenue": "revenue", "expense": "expense"}
    roles = {"1710": "receivable", "3510": "payable"}
    partners = {"4012": "6012", "5233": "7233"}
    rows = ["code;name;kind;role;liquid;finance_account;section;scheduled_repayment"]
    for code, facts in EXAMPLE["accounts"].items():
        kind = kinds.get(facts["type"], facts["type"])
        liquid = "ja" if facts.get("liquid") else ""
        rows.append(f"{code};{facts['name']};{kind};{roles.get(code, '')};{liquid};{partners.get(code, '')};;")
    for code, facts in EXAMPLE["finance_accounts"].items():
        kind = "receipt" if code[0] == "6" else "payment"
        rows.append(f"{code};{facts['name']};{kind};;;;{facts['section'].split('_')[0]};")
    return "\n".join(rows)


def products() -> str:
    rows = ["code;name;sub_budget;sub_budget_name"]
    for sub_budget, codes in EXAMPLE["sub_budgets"].items():
        rows += [f"{code};{EXAMPLE['products'][code]};{sub_budget};{sub_budget}" for code in codes]
    return "\n".join(rows)


class Replay:
    """Plays the example's year: claims by `raise_claim`, the rest by `post_voucher`, with the open items they name."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.old_claim = NewItem("Altforderung 2025", product="61100", finance_account="6012")
        self.old_invoice = NewItem("Rechnung aus 2025", product="54100", finance_account="7233")
        self.items: dict[int, UUID] = {}
        self.bindings: dict[str, UUID] = {}

    def at(self, day: str) -> datetime:
        return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=10)

    def set_up(self) -> None:
        now = self.at("2026-01-01")
        services.open_ledger(self.actor, code=LEDGER, name="Stadt Beispielstadt", now=now)
        services.import_chart(self.actor, ledger=LEDGER, csv_text=chart(), now=now)
        services.import_products(self.actor, ledger=LEDGER, csv_text=products(), now=now)
        services.open_year(self.actor, ledger=LEDGER, year=YEAR, now=now)
        for row in EXAMPLE["budget"]:
            product, account = row["line"].split(".")
            services.set_appropriation(
                self.actor,
                ledger=LEDGER,
                year=YEAR,
                product=product,
                account=account,
                cents=cents(row["amount"]),
                now=now,
            )
        for row in EXAMPLE["cover_circles"]:
            services.form_circle(
                self.actor,
                ledger=LEDGER,
                year=YEAR,
                code=row["id"],
                budget_kind=row["budget"],
                lines=[tuple(line.split(".")) for line in row["lines"]],
                now=now,
            )
        lines = []
        for code, written in EXAMPLE["opening_balance"].items():
            amount = cents(written)
            new = {"1710": self.old_claim, "3510": self.old_invoice}.get(code)
            lines.append(Line(code, debit=max(amount, 0), credit=max(-amount, 0), new_item=new))
        self.post("EB", "2026-01-01", "Eröffnungsbilanz", VoucherKind.OPENING, lines)

    def post(
        self, series: str, day: str, text: str, kind: VoucherKind, lines: list[Line], binding: UUID | None = None
    ) -> services.VoucherRef:
        return services.post_voucher(
            self.actor,
            ledger=LEDGER,
            year=YEAR,
            series=series,
            posting_date=date.fromisoformat(day),
            document_date=date.fromisoformat(day),
            text=text,
            kind=kind,
            lines=lines,
            binding=binding,
            now=self.at(day),
        )

    def play(self) -> None:
        for commitment in EXAMPLE["commitments"]:
            product, account = commitment["line"].split(".")
            self.bindings[commitment["id"]] = services.commit(
                self.actor,
                ledger=LEDGER,
                year=YEAR,
                demands=[Demand(product, account, cents(commitment["amount"]))],
                text=commitment["text"],
                idempotency_key=commitment["id"],
                now=self.at(commitment["date"]),
            )
        for voucher in EXAMPLE["vouchers"]:
            if voucher["no"] == 1:
                self.assess(voucher)
            else:
                self.post_lines(voucher)

    def assess(self, voucher: dict[str, Any]) -> None:
        ref = services.raise_claim(
            self.actor,
            ledger=LEDGER,
            product="61100",
            account="4012",
            cents=cents(voucher["lines"][1]["credit"]),
            debtor=Party("Sammelkonto Grundsteuer"),
            due_on=date(2026, 2, 15),
            text=voucher["text"],
            origin="",
            now=self.at(voucher["date"]),
        )
        self.items[1] = Claim.objects.get(id=ref.id).item_id

    def post_lines(self, voucher: dict[str, Any]) -> None:
        # Which open item a payment is for is the one thing the example leaves to its texts.
        pays: dict[int, UUID | None] = {
            2: self.items[1],
            3: self.old_claim.id,
            4: self.old_invoice.id,
            7: self.items[1],
        }
        pays |= {6: self.items.get(5), 10: self.items.get(9)}
        lines = []
        for row in voucher["lines"]:
            new = item = None
            if row["account"] in ("1710", "3510"):
                item = pays.get(voucher["no"])
                if item is None:
                    finance = voucher.get("finance_line_when_paid", f"{row['product']}.7233").split(".")
                    new = NewItem(voucher["text"], product=finance[0], finance_account=finance[1])
                    self.items[voucher["no"]] = new.id
            lines.append(
                Line(
                    row["account"],
                    row.get("product"),
                    debit=cents(row["debit"]),
                    credit=cents(row["credit"]),
                    finance_account=row.get("finance_account"),
                    open_item=item,
                    new_item=new,
                )
            )
        kind = VoucherKind.INVOICE if "rechnung" in voucher["text"].lower() else VoucherKind.TRANSFER
        self.post("BU", voucher["date"], voucher["text"], kind, lines, self.bindings.get(voucher.get("commitment", "")))


@pytest.fixture
def year_played(alpha: Any, system: Actor) -> Actor:
    replay = Replay(system)
    replay.set_up()
    replay.play()
    return system


def test_result_statement_of_the_example(year_played: Actor) -> None:
    wanted = EXPECTED["result_statement"]
    got = queries.result_statement(year_played, LEDGER, YEAR)
    assert {r.code: r.cents for r in got.revenue} == {k: cents(v) for k, v in wanted["revenue"].items()}
    assert {r.code: r.cents for r in got.expense} == {k: cents(v) for k, v in wanted["expense"].items()}
    assert got.total_revenue == cents(wanted["total_revenue"])
    assert got.total_expense == cents(wanted["total_expense"])
    assert got.annual_result == cents(wanted["annual_result"])
    assert {code: amount for code, _name, amount in got.by_product} == {
        k: cents(v) for k, v in wanted["by_product"].items()
    }


def test_cash_statement_of_the_example(year_played: Actor) -> None:
    wanted = {key: cents(value) for key, value in EXPECTED["cash_statement"].items()}
    got = queries.cash_statement(year_played, LEDGER, YEAR)
    assert {
        "operating_receipts": got.operating.total_receipts,
        "operating_payments": got.operating.total_payments,
        "operating_balance": got.operating.balance,
        "investment_receipts": got.investment.total_receipts,
        "investment_payments": got.investment.total_payments,
        "investment_balance": got.investment.balance,
        "financing_receipts": got.financing.total_receipts,
        "financing_payments": got.financing.total_payments,
        "financing_balance": got.financing.balance,
        "change_of_liquid_funds": got.change_of_liquid_funds,
        "opening_liquid_funds": got.opening_liquid_funds,
        "closing_liquid_funds": got.closing_liquid_funds,
        "mv_operating_balance_after_scheduled_repayment": got.operating_balance_after_repayment,
    } == wanted


def test_balance_sheet_of_the_example(year_played: Actor) -> None:
    wanted = EXPECTED["balance_sheet"]
    got = queries.balance_sheet(year_played, LEDGER, YEAR)
    assert {r.code: r.cents for r in got.assets} == {k: cents(v) for k, v in wanted["assets"].items()}
    passive = {r.code: r.cents for r in (*got.equity, *got.special_items, *got.provisions, *got.liabilities)}
    passive["annual_result"] = got.annual_result
    assert passive == {k: cents(v) for k, v in wanted["liabilities"].items()}
    assert (got.total_assets, got.total_liabilities, got.total_equity) == (
        cents(wanted["total_assets"]),
        cents(wanted["total_liabilities"]),
        cents(wanted["equity"]),
    )


def test_budget_status_and_circles_of_the_example(year_played: Actor) -> None:
    status = {(s.line, s.budget_kind): s for s in queries.budget_status(year_played, LEDGER, YEAR)}
    for row in EXPECTED["budget_status"]:
        got = status[(row["line"], row["budget"])]
        assert (row["line"], got.appropriation, got.consumed, got.open, got.available) == (
            row["line"],
            cents(row["appropriation"]),
            cents(row["consumed"]),
            cents(row["open"]),
            cents(row["available"]),
        )
    assert queries.circles_available(year_played, LEDGER, YEAR) == {
        k: cents(v) for k, v in EXPECTED["circle_available"].items()
    }


def test_reservation_trials_of_the_example(year_played: Actor) -> None:
    now = datetime(2026, 12, 31, 12, tzinfo=UTC)
    for number, trial in enumerate(EXPECTED["reservation_trials"]):
        before = queries.circles_available(year_played, LEDGER, YEAR)
        demands = [
            Demand(line.split(".")[0], line.split(".")[1], cents(trial["amount"])) for line in trial["lines"].values()
        ]

        def attempt(number: int = number, demands: list[Demand] = demands) -> UUID:
            return services.reserve(
                year_played,
                ledger=LEDGER,
                year=YEAR,
                demands=demands,
                text="Probe",
                idempotency_key=f"t{number}",
                now=now,
            )

        if trial["accepted"]:
            services.release(year_played, binding_id=attempt(), now=now)
        else:
            with pytest.raises(services.NotEnoughFunds) as refusal:
                attempt()
            assert refusal.value.binding == trial["binding"]
        assert queries.circles_available(year_played, LEDGER, YEAR) == before


def test_the_books_of_the_example_agree_with_themselves(year_played: Actor) -> None:
    """J9, O1, B2, B4, AC1-AC3 and the balance rows against the journal, folded and not."""
    for _round in range(2):
        trial = queries.trial_balance(year_played, LEDGER, YEAR)
        sheet = queries.balance_sheet(year_played, LEDGER, YEAR)
        cash = queries.cash_statement(year_played, LEDGER, YEAR)
        result = queries.result_statement(year_played, LEDGER, YEAR)
        assert trial.total == 0
        assert sheet.total_assets == sheet.total_liabilities
        assert sheet.annual_result == result.annual_result
        assert cash.opening_liquid_funds + cash.change_of_liquid_funds == cash.closing_liquid_funds == 7296000
        assert queries.reconcile_items(year_played, LEDGER) == []
        assert queries.reconcile_funds(year_played, LEDGER, YEAR) == []
        assert queries.reconcile_totals(year_played, LEDGER, YEAR) == []
        services.fold_totals(year_played)
    open_sum = {i.account.code: 0 for i in OpenItem.objects.select_related("account")}
    for item in OpenItem.objects.select_related("account"):
        open_sum[item.account.code] += item.open_cents
    assert open_sum == {"1710": 190000, "3510": -400000}
