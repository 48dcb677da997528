"""The pages of the books: what they say, who may see them, what they do, and that nothing bad is a 500."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from verbund.modules.budget import queries, services
from verbund.modules.budget.gateways.einvoice import ubl
from verbund.modules.budget.models import BankStatement, Claim, StatementEntry, Voucher
from verbund.platform.identity import services as identity
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from . import factories
from .factories import NOW, SYSTEM, Town, camt, entry_xml, make_town, paid, raise_claim, statement_xml
from .test_einvoice import invoice

pytestmark = pytest.mark.django_db

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
BASE = "/arbeit/haushalt/ALPHA/2026/"
PAGES = ["", "ueberwachung/", "journal/", "konten/", "konten/1810/", "posten/", "kontoauszuege/"]
REPORTS = ["saldenliste/", "ergebnisrechnung/", "finanzrechnung/", "bilanz/"]
ClientOf = Callable[..., Client]


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False


@pytest.fixture
def town(_database: None) -> Town:
    """A town with a paid and an unpaid claim, and money nobody can place."""
    with acting_for("alpha"):
        town = make_town()
        ref = raise_claim(town, 123_456, name="Frieda Fuchs")
        raise_claim(town, 3070, name="Jürgen Weiß <b>")
        paid(
            town,
            100_000,
            (123_456, {"text": ref.payment_reference}),
            (5000, {"text": "Vielen Dank", "name": "Unbekannt"}),
            (3070, {"text": "Parkausweis", "name": "WEISS JUERGEN B"}),
        )
    return town


@pytest.fixture
def desk(client_of: ClientOf) -> Callable[..., Client]:
    """desk(Role.TREASURER) -> a client of somebody with these roles, signed in."""

    def make(*roles: Role) -> Client:
        email = f"{'-'.join(roles)}@example.org"
        moment = the_clock()
        with acting_for("alpha"):
            made = identity.create_person(
                SYSTEM,
                email=email,
                display_name="Eva Eich",
                role=roles[0],
                unit="",
                valid_from=moment - timedelta(days=1),
                now=moment,
                invite=False,
            )
            for role in roles[1:]:
                identity.assign_role(
                    SYSTEM, person_id=made.id, role=role, unit="", valid_from=moment - timedelta(days=1), now=moment
                )
            identity.set_initial_password(SYSTEM, person_id=made.id, password=PASSWORD, now=moment)
        client = client_of("alpha")
        answer = client.post("/anmelden/", {"email": email, "password": PASSWORD})
        assert answer.status_code == 302, answer.content
        return client

    return make


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:1500])
    return unescape(answer.content.decode())


def test_every_page_opens_for_those_who_read_the_books(town: Town, desk: Callable[..., Client]) -> None:
    for role in (Role.BUDGET_OFFICER, Role.TREASURER, Role.AUDITOR):
        client = desk(role)
        for path in [*PAGES, *REPORTS]:
            text = page(client, BASE + path)
            assert text.count("<h1") == 1, path
        for report in REPORTS:
            page(client, f"{BASE}{report}?as_of=2026-06-30")
            page(client, f"{BASE}{report}?as_of=2025-06-30")
            page(client, f"{BASE}{report}?as_of=abc")
    assert client.get("/arbeit/haushalt/").headers["Location"] == BASE


def test_the_books_are_closed_to_others(town: Town, desk: Callable[..., Client]) -> None:
    for role in [Role.CLERK, Role.REGISTRY, Role.BODY_ADMIN, Role.DATA_PROTECTION_OFFICER]:
        client = desk(role)
        for path in [*PAGES, *REPORTS]:
            assert client.get(BASE + path).status_code == 403, path
        with acting_for("alpha"):
            entry = StatementEntry.objects.all()[0]
            voucher = Voucher.objects.all()[0]
        assert client.get(f"/arbeit/haushalt/umsaetze/{entry.id}/").status_code == 403
        assert client.get(f"/arbeit/haushalt/belege/{voucher.id}/").status_code == 403


def test_guests_are_led_to_the_sign_in(town: Town, client_of: ClientOf) -> None:
    client = client_of("alpha")
    for path in [*PAGES, *REPORTS]:
        assert client.get(BASE + path).headers["Location"].startswith("/anmelden/")


def test_amounts_are_written_as_people_here_write_them(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.AUDITOR)
    text = page(client, f"{BASE}ergebnisrechnung/")
    assert "1.265,26\u00a0€" in text
    assert f"{BASE}konten/4311/" in text
    text = page(client, f"{BASE}finanzrechnung/")
    assert "2.315,26\u00a0€" in text


def test_every_figure_opens_down_to_the_voucher(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.AUDITOR)
    text = page(client, f"{BASE}konten/4311/?produkt=12301")
    with acting_for("alpha"):
        claim = Claim.objects.order_by("id")[0]
    assert f"/arbeit/haushalt/belege/{claim.voucher}/" in text
    text = page(client, f"/arbeit/haushalt/belege/{claim.voucher}/")
    assert "1.234,56\u00a0€" in text
    assert f"/arbeit/haushalt/forderungen/{claim.id}/" in text
    with acting_for("alpha"):
        assert queries.voucher(SYSTEM, claim.voucher).hash in text
    assert "1.234,56" in page(client, f"/arbeit/haushalt/forderungen/{claim.id}/")


def test_names_from_outside_stay_text(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.AUDITOR)
    answer = client.get(f"{BASE}posten/").content.decode()
    assert "Jürgen Weiß &lt;b&gt;" in answer
    assert "Weiß <b>" not in answer


def test_lists_and_reports_come_as_csv(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.AUDITOR)
    for path in [p for p in (*PAGES, *REPORTS) if p in {"ueberwachung/", "journal/", "posten/", *REPORTS}]:
        answer = client.get(f"{BASE}{path}?csv=1")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert len(lines) >= 2
        assert len({line.count(";") for line in lines}) == 1


def test_a_formula_in_a_name_is_disarmed_in_csv(town: Town, desk: Callable[..., Client]) -> None:
    with acting_for("alpha"):
        raise_claim(town, 100, name='=HYPERLINK("http://x")')
    answer = desk(Role.AUDITOR).get(f"{BASE}posten/?csv=1").content.decode("utf-8-sig")
    assert "'=HYPERLINK" in answer
    assert ";=HYPERLINK" not in answer


def test_wild_addresses_are_no_errors(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.AUDITOR)
    for path in [
        f"{BASE}journal/?after=x&day_from=1&kind=zzz&series=%7F",
        f"{BASE}posten/?after=9999~x",
        f"{BASE}posten/?after=~01a20098-d284-71b2-91d1-f68b85174caf",
        f"{BASE}konten/1810/?after=01a20098-d284-71b2-91d1-f68b85174caf.99999999999",
        f"{BASE}kontoauszuege/?after=1",
        f"{BASE}journal/?text=%25%27%22",
    ]:
        assert client.get(path).status_code == 200


def test_what_is_not_there_is_not_found(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.AUDITOR)
    for path in [
        "/arbeit/haushalt/ALPHA/2031/",
        "/arbeit/haushalt/OTHER/2026/",
        f"{BASE}konten/9999/",
        f"/arbeit/haushalt/belege/{UUID(int=5)}/",
        f"/arbeit/haushalt/forderungen/{UUID(int=5)}/",
        f"/arbeit/haushalt/umsaetze/{UUID(int=5)}/",
    ]:
        assert client.get(path).status_code == 404


def upload(client: Client, content: bytes, name: str = "auszug.xml") -> Any:
    return client.post(f"{BASE}kontoauszuege/", {"file": SimpleUploadedFile(name, content)})


def test_the_treasury_imports_a_statement_and_reads_what_became_of_it(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.TREASURY_CLERK)
    content = camt(statement_xml(231_526, [(77, entry_xml(77, name="Neu"))], statement_id="A-2"))
    answer = upload(client, content)
    assert answer.status_code == 200
    with acting_for("alpha"):
        assert BankStatement.objects.count() == 2
    assert "Neu" in answer.content.decode()
    again = upload(client, content)
    assert again.status_code == 200
    assert "A-2" in again.content.decode()
    with acting_for("alpha"):
        assert BankStatement.objects.count() == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"<a/>",
        camt(),
        camt(statement_xml(1, [])),
        camt(statement_xml(0, [], iban="DE89370400440532013000")),
    ],
)
def test_a_file_that_cannot_be_booked_is_explained(town: Town, desk: Callable[..., Client], content: bytes) -> None:
    answer = upload(desk(Role.TREASURER), content, "../../böse\x00.xml")
    assert answer.status_code == 422
    assert "data-error-summary" in answer.content.decode()
    with acting_for("alpha"):
        assert BankStatement.objects.count() == 1


def test_others_import_nothing(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.BUDGET_OFFICER)
    assert 'type="file"' not in page(client, f"{BASE}kontoauszuege/")
    content = camt(statement_xml(231_526, [(77, entry_xml(77))], statement_id="A-2"))
    assert upload(client, content).status_code == 403
    with acting_for("alpha"):
        assert BankStatement.objects.count() == 1


def test_money_is_assigned_by_hand_after_one_question(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.TREASURY_CLERK)
    with acting_for("alpha"):
        entry = StatementEntry.objects.get(cents=5000)
        claim = Claim.objects.get(cents=3070)
    found = page(client, f"/arbeit/haushalt/umsaetze/{entry.id}/?text=weiß")
    address = f"/arbeit/haushalt/umsaetze/{entry.id}/zuordnen/{claim.id}/"
    assert address in found
    question = page(client, address)
    assert "50,00" in question
    with acting_for("alpha"):
        assert Claim.objects.get(id=claim.id).state == "open"
    assert client.post(address).status_code == 302
    with acting_for("alpha"):
        assert Claim.objects.get(id=claim.id).state == "settled"
    assert client.post(address, follow=True).status_code == 200
    with acting_for("alpha"):
        assert queries.entry(SYSTEM, entry.id).waiting_cents == 1930


def test_a_proposal_is_offered_where_amount_and_name_agree(town: Town, desk: Callable[..., Client]) -> None:
    with acting_for("alpha"):
        claim = Claim.objects.get(cents=3070)
        entry = StatementEntry.objects.get(cents=3070)
        StatementEntry.objects.filter(id=entry.id).update(proposal=claim, state="proposal")
    text = page(desk(Role.TREASURER), f"{BASE}kontoauszuege/")
    assert f"/arbeit/haushalt/umsaetze/{entry.id}/zuordnen/{claim.id}/" in text


def test_a_voucher_is_reversed_after_one_question_with_a_reason(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.BUDGET_OFFICER)
    with acting_for("alpha"):
        voucher = Claim.objects.get(cents=3070).voucher
        count = Voucher.objects.count()
    address = f"/arbeit/haushalt/belege/{voucher}/stornieren/"
    page(client, address)
    assert client.post(address, {"reason": ""}).status_code == 422
    with acting_for("alpha"):
        assert Voucher.objects.count() == count
    assert client.post(address, {"reason": "Falsch"}).status_code == 302
    with acting_for("alpha"):
        assert Voucher.objects.count() == count + 1
    assert client.post(address, {"reason": "Noch einmal"}, follow=True).status_code == 200
    with acting_for("alpha"):
        assert Voucher.objects.count() == count + 1


def test_a_claim_is_cancelled_by_who_may_order(town: Town, desk: Callable[..., Client]) -> None:
    with acting_for("alpha"):
        claim = Claim.objects.get(cents=3070)
    address = f"/arbeit/haushalt/forderungen/{claim.id}/absetzen/"
    assert desk(Role.TREASURER).post(address, {"reason": "x"}).status_code == 403
    assert desk(Role.HEAD_OF_UNIT, Role.TREASURY_CLERK).post(address, {"reason": "x"}).status_code == 403
    with acting_for("alpha"):
        assert Claim.objects.get(id=claim.id).state == "open"
    assert desk(Role.HEAD_OF_UNIT).post(address, {"reason": "Irrtum"}).status_code == 302
    with acting_for("alpha"):
        assert Claim.objects.get(id=claim.id).state == "cancelled"


def test_a_clerk_sees_the_claim_of_the_matter_but_not_the_books(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.CLERK)
    with acting_for("alpha"):
        claim = Claim.objects.get(cents=3070)
    text = page(client, f"/arbeit/haushalt/forderungen/{claim.id}/")
    assert "Jürgen Weiß" in text
    assert "/arbeit/haushalt/belege/" not in text


def test_a_page_asks_for_each_kind_of_thing_once(
    town: Town, desk: Callable[..., Client], django_assert_max_num_queries: Any
) -> None:
    client = desk(Role.AUDITOR)
    with acting_for("alpha"):
        for _n in range(12):
            raise_claim(town, 100)
    for path in [*PAGES, *REPORTS]:
        client.get(BASE + path)
        with django_assert_max_num_queries(22):
            client.get(BASE + path)


def test_the_budget_office_sets_an_appropriation(town: Town, desk: Callable[..., Client]) -> None:
    client = desk(Role.BUDGET_OFFICER)
    path = f"{BASE}ueberwachung/ansatz/"
    assert f'href="{path}"' in page(client, f"{BASE}ueberwachung/")
    assert 'value="12202"' in page(client, path)
    answer = client.post(path, {"product": "12202", "account": "4311", "euros": "12.345,60"})
    assert answer.headers["Location"] == f"{BASE}ueberwachung/"
    with acting_for("alpha"):
        lines = {row.line: row.appropriation for row in queries.budget_status(SYSTEM, "ALPHA", 2026)}
    assert lines["12202.4311"] == 1_234_560
    for wrong in ({"euros": "-1"}, {"euros": "viel"}, {"account": "1810"}, {"product": "0"}, {"product": ""}):
        answer = client.post(path, {"product": "12202", "account": "4311", "euros": "5", **wrong})
        assert answer.status_code == 422, wrong
        assert "kern-error" in answer.content.decode(), wrong
    with acting_for("alpha"):
        assert lines == {row.line: row.appropriation for row in queries.budget_status(SYSTEM, "ALPHA", 2026)}


def test_others_plan_nothing(town: Town, desk: Callable[..., Client]) -> None:
    path = f"{BASE}ueberwachung/ansatz/"
    for role in (Role.TREASURER, Role.AUDITOR):
        client = desk(role)
        assert path not in page(client, f"{BASE}ueberwachung/")
        assert client.post(path, {"product": "12301", "account": "4311", "euros": "1"}).status_code == 403
    with acting_for("alpha"):
        found = {row.line: row.appropriation for row in queries.budget_status(SYSTEM, "ALPHA", 2026)}
    assert found["12301.4311"] == 5_000_000


def test_the_list_pages_on_by_key(town: Town, desk: Callable[..., Client]) -> None:
    with acting_for("alpha"):
        day = factories.NOW.date()
        lines = [services.Line("0710", debit=100), services.Line("2010", credit=100)]
        postings = [services.Posting(2026, "BU", day, day, f"Nr {n}", lines) for n in range(60)]
        services.post_vouchers(SYSTEM, ledger=town.ledger, postings=postings, now=factories.NOW)
        seen, after = [], None
        while True:
            part = queries.journal(SYSTEM, town.ledger, year=2026, after=after, limit=7)
            seen += [r.id for r in part.rows]
            after = part.after
            if after is None:
                break
        assert len(seen) == len(set(seen)) == Voucher.objects.count()
        items, cursor = [], None
        while True:
            chunk = queries.open_items(SYSTEM, town.ledger, today=day, after=cursor, limit=1)
            items += [r.id for r in chunk.rows]
            cursor = chunk.after
            if cursor is None:
                break
        assert len(items) == len(set(items)) == 3
    text = page(desk(Role.AUDITOR), f"{BASE}journal/")
    assert "after=" in text


def test_an_inbound_invoice_speaks_in_words(town: Town, desk: Callable[..., Client]) -> None:
    """No codes of the standards, and no name of a program, for whoever certifies it."""
    with acting_for("alpha"):
        ref = services.receive_invoice(
            SYSTEM, content=ubl(invoice()), filename="r.xml", channel="alliance", sender="Testverbund AöR", now=NOW
        )
    text = page(desk(Role.BUDGET_OFFICER), f"/arbeit/rechnungseingang/{ref.id}/")
    for said in ("12 Monat(e)", " Stück", "nicht steuerbar", "übergeben von Testverbund AöR"):
        assert said in text, said
    for code in ("C62", " MON", f", {SYSTEM.name}"):
        assert code not in text, code
