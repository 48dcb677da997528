"""Every page of contract, clauses, signing and board in a browser: no finding of axe-core at 1280 and 390 px."""

from datetime import timedelta
from typing import Any

import pytest

from verbund.commands.demo.board import Board
from verbund.commands.demo.history import History, facts
from verbund.modules.membership import queries, services
from verbund.modules.membership.tests.factories import FOUNDED, Accessions, founded, medium, member
from verbund.modules.membership.tests.signatures import Authority, signed
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.recognition import staff_actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from . import browser

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(browser.missing()), reason=browser.missing() or "there")]

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"


def _employ(name: str, address: str) -> Any:
    system, moment = Actor.system("alliance", "test"), the_clock()
    made = identity.create_person(
        system,
        email=address,
        display_name=name,
        role=Role.ALLIANCE_MANAGER,
        valid_from=moment - timedelta(days=1),
        now=moment,
        invite=False,
    )
    identity.set_initial_password(system, person_id=made.id, password=PASSWORD, now=moment)
    return staff_actor(made.id, now=moment)


def _furnish() -> dict[str, str]:
    """The board and the contract of the demo, a contract that lacks something, a trusted signature; pages by name."""
    manager = _employ("Max Mond", "max.mond@example.org")
    second = _employ("Dr. Rolf-Günther Rotbuche-Weidenkätzchen", "rolf.rotbuche@example.org")
    moment, today = the_clock(), local_date(the_clock())
    founders = founded(manager)
    ids = dict(zip(("kreis", "hauptstadt"), founders, strict=True))
    ids[facts()["authority"]["slug"]] = member(manager, "ministerium", kind="state_authority")
    history = History(manager, ids, reviewer=second)
    history.begin(today)
    done = history.accessions["musterhagen"]
    Board(manager, today).hold(FOUNDED)
    candidate = member(manager, "neustadt")
    medium(candidate)
    case = Accessions(manager, candidate, now=moment)
    for step in (case.open_inquiry, case.state_costs, case.record_basic_resolution, case.begin_negotiation):
        step()
    empty = member(manager, "leerstadt")
    waiting = Accessions(manager, empty, now=moment)
    waiting.open_inquiry()
    services.write_clause(
        manager, code="audit", title="Unterrichtung und Prüfung", text="Geprüft wird durch {audit_body}, jährlich.",
        kinds=["audit"], source="§ 167b Abs. 3 Nr. 3 KV M-V", now=moment,
    )  # fmt: skip
    data = services.ContractData(parties=tuple(services.ContractParty(m, 100_000, 2) for m in founders))
    services.draft_contract(
        manager, accession_id=case.id, clauses=["parties", "shares", "audit"], data=data, now=moment
    )
    authority = Authority("Prüfstelle")
    anchor = services.add_trust_anchor(manager, pem=authority.pem, source="Vertrauensliste vom 01.11.2026", now=moment)
    services.record_signed_copy(
        manager, accession_id=done, filename="Vertrag signiert.pdf", kind="electronic", now=moment,
        content=signed(queries.contract_pdf(manager, done, 2), authority, "Erika Muster"),
        signatories=[services.Signatory(history.members["musterhagen"], "Erika Muster", "Bürgermeisterin", today)],
    )  # fmt: skip
    meetings = queries.meetings(manager)
    names = ("ahead", "written", "closed")
    motions = {
        n: [row.id for row in queries.meeting(manager, m.id).motions] for n, m in zip(names, meetings, strict=True)
    }
    open_one = services.call_meeting(manager, held_on=today, form="written", now=moment)
    open_motion = services.table_motion(
        manager, meeting_id=open_one, title="Öffentlich-rechtliche Vereinbarung über Datenschutzbeauftragte",
        text="Sie wird geschlossen.", matter="ordinary", now=moment,
    )  # fmt: skip
    of = "/arbeit/beitritte"
    board = "/arbeit/verwaltungsrat"
    ahead, running = f"{board}/vorlagen/{motions['ahead'][0]}", f"{board}/vorlagen/{open_motion}"
    return {
        "leer": f"{of}/{waiting.id}/vertrag/",
        "fassungen": f"{of}/{done}/vertrag/",
        "es-fehlt": f"{of}/{case.id}/vertrag/",
        "entwurf": f"{of}/{case.id}/vertrag/neu/",
        "fassung": f"{of}/{case.id}/vertrag/1/",
        "fertige-fassung": f"{of}/{done}/vertrag/2/",
        "vergleich": f"{of}/{done}/vertrag/vergleich/",
        "ausfertigung": f"{of}/{done}/vertrag/ausfertigung/",
        "geltend": "/arbeit/vertrag/",
        "klauseln": "/arbeit/klauseln/",
        "klauseln-suche": "/arbeit/klauseln/?q=nichtda",
        "klausel": "/arbeit/klauseln/klausel/audit/",
        "klausel-neu": "/arbeit/klauseln/neu/",
        "klausel-fassung": "/arbeit/klauseln/klausel/audit/neu/",
        "klausel-pruefen": "/arbeit/klauseln/klausel/audit/2/pruefen/",
        "vertrauen": "/arbeit/vertrauensliste/",
        "vertrauen-zurueck": f"/arbeit/vertrauensliste/{anchor}/zurueckziehen/",
        "rat": f"{board}/",
        "rat-regeln": f"{board}/regeln/",
        "rat-neu": f"{board}/sitzungen/neu/",
        "sitzung-kommend": f"{board}/sitzungen/{meetings[0].id}/",
        "sitzung-geschlossen": f"{board}/sitzungen/{meetings[-1].id}/",
        "vorlage-neu": f"{board}/sitzungen/{meetings[0].id}/vorlage/",
        "vorlage-entschieden": f"{board}/vorlagen/{motions['closed'][0]}/",
        "vorlage-offen": f"{ahead}/",
        "weisung": f"{ahead}/weisung/",
        "ausschluss": f"{running}/ausschluss/",
        "stimmen": f"{running}/stimmen/",
        "abstimmung-schliessen": f"{running}/schliessen/",
    }


def test_the_pages_of_contract_and_board_are_accessible(real_database: str, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    with acting_for("alliance"):
        paths = _furnish()
    with browser.at_work("verbund.localhost", email="max.mond@example.org", password=PASSWORD) as page:
        browser.assert_all_accessible(page, paths, "vertrag")
        # What was sent wrongly comes back with a summary that is as accessible as the form.
        page.goto(paths["entwurf"])
        page.locator("input[name=share_0]").fill("-1")
        page.locator("main button[type=submit]").first.click()
        page.locator("[data-error-summary]").wait_for()
        browser.assert_accessible(page, "vertrag-entwurf-fehler")
        # What is wrong with a group of choices stands below its legend, not beside it.
        page.goto(paths["klausel-neu"])
        page.locator("main button[type=submit]").first.click()
        page.locator("[data-error-summary]").wait_for()
        browser.assert_accessible(page, "klausel-neu-fehler")
        legend, wrong = (
            page.locator(f"main fieldset > {part}").first.bounding_box() for part in ("legend", ".kern-error")
        )
        assert legend is not None
        assert wrong is not None
        assert wrong["y"] >= legend["y"] + legend["height"]
