"""Two years of books: plan, opening balance, invoices and payments, claims, and statements with all that goes wrong."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from verbund.commands.walk import bank
from verbund.commands.walk.town import sample

from .calendar import Calendar, office_hour, working_day
from .facts import LEDGER, YEARS, DemoBody
from .papers import Words

# One account more than the sample chart has: the bank from which bills are paid; its statements are not imported.
_OUTGOING: Final = "1815"
_OWN_ACCOUNT: Final = f"{_OUTGOING};Girokonto für Auszahlungen;asset;;ja;;;\n"
_OPENING: Final = (  # account, cents per point of the body's scale; the difference is the general reserve
    ("0210", 410_000_00),
    ("0310", 1_930_000_00),
    ("0410", 2_760_000_00),
    ("0710", 210_000_00),
    ("1810", 96_500_00),
    (_OUTGOING, 1_900_000_00),
    ("2310", -1_240_000_00),
    ("3210", -870_000_00),
)
_REVENUE: Final = (  # product, account, plan in cents per point of scale, text, claims a year
    ("61100", "4013", 148_000_00, "Gewerbesteuer Vorauszahlung", 6),
    ("61100", "4012", 92_000_00, "Grundsteuer B", 6),
    ("61100", "4111", 310_000_00, "Schlüsselzuweisungen", 4),
    ("55100", "4411", 9_500_00, "Pacht Grünfläche", 4),
    ("28101", "4411", 7_200_00, "Miete Kulturhaus", 4),
)
_EXPENSE: Final = (  # product, account, finance account, plan in cents per point of scale, text
    ("11102", "5012", "7012", 172_000_00, "Vergütung der Beschäftigten"),
    ("11102", "5032", "7032", 38_000_00, "Sozialversicherungsbeiträge"),
    ("11104", "5292", "7292", 21_000_00, "Leistungen der Datenverarbeitung"),
    ("21100", "5241", "7241", 26_000_00, "Wärme und Strom Grundschule"),
    ("21100", "5231", "7231", 18_000_00, "Unterhaltung Schulgebäude"),
    ("54100", "5233", "7233", 34_000_00, "Straßenunterhaltung"),
    ("12600", "5255", "7255", 6_500_00, "Fahrzeuge der Feuerwehr"),
    ("42101", "5418", "7418", 4_200_00, "Zuschuss an Sportverein"),
    ("11101", "5631", "7631", 3_600_00, "Bürobedarf"),
    ("11101", "5632", "7632", 3_100_00, "Post und Telekommunikation"),
)
_FEES: Final = 60_000  # cents per point of scale and line that services raise fees on
_PAYERS: Final = ("DE02600501010002034304", "DE02700202700010108669")


class Books:
    """The ledger of one body and its account at the bank."""

    def __init__(self, body: DemoBody, actors: dict[str, Any], calendar: Calendar) -> None:
        self.body, self.actors, self.calendar = body, actors, calendar
        self.rng = random.Random(f"{body.schema} books")  # noqa: S311 - an example, not a secret
        self.words = Words(body, "books")
        self._waiting: list[bank.Movement] = []
        self._balance = dict(_OPENING)["1810"] * body.scale
        self._statements = 0
        self.hearers: list[Callable[[Any, datetime], None]] = []

    def set_up(self, now: datetime) -> None:
        """Ledger, chart, products, plan of both years, bank account and opening balance."""
        from verbund.modules.budget import services as budget

        officer, treasurer = self.actors["budget_officer"], self.actors["treasurer"]
        budget.open_ledger(officer, code=LEDGER, name="Kernverwaltung", now=now)
        budget.import_chart(
            officer, ledger=LEDGER, csv_text=sample("accounts.csv").rstrip("\n") + "\n" + _OWN_ACCOUNT, now=now
        )
        budget.import_products(officer, ledger=LEDGER, csv_text=sample("products.csv"), now=now)
        for year in YEARS:
            budget.open_year(officer, ledger=LEDGER, year=year, now=now)
            growth = 1 + (year - YEARS[0]) * 0.03
            lines = {(p, a): cents for p, a, cents, *_rest in _REVENUE} | {(p, a): c for p, a, _f, c, _t in _EXPENSE}
            lines |= {(offer.product, offer.account): _FEES for offer in self.body.offers}
            for (product, account), cents in lines.items():
                budget.set_appropriation(
                    officer,
                    ledger=LEDGER,
                    year=year,
                    product=product,
                    account=account,
                    cents=round(cents * self.body.scale * growth),
                    now=now,
                )
        budget.open_bank_account(
            officer,
            ledger=LEDGER,
            account="1810",
            iban=self.body.iban,
            name="Girokonto der Kasse",
            opening_cents=self._balance,
            now=now,
        )
        self._open_balance(treasurer, now)
        self._plan_deeds()

    def _open_balance(self, treasurer: Any, now: datetime) -> None:
        from verbund.modules.budget import services as budget

        lines, total = [], 0
        for account, points in _OPENING:
            cents = points * self.body.scale
            total += cents
            lines.append(budget.Line(account, debit=max(cents, 0), credit=max(-cents, 0)))
        lines.append(budget.Line("2010", credit=total))
        first = date(YEARS[0], 1, 1)
        budget.post_voucher(
            treasurer,
            ledger=LEDGER,
            year=YEARS[0],
            series="EB",
            posting_date=first,
            document_date=first,
            text=f"Eröffnungsbilanz {YEARS[0]}",
            lines=lines,
            now=now,
            kind=budget.VoucherKind.OPENING,
        )

    # --- what happens over the years

    def _plan_deeds(self) -> None:
        for year in YEARS:
            for month in range(1, 13):
                day = working_day(date(year, month, 12))
                self.calendar.at(office_hour(day, 8), self._invoices)
                self.calendar.at(office_hour(working_day(day + timedelta(days=9)), 10), self._payments)
            for product, account, cents, text, count in _REVENUE:
                for number in range(count):
                    day = working_day(date(year, 1, 15) + timedelta(days=round(number * 340 / count)))
                    amount = cents * self.body.scale // count
                    self.calendar.at(
                        office_hour(day, 9.5),
                        lambda now, p=product, a=account, c=amount, t=text: self._claim(p, a, c, t, now),  # type: ignore[misc]
                    )
        day = date(YEARS[0], 1, 31)
        while office_hour(day, 17) <= self.calendar.end:
            self.calendar.at(office_hour(day, 17), self._statement)
            day += timedelta(days=28 if day < date(YEARS[1], 5, 1) else 14)
        self._open_bills: list[tuple[UUID, str, str, int, str]] = []

    def _invoices(self, now: datetime) -> None:
        """A month's bills: expense against payables, each an open item; one batch."""
        from verbund.modules.budget import services as budget

        postings = []
        for product, account, finance, cents, text in _EXPENSE:
            amount = max(1, round(cents * self.body.scale / 12 * self.rng.uniform(0.86, 1.02)))
            who = self.words.choose("firms")
            item = budget.NewItem(
                text=f"{text}, {who}", due_on=now.date() + timedelta(days=14), product=product, finance_account=finance
            )
            self._open_bills.append((item.id, product, finance, amount, f"{text} {now:%m/%Y}"))
            postings.append(
                budget.Posting(
                    now.year,
                    "ER",
                    now.date(),
                    now.date(),
                    f"{text} {now:%m/%Y}, {who}",
                    [
                        budget.Line(account, product, debit=amount),
                        budget.Line("3510", product, credit=amount, new_item=item),
                    ],
                    budget.VoucherKind.INVOICE,
                )
            )
        budget.post_vouchers(self.actors["budget_officer"], ledger=LEDGER, postings=postings, now=now)

    def _payments(self, now: datetime) -> None:
        """The month's payment run by the treasury; a few bills stay open."""
        from verbund.modules.budget import services as budget

        late = {bill[0] for bill in self._open_bills if self.rng.random() < 0.06}
        due = [bill for bill in self._open_bills if bill[0] not in late]
        kept = [bill for bill in self._open_bills if bill[0] in late]
        self._open_bills = kept
        postings = [
            budget.Posting(
                now.year,
                "ZA",
                now.date(),
                now.date(),
                f"Zahlung {text}",
                [
                    budget.Line("3510", product, debit=amount, open_item=item),
                    budget.Line(_OUTGOING, product, credit=amount, finance_account=finance),
                ],
                budget.VoucherKind.PAYMENT,
            )
            for item, product, finance, amount, text in due
        ]
        budget.post_vouchers(self.actors["treasury_clerk"], ledger=LEDGER, postings=postings, now=now)

    def _claim(self, product: str, account: str, cents: int, text: str, now: datetime) -> None:
        from verbund.modules.budget import services as budget

        debtor = self.words.choose("debtors")
        claim = budget.raise_claim(
            self.actors["budget_officer"],
            ledger=LEDGER,
            product=product,
            account=account,
            cents=cents,
            debtor=budget.Party(name=debtor, street="Probeweg 3", postcode="19999", city="Musterhausen"),
            due_on=now.date() + timedelta(days=30),
            text=f"{text} {now:%m/%Y}",
            origin="",
            now=now,
        )
        self.expect_payment(claim.payment_reference, cents, debtor, now)

    def expect_payment(self, reference: str, cents: int, name: str, now: datetime) -> None:
        """Somebody owes: most pay within weeks, some never, some without the reference; a few payments come back."""
        fate = self.rng.random()
        if fate < 0.10:
            return
        moment = office_hour(working_day(now.date() + timedelta(days=self.rng.randint(2, 36))), 6)
        remittance = f"Kassenzeichen {reference}"
        if fate < 0.14:
            remittance = "Gebühr laut Bescheid"
        movement = bank.Movement(cents, moment.date(), name, self.rng.choice(_PAYERS), remittance)
        self.calendar.at(moment, lambda _now: self._waiting.append(movement))
        if fate > 0.965:
            back = office_hour(working_day(moment.date() + timedelta(days=5)), 6)
            returned = bank.Movement(-cents, back.date(), name, movement.iban, remittance, returned="AC04")
            self.calendar.at(back, lambda _now: self._waiting.append(returned))

    def _statement(self, now: datetime) -> None:
        """The bank's statement: what has come since the last one, and now and then money that nobody can place."""
        from verbund.modules.budget import services as budget

        if self.rng.random() < 0.12:
            cents = self.rng.randint(5, 220) * 100
            self._waiting.append(
                bank.Movement(cents, now.date(), self.words.person(), self.rng.choice(_PAYERS), "Vielen Dank")
            )
        if not self._waiting:
            return
        movements = sorted(self._waiting, key=lambda m: m.booked_on)
        self._waiting = []
        self._statements += 1
        content = bank.statement(
            iban=self.body.iban,
            number=self._statements,
            opening=self._balance,
            movements=movements,
            closing_on=now.date(),
            owner=self.body.name,
        )
        report = budget.import_statement(
            self.actors["treasury_clerk"],
            ledger=LEDGER,
            content=content,
            filename=f"kontoauszug-{now:%Y-%m-%d}.xml",
            now=now,
        )
        self._balance += sum(m.cents for m in movements)
        for hear in self.hearers:
            hear(report, now)
