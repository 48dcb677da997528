"""Two years of the alliance's cost: plan, prices, quantities, advances by the half-year, a settlement, a scenario.

All figures are invented, except one that a council has published: Amt Stralendorf was charged 158,188.60 EUR in 2022,
of which 149,694.00 EUR were a subsidy passed on and 8,494.60 EUR its own share.
"""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from verbund.commands.walk.town import sample

from .facts import LEDGER, YEARS, DemoBody, bodies

_START: Final = date(2022, 1, 1)
_SERVICES: Final = (  # code, name, unit, price basis, euros per unit and year, cost in cents of a year, tax
    ("KERN-IT", "IT-Betrieb der Kernverwaltung", "workplace", "tariff", "1180", 170_000_000, "not_taxable_2b3_2"),
    ("AKTE", "Digitale Akte", "person", "tariff", "96", 13_000_000, "not_taxable_2b3_2"),
    ("HAUSHALT", "Haushaltsverfahren", "person", "tariff", "240", 17_400_000, "not_taxable_2b3_2"),
    ("SCHUL-IT", "IT der Schulen", "school_client", "tariff", "74", 22_000_000, "bga_old_law"),
    ("ORGANE", "Verwaltungsrat und Geschäftsführung", "flat", "key", "", 18_000_000, "not_taxable_2b3_2"),
)
# What they switch on: the members' rooms follow their agreements each night.
_ROOMS: Final = {"AKTE": ("citizenservices", "records"), "HAUSHALT": ("budget",)}
_PROVISION: Final = "§ 6 der Satzung (erfunden)"
_INVENTED: Final = "erfunden"


def share_costs(body: DemoBody, system: Any, end: datetime) -> dict[str, int]:
    """Load the alliance's cost sharing up to today; returns how many invoices there are."""
    from verbund.modules.costsharing import queries as costs

    demo = _Costs(body, system, end)
    demo.books()
    demo.prices()
    demo.members()
    demo.others()
    demo.public_figure()
    for year in YEARS:
        demo.plan(year)
        demo.quantities(year)
        demo.actual(year)
        for half in range(2):
            demo.advance(year, half)
    demo.settle(YEARS[0])
    demo.scenario()
    return {"invoices": len(costs.invoices(system, limit=1000).rows)}


class _Costs:
    def __init__(self, body: DemoBody, system: Any, end: datetime) -> None:
        from .founding import staff

        self.body, self.system, self.end = body, system, end
        self.actors = staff(body)
        self.rng = random.Random("ksm costs")  # noqa: S311 - an example, not a secret
        self.ids: dict[str, UUID] = {}
        self.scale = {one.slug: one.scale for one in bodies() if not one.is_alliance}

    def books(self) -> None:
        """The alliance's own ledger, with a line that members' payments come in on."""
        from verbund.modules.budget import services as budget

        now = _at(_START - timedelta(days=20))
        budget.open_ledger(self.system, code=LEDGER, name="Kommunalunternehmen", now=now)
        tax = "3710;Umsatzsteuer;liability;;;;;\n"
        budget.import_chart(
            self.system, ledger=LEDGER, csv_text=sample("accounts.csv").rstrip("\n") + "\n" + tax, now=now
        )
        budget.import_products(self.system, ledger=LEDGER, csv_text=sample("products.csv"), now=now)
        for year in (2022, *YEARS):
            budget.open_year(self.system, ledger=LEDGER, year=year, now=now)
            budget.set_appropriation(
                self.system, ledger=LEDGER, year=year, product="11104", account="4482", cents=150_000_000, now=now
            )
        budget.open_bank_account(
            self.system, ledger=LEDGER, account="1810", iban=self.body.iban, name="Girokonto", opening_cents=0, now=now
        )

    def prices(self) -> None:
        """Catalogue, tariffs, tax reviews, the key of the board's cost, and cost centres."""
        from verbund.modules.costsharing import services as costs
        from verbund.modules.membership import queries as known
        from verbund.modules.membership import services as membership

        now = _at(_START + timedelta(days=2))
        there = {service.code for service in known.services_on(self.system, _START)}
        for code, name, unit, basis, *_rest in _SERVICES:
            if code not in there:
                membership.define_service(
                    self.system,
                    code=code,
                    name=name,
                    description=f"{name}, wie im Leistungsschein beschrieben ({_INVENTED}).",
                    unit=unit,
                    price_basis=basis,
                    rooms=_ROOMS.get(code, ()),
                    valid_from=_START,
                    now=now,
                )
        costs.set_billing(
            self.system, ledger=LEDGER, product="11104", account="4482", tax_account="3710", days_to_pay=30, now=now
        )
        costs.define_key(
            self.system,
            code="ORGANE",
            name="Arbeitsplätze und gleiche Anteile",
            parts={"workplaces": Decimal(70), "equal": Decimal(30)},
            justification="Der Aufwand folgt zu 70 % der betreuten Technik, zu 30 % der Zahl der Mitglieder.",
            now=now,
        )
        costs.define_centre(self.system, code="V10", name="Gebäude und Fahrzeuge", step=10, now=now)
        costs.define_centre(self.system, code="V20", name="Verwaltung des Verbunds", step=20, now=now)
        for code, name, _unit, basis, euros, _cost, tax in _SERVICES:
            by_key = basis == "key"
            costs.set_rule(
                self.system,
                service_code=code,
                legal_basis="levy" if by_key else "contract",
                provision=_PROVISION,
                settled_by="key" if by_key else "use",
                key="ORGANE" if by_key else "",
                levied=by_key,
                now=now,
            )
            costs.review_tax(
                self.system,
                service_code=code,
                treatment=tax,
                valid_from=_START,
                reasoning="Beispielhafte Einordnung für die Vorführung, keine rechtliche Auskunft.",
                document=f"11.30-7/2021 ({_INVENTED})",
                reviewer="Steuerkanzlei Muster",
                reviewed_on=date(2021, 11, 8),
                now=now,
            )
            if tax == "bga_old_law":  # the transition of § 27 (22a) UStG ends
                costs.review_tax(
                    self.system,
                    service_code=code,
                    treatment="taxable_19",
                    valid_from=date(2027, 1, 1),
                    reasoning="Beispielhafte Einordnung für die Vorführung, keine rechtliche Auskunft.",
                    document=f"11.30-9/2021 ({_INVENTED})",
                    reviewer="Steuerkanzlei Muster",
                    reviewed_on=date(2021, 11, 8),
                    now=now,
                )
            costs.define_centre(self.system, code=f"K-{code}", name=name, service_code=code, now=now)
            if euros:
                for year, factor in ((2022, "1"), (YEARS[1], "1.03")):
                    costs.set_tariff(
                        self.system,
                        service_code=code,
                        component="quantity",
                        euros=(Decimal(euros) * Decimal(factor)).quantize(Decimal("0.01")),
                        valid_from=date(year, 1, 1),
                        basis=f"Beschluss des Verwaltungsrats 4/{year - 1} ({_INVENTED})",
                        now=now,
                    )

    def members(self) -> None:
        """Agreements of the members on the services, and where their invoices go."""
        from verbund.modules.costsharing import services as costs
        from verbund.modules.membership import queries as membership
        from verbund.modules.membership import services as agreeing

        now = _at(_START + timedelta(days=3))
        heads = {one.slug: one for one in bodies()}
        for member in membership.list_members(self.system):
            one = heads.get(member.slug)
            if one is None or one.is_alliance:
                continue
            self.ids[member.slug] = member.id
            costs.set_address(
                self.system,
                member_id=member.id,
                street=one.letterhead["street"],
                postcode=one.letterhead["postcode"],
                city=one.letterhead["city"],
                leitweg_id=f"{(one.ars or one.ags)[:12]}-0001-41",
                email=f"rechnung@{one.slug}.example",
                shows_name=member.slug == "grabow",
                now=now,
            )
            since = date(YEARS[0], 4, 15) if member.slug == "parchimer-umland" else date(YEARS[0], 1, 1)
            agreed = {
                a.service_code for a in membership.agreements(self.system, start=since, end=since, member_id=member.id)
            }
            for code, *_rest in _SERVICES:
                if code == "SCHUL-IT" and member.slug == "grabow":
                    continue
                if code not in agreed:
                    agreeing.agree_service(
                        self.system,
                        member_id=member.id,
                        service_code=code,
                        valid_from=since,
                        as_carrier=True,
                        basis=f"Leistungsschein ({_INVENTED})",
                        now=now,
                    )
            costs.record_key_value(
                self.system,
                kind="workplaces",
                member_id=member.id,
                reference_date=date(2024, 6, 30),
                value=Decimal(self._workplaces(member.slug)),
                source=f"Bestandsliste ({_INVENTED})",
                now=now,
            )

    def _workplaces(self, slug: str) -> int:
        return 83 if slug == "ludwigslust" else 6 * self.scale[slug] + 20

    def others(self) -> None:
        """Services agreed in the alliance's history cost nothing of their own here: the figures are not public."""
        from verbund.modules.costsharing import services as costs
        from verbund.modules.membership import queries as membership

        now = _at(_START + timedelta(days=4))
        own = {code for code, *_rest in _SERVICES}
        last = date(YEARS[-1], 12, 31)
        agreed = membership.agreements(self.system, start=date(YEARS[0], 1, 1), end=last)
        facts = {service.code: service for service in membership.services_on(self.system, last)}
        for code in sorted({a.service_code for a in agreed} - own):
            costs.set_rule(
                self.system,
                service_code=code,
                legal_basis="contract",
                provision=_PROVISION,
                settled_by="none",
                now=now,
            )
            costs.review_tax(
                self.system,
                service_code=code,
                treatment="not_taxable_2b3_2",
                valid_from=_START,
                reasoning="Beispielhafte Einordnung für die Vorführung, keine rechtliche Auskunft.",
                document=f"11.30-7/2021 ({_INVENTED})",
                reviewer="Steuerkanzlei Muster",
                reviewed_on=date(2021, 11, 8),
                now=now,
            )
            component = {"tariff": "quantity", "base_amount": "base"}.get(facts[code].price_basis)
            if component:
                costs.set_tariff(
                    self.system,
                    service_code=code,
                    component=component,
                    euros=Decimal(0),
                    valid_from=_START,
                    basis="in der Umlage enthalten",
                    now=now,
                )
            for member in {a.member_id for a in agreed if a.service_code == code}:
                for year in YEARS:
                    costs.record_measure(
                        self.system,
                        member_id=member,
                        service_code=code,
                        period_start=date(year, 1, 1),
                        period_end=date(year, 12, 31),
                        quantity=Decimal(0),
                        now=now,
                    )

    def public_figure(self) -> None:
        """The published charge of 2022, with its subsidy."""
        from verbund.modules.costsharing import services as costs
        from verbund.modules.membership import queries as membership
        from verbund.modules.membership import services as agreeing

        now = _at(date(2022, 11, 30))
        found = [m for m in membership.list_members(self.system) if "Stralendorf" in m.name]
        member = (
            found[0]
            if found
            else agreeing.register_body(
                self.system, name="Amt Stralendorf", kind="amt", ags="", ars="", slug="amt-stralendorf", now=now
            )
        )
        agreeing.agree_service(
            self.system,
            member_id=member.id,
            service_code="SCHUL-IT",
            valid_from=_START,
            valid_until=date(2022, 12, 31),
            as_carrier=False,
            basis="Umlageermittlung KSM 21-0786",
            now=now,
        )
        costs.record_measure(
            self.system,
            member_id=member.id,
            service_code="SCHUL-IT",
            period_start=_START,
            period_end=date(2022, 12, 31),
            quantity=Decimal(0),
            now=now,
        )
        costs.set_address(
            self.system,
            member_id=member.id,
            street="Musterplatz 1",
            postcode="19073",
            city="Stralendorf",
            leitweg_id="13076-0002-42",
            email="rechnung@amt-stralendorf.example",
            now=now,
        )
        costs.record_cost_item(
            self.system,
            member_id=member.id,
            service_code="SCHUL-IT",
            kind="project",
            text="Umlage 2022 (veröffentlichter Betrag)",
            performed_on=date(2022, 6, 30),
            cents=158_188_60,
            subsidy_cents=149_694_00,
            grant="Zuwendung, veröffentlicht im Beschluss des Amtsausschusses",
            document="Umlageermittlung KSM 21-0786",
            now=now,
        )
        self._run("advance", _START, date(2022, 12, 31), date(2022, 12, 6), issue=True)

    def plan(self, year: int) -> None:
        """The resolved plan of a year."""
        from verbund.modules.costsharing import services as costs

        now = _at(date(year - 1, 11, 20))
        plan = costs.draft_plan(self.system, year=year, report=f"Vorbericht {year} ({_INVENTED}).", now=now)
        lines = [("V10", "Miete, Energie, Fahrzeuge", 11_600_000), ("V20", "Leitung, Personalamt, Kasse", 25_100_000)]
        lines += [(f"K-{code}", f"{name}: Personal und Technik", cost) for code, name, *_x, cost, _tax in _SERVICES]
        for centre, text, cents in lines:
            costs.add_plan_line(
                self.system, plan_id=plan, part="expense", text=text, cents=cents, centre=centre, now=now
            )
        total = sum(cents for _centre, _text, cents in lines)
        costs.add_plan_line(
            self.system, plan_id=plan, part="revenue", text="Entgelte und Umlagen der Mitglieder", cents=total, now=now
        )
        costs.add_plan_line(
            self.system, plan_id=plan, part="outflow", text="Speicher und Server", cents=8_500_000, now=now
        )
        costs.add_investment(
            self.system,
            plan_id=plan,
            text="Speicher und Server",
            cents=8_500_000,
            commitment_cents=2_000_000 if year == YEARS[0] else 0,
            now=now,
        )
        for title, grade, fte in (
            ("Systemadministration", "E 11", "6"),
            ("Anwendungsbetreuung", "E 10", "4.5"),
            ("Leitung", "E 15", "1"),
        ):
            costs.add_post(self.system, plan_id=plan, title=title, grade=grade, fte=Decimal(fte), now=now)
        for giver, weights in (
            ("V10", {"V20": 10, "K-KERN-IT": 60, "K-SCHUL-IT": 20, "K-AKTE": 5, "K-HAUSHALT": 5}),
            ("V20", {"K-KERN-IT": 50, "K-AKTE": 15, "K-HAUSHALT": 15, "K-SCHUL-IT": 20}),
        ):
            for receiver, weight in weights.items():
                costs.set_overhead_weight(
                    self.system, year=year, giver=giver, receiver=receiver, weight=Decimal(weight), now=now
                )
        costs.resolve_plan(
            self.actors["alliance_manager"],
            plan_id=plan,
            resolved_on=date(year - 1, 12, 9),
            resolution=f"VR 5/{year - 1} ({_INVENTED})",
            now=_at(date(year - 1, 12, 10)),
        )

    def quantities(self, year: int) -> None:
        """What each member uses; one correction."""
        from verbund.modules.costsharing import services as costs

        lines = ["Mitglied;Leistung;von;bis;Menge"]
        for slug in self.ids:
            places = self._workplaces(slug) + (year - YEARS[0]) * self.rng.randrange(0, 6)
            for code, factor in (("KERN-IT", 1.0), ("AKTE", 0.8), ("HAUSHALT", 0.25), ("SCHUL-IT", 1.6)):
                lines.append(f"{slug};{code};01.01.{year};31.12.{year};{round(places * factor)}")
        now = _at(date(year, 1, 7))
        costs.import_measures(self.actors["cost_controller"], content="\r\n".join(lines).encode(), now=now)
        if year == YEARS[0]:
            costs.record_measure(
                self.actors["cost_controller"],
                member_id=self.ids["ludwigslust"],
                service_code="KERN-IT",
                period_start=date(year, 1, 1),
                period_end=date(year, 12, 31),
                quantity=Decimal(85),
                reason="Zwei Arbeitsplätze im Bürgerbüro nachgetragen",
                now=_at(date(year, 1, 20)),
            )

    def actual(self, year: int) -> None:
        """What a year that has ended really cost."""
        from verbund.modules.costsharing import services as costs

        if year != YEARS[0]:
            return
        now = _at(date(year + 1, 3, 20))
        rows = [("V10", 11_748_212), ("V20", 24_690_050)]
        rows += [(f"K-{code}", round(cost * 0.97) + 137) for code, _n, _u, _b, _e, cost, _t in _SERVICES]
        for centre, cents in rows:
            costs.record_cost(
                self.actors["cost_controller"], centre=centre, year=year, cents=cents, text="Jahresabschluss", now=now
            )

    def advance(self, year: int, half: int) -> None:
        """A half-year's advance: issued, the present one only proposed."""
        first, last = (date(year, 1, 1), date(year, 6, 30)) if half == 0 else (date(year, 7, 1), date(year, 12, 31))
        if first > self.end.date():
            return
        self._run("advance", first, last, first + timedelta(days=20), issue=last < self.end.date())

    def settle(self, year: int) -> None:
        """The settlement of a year."""
        self._run("settlement", date(year, 1, 1), date(year, 12, 31), date(year + 1, 4, 22), issue=True)

    def _run(self, kind: str, first: date, last: date, day: date, *, issue: bool) -> None:
        from verbund.modules.costsharing import services as costs

        now = min(_at(day), self.end)
        run = costs.propose_run(self.actors["cost_controller"], kind=kind, period_start=first, period_end=last, now=now)
        if not issue:
            return
        costs.check_run(self.actors["budget_officer"], run_id=run.id, now=now + timedelta(hours=3))
        costs.release_run(self.actors["alliance_manager"], run_id=run.id, now=now + timedelta(hours=5))
        costs.issue_run(self.actors["budget_officer"], run_id=run.id, now=now + timedelta(hours=6))

    def scenario(self) -> None:
        """What joining would cost an invented town."""
        from verbund.modules.costsharing import services as costs

        costs.reckon_scenario(
            self.actors["cost_controller"],
            name="Stadt Neuenkirch (erfunden)",
            year=YEARS[1],
            joins_on=date(YEARS[1], 7, 1),
            kind="town",
            demands=[
                costs.Demand("KERN-IT", Decimal(64)),
                costs.Demand("AKTE", Decimal(52)),
                costs.Demand("HAUSHALT", Decimal(14)),
                costs.Demand("ORGANE", Decimal(0)),
            ],
            key_values={"workplaces": Decimal(64)},
            alone_cents=148_000_00,
            once_cents=31_500_00,
            now=self.end,
        )


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC)
