"""The pages of the catalogue and of the agreements, as a browser sees them."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from verbund.modules.costsharing import services as costsharing
from verbund.modules.membership import queries, services
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from .pages import employ, signed_in
from .test_accession_rules import digest

FILE: dict[str, Any] = {
    "code": "AKTE",
    "name": "Digitale Akte",
    "description": "Akten, Vorgänge und Dokumente mit Aufbewahrung.",
    "level": "Antwort in vier Servicestunden.",
    "unit": "person",
    "price_basis": "tariff",
    "rooms": ["records"],
    "valid_from": date(2020, 1, 1),
}


@dataclass
class World:
    """A manager, a representative of one of two towns, an auditor, and one service agreed with both towns."""

    manager: Actor
    clients: dict[str, Client]
    members: dict[str, UUID]
    agreements: dict[str, UUID]

    def state(self) -> str:
        with acting_for("alliance"):
            return digest()


@pytest.fixture
def world(real_database: str, settings: Any) -> World:
    moment = the_clock()
    with acting_for("alliance"):
        manager = employ("Max Mond", Role.ALLIANCE_MANAGER)
        members, agreements = {}, {}
        services.define_service(manager, **FILE, now=moment)
        for slug, schema in (("alpha", "alpha"), ("gamma", None)):
            members[slug] = services.register_body(
                manager,
                name=f"Stadt {slug.title()}hausen",
                kind="town",
                ags="",
                ars="",
                slug=slug,
                schema_name=schema,
                now=moment,
            ).id
            agreements[slug] = services.agree_service(
                manager,
                member_id=members[slug],
                service_code="AKTE",
                valid_from=date(2026, 1, 1),
                as_carrier=slug == "alpha",
                quantity_limit=40 if slug == "alpha" else None,
                basis=f"Vertrag {slug}",
                now=moment,
            ).id
        people = {
            "manager": manager,
            "representative": employ("Rita Rat", Role.MEMBER_REPRESENTATIVE, "gamma"),
            "auditor": employ("Pia Pruef", Role.AUDITOR),
            "clerk": employ("Karl Klein", Role.CLERK),
        }
        clients = {name: signed_in(actor, settings) for name, actor in people.items()}
    return World(manager, clients, members, agreements)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def form_of(answer: Any) -> dict[str, Any]:
    """The values a form is shown with."""
    form = answer.context["form"]
    return {name: value for name in form.fields if (value := form[name].value()) not in (None, "")}


# ---- the catalogue


def test_the_catalogue_is_searched_and_narrowed(world: World) -> None:
    with acting_for("alliance"):
        services.define_service(
            world.manager,
            **{**FILE, "code": "SCHUL-IT", "name": "IT der Schulen", "description": "Netz und Geräte", "rooms": []},
            now=the_clock(),
        )
        services.define_service(
            world.manager,
            **{**FILE, "code": "FAX", "name": "Faxdienst", "rooms": [], "valid_until": date(2021, 1, 1)},
            now=the_clock(),
        )
    client = world.clients["manager"]

    def shown(**query: str) -> list[str]:
        answer = client.get("/arbeit/katalog/", query)
        assert answer.status_code == 200
        return [entry["row"].service.code for entry in answer.context["rows"]]

    assert shown() == ["AKTE", "SCHUL-IT"]
    assert shown(ended="on") == ["AKTE", "FAX", "SCHUL-IT"]
    assert shown(q="schulen it") == ["SCHUL-IT"]
    assert shown(q="AUFBEWAHRUNG akte") == ["AKTE"]
    assert shown(room="records") == ["AKTE"]
    assert shown(unit="workplace") == []
    assert "Keine Leistung gefunden" in text_of(client.get("/arbeit/katalog/", {"q": "nirgends"}))


def test_a_service_page_says_what_it_is_and_that_its_tax_is_not_reviewed(world: World) -> None:
    page = text_of(world.clients["manager"].get("/arbeit/katalog/AKTE/"))
    for expected in ("Digitale Akte", "vier Servicestunden", "Personen mit Zugang", "Menge mal", "nicht geprüft"):
        assert expected in page, expected
    assert "Stadt Alphahausen" in page
    assert "Stadt Gammahausen" in page
    with acting_for("alliance"):
        costsharing.review_tax(
            Actor.system("alliance", "test"),
            service_code="AKTE",
            treatment="not_taxable_2b3_2",
            valid_from=date(2026, 1, 1),
            reasoning="Vorbehaltene Leistung.",
            document="11.30-7/2025",
            reviewer="Steuerkanzlei Muster",
            reviewed_on=date(2025, 11, 8),
            now=the_clock(),
        )
    page = text_of(world.clients["manager"].get("/arbeit/katalog/AKTE/"))
    assert "nicht geprüft" not in page
    for expected in ("§ 2b Abs. 3 Nr. 2 UStG", "Steuerkanzlei Muster", "11.30-7/2025", "01.01.2026"):
        assert expected in page, expected
    assert world.clients["manager"].get("/arbeit/katalog/NONE/").status_code == 404


def test_a_service_is_put_into_the_catalogue_once(world: World) -> None:
    client, url = world.clients["manager"], "/arbeit/katalog/neu/"
    sent = {**FILE, "code": "MAIL", "name": "Postfächer", "rooms": ["citizenservices"], "valid_from": "2027-01-01"}
    answer = client.post(url, sent)
    assert (answer.status_code, answer["Location"]) == (302, "/arbeit/katalog/MAIL/")
    with acting_for("alliance"):
        (made,) = queries.service_versions(world.manager, "MAIL")
    assert (made.name, made.rooms, made.valid_from) == ("Postfächer", ("citizenservices",), date(2027, 1, 1))
    before = world.state()
    again = client.post(url, sent)
    assert again.status_code == 422
    assert "bereits eine Leistung mit diesem Schlüssel" in text_of(again)
    wrong = client.post(url, {**sent, "code": "klein", "unit": "parsec", "valid_from": "gestern", "name": ""})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"code", "unit", "valid_from", "name"}
    assert world.state() == before


def test_a_new_version_holds_from_its_day_and_two_who_save_at_once_are_told(world: World) -> None:
    client, url = world.clients["manager"], "/arbeit/katalog/AKTE/fassung/"
    shown = form_of(client.get(url))
    assert (shown["name"], shown["rooms"], shown["version"]) == ("Digitale Akte", ["records"], 1)
    first = {**shown, "name": "Elektronische Akte", "valid_from": "2027-01-01"}
    assert client.post(url, first).status_code == 302
    before = world.state()
    second = client.post(url, {**shown, "name": "E-Akte", "valid_from": "2027-02-01"})
    assert second.status_code == 422
    assert "Jemand anderes hat diese Leistung inzwischen geändert" in text_of(second)
    assert world.state() == before
    with acting_for("alliance"):
        found = [(v.name, v.valid_until) for v in queries.service_versions(world.manager, "AKTE")]
    assert found == [("Digitale Akte", date(2026, 12, 31)), ("Elektronische Akte", None)]


def test_a_service_ends_only_when_nobody_has_it_any_more(world: World) -> None:
    client, url = world.clients["manager"], "/arbeit/katalog/AKTE/beenden/"
    last = local_date(the_clock()) + timedelta(days=30)
    shown = client.get(url)
    assert "Stadt Alphahausen, Stadt Gammahausen" in text_of(shown)
    sent = {**form_of(shown), "last_day": last.isoformat(), "reason": "Beschluss 7/2026"}
    before = world.state()
    refused = client.post(url, sent)
    assert refused.status_code == 422
    assert "Beenden Sie diese zuerst: Stadt Alphahausen, Stadt Gammahausen." in text_of(refused)
    assert client.post(url, {**sent, "last_day": "2020-02-01"}).status_code == 422
    assert client.post(url, {**sent, "reason": " "}).status_code == 422
    assert world.state() == before
    with acting_for("alliance"):
        for ident in world.agreements.values():
            services.end_agreement(
                world.manager, agreement_id=ident, last_day=last, reason="Ende", expected_version=1, now=the_clock()
            )
    assert client.post(url, sent).status_code == 302
    with acting_for("alliance"):
        (version,) = queries.service_versions(world.manager, "AKTE")
    assert (version.valid_until, version.version) == (last, 2)
    stale = client.post(url, sent)
    assert stale.status_code == 422


# ---- the agreements


def test_agreements_stand_in_a_list_a_matrix_and_a_file(world: World) -> None:
    client = world.clients["auditor"]
    page = text_of(client.get("/arbeit/vereinbarungen/"))
    assert "2 Vereinbarungen, davon 2 heute in Kraft" in page
    assert "/arbeit/vereinbarungen/neu/" not in page
    grid = client.get("/arbeit/vereinbarungen/uebersicht/")
    assert [[c and c.facts.as_carrier for c in b["cells"]] for b in grid.context["bodies"]] == [[True], [False]]
    answer = client.get("/arbeit/vereinbarungen/", {"csv": "1", "member": str(world.members["alpha"])})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[1:] == [
        [
            "Stadt Alphahausen",
            "AKTE",
            "Digitale Akte",
            "01.01.2026",
            "",
            "als Träger",
            "40",
            "Personen mit Zugang",
            "in Kraft",
            "Vertrag alpha",
            "",
        ]
    ]
    narrowed = client.get("/arbeit/vereinbarungen/", {"state": "ended"})
    assert narrowed.context["rows"] == []
    odd = client.get("/arbeit/vereinbarungen/", {"member": "nobody", "service": "x" * 300})
    assert odd.status_code == 200


def test_a_service_is_agreed_by_the_form(world: World) -> None:
    client, url = world.clients["manager"], "/arbeit/vereinbarungen/neu/"
    with acting_for("alliance"):
        services.define_service(
            world.manager, **{**FILE, "code": "HAUSHALT", "name": "Haushalt", "rooms": ["budget"]}, now=the_clock()
        )
    offered = client.get(url, {"koerperschaft": str(world.members["alpha"]), "leistung": "HAUSHALT"})
    shown = form_of(offered)
    assert (shown["member_id"], shown["service_code"]) == (str(world.members["alpha"]), "HAUSHALT")
    sent = {**shown, "role": "co_user", "basis": "Beschluss 12", "quantity_limit": "7", "valid_from": "2026-02-01"}
    answer = client.post(url, sent)
    assert answer.status_code == 302
    with acting_for("alliance"):
        rows = queries.agreement_rows(world.manager, day=date(2026, 3, 1), service_code="HAUSHALT")
        assert queries.member(world.manager, world.members["alpha"]).rooms == ("budget", "records")
    assert [(r.facts.as_carrier, r.facts.quantity_limit, r.facts.basis) for r in rows] == [(False, 7, "Beschluss 12")]
    assert answer["Location"] == f"/arbeit/vereinbarungen/{rows[0].facts.id}/"
    before = world.state()
    again = client.post(url, sent)
    assert again.status_code == 422
    assert "bereits" in text_of(again) or "schon" in text_of(again)
    wrong = client.post(url, {"member_id": "x", "role": "owner", "quantity_limit": "-3", "valid_from": "2026-13-01"})
    assert set(wrong.context["form"].errors) == {
        "member_id",
        "service_code",
        "role",
        "quantity_limit",
        "basis",
        "valid_from",
    }
    early = client.post(url, {**sent, "valid_from": "2019-01-01", "valid_until": "2019-02-01"})
    assert "valid_from" in early.context["form"].errors
    assert world.state() == before


def test_an_agreement_is_changed_from_a_day_on(world: World) -> None:
    client, ident = world.clients["manager"], world.agreements["alpha"]
    url = f"/arbeit/vereinbarungen/{ident}/aendern/"
    day = local_date(the_clock()) + timedelta(days=10)
    sent = {**form_of(client.get(url)), "from_day": day.isoformat(), "quantity_limit": "60", "role": "co_user"}
    before = world.state()
    for wrong in ("2020-01-01", "2026-01-01", "never"):
        answer = client.post(url, {**sent, "from_day": wrong})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["from_day"])
    assert world.state() == before
    assert client.post(url, sent).status_code == 302
    with acting_for("alliance"):
        rows = queries.agreement_rows(world.manager, day=day, member_id=world.members["alpha"])
        assert queries.member(world.manager, world.members["alpha"]).rooms == ("records",)
    assert [(r.facts.valid_from, r.facts.valid_until, r.facts.quantity_limit, r.facts.as_carrier) for r in rows] == [
        (date(2026, 1, 1), day - timedelta(days=1), 40, True),
        (day, None, 60, False),
    ]
    before = world.state()
    late = client.post(url, sent)
    assert late.status_code == 422
    assert "Jemand anderes hat diese Vereinbarung inzwischen geändert" in text_of(late)
    assert world.state() == before


def test_before_an_agreement_ends_the_page_says_what_happens_then(world: World, settings: Any) -> None:
    settings.VERBUND_HANDOVER_DAYS = 45
    client, ident = world.clients["manager"], world.agreements["alpha"]
    url = f"/arbeit/vereinbarungen/{ident}/beenden/"
    page = text_of(client.get(url))
    assert "nur noch lesbar: Digitale Akte" in page
    assert "noch 45 Tage gelesen" in page
    assert "verbund body export" in page
    last = local_date(the_clock()) + timedelta(days=3)
    sent = {**form_of(client.get(url)), "last_day": last.isoformat(), "reason": "Kündigung vom 1. Mai"}
    before = world.state()
    assert client.post(url, {**sent, "last_day": "2026-01-02"}).status_code == 422
    assert client.post(url, {**sent, "reason": ""}).status_code == 422
    assert world.state() == before
    assert client.post(url, sent).status_code == 302
    page = text_of(client.get(f"/arbeit/vereinbarungen/{ident}/"))
    assert f"bis zum {last + timedelta(days=45):%d.%m.%Y} gelesen" in page
    assert "Kündigung vom 1. Mai" in page
    assert client.post(url, sent).status_code == 422


def test_a_room_that_another_agreement_keeps_is_not_said_to_close(world: World) -> None:
    with acting_for("alliance"):
        services.define_service(
            world.manager, **{**FILE, "code": "PAKET", "name": "Paket", "rooms": ["records", "budget"]}, now=the_clock()
        )
        services.agree_service(
            world.manager,
            member_id=world.members["alpha"],
            service_code="PAKET",
            valid_from=date(2026, 1, 1),
            as_carrier=True,
            basis="Vertrag",
            now=the_clock(),
        )
        effects = queries.end_effects(world.manager, world.agreements["alpha"], last_day=date(2026, 12, 31))
    assert (effects.lost, effects.kept) == ((), ("records",))
    page = text_of(world.clients["manager"].get(f"/arbeit/vereinbarungen/{world.agreements['alpha']}/beenden/"))
    assert "kein Verfahren geschlossen" in page


def test_a_representative_sees_the_own_side_and_changes_nothing(world: World) -> None:
    client = world.clients["representative"]
    page = text_of(client.get("/arbeit/vereinbarungen/"))
    assert "Stadt Gammahausen" in page
    assert "Alphahausen" not in page
    assert "Alphahausen" not in text_of(client.get("/arbeit/katalog/AKTE/"))
    assert "Alphahausen" not in text_of(client.get("/arbeit/vereinbarungen/", {"csv": "1"}))
    own, other = world.agreements["gamma"], world.agreements["alpha"]
    assert client.get(f"/arbeit/vereinbarungen/{own}/").status_code == 200
    assert client.get(f"/arbeit/vereinbarungen/{other}/").status_code == 404
    assert client.get(f"/arbeit/vereinbarungen/koerperschaft/{world.members['alpha']}/").status_code == 404
    before = world.state()
    for path in ("neu/", f"{own}/aendern/", f"{own}/beenden/"):
        for who in ("representative", "auditor", "clerk"):
            answer = world.clients[who].post(f"/arbeit/vereinbarungen/{path}", {"version": "1", "reason": "x"})
            assert (path, who, answer.status_code) == (path, who, 403)
    for path in ("neu/", "AKTE/fassung/", "AKTE/beenden/"):
        assert client.post(f"/arbeit/katalog/{path}", {"version": "1"}).status_code == 403
    assert world.clients["clerk"].get("/arbeit/katalog/").status_code == 403
    assert world.state() == before


def test_the_list_asks_the_same_number_of_questions_for_any_number_of_agreements(
    world: World, django_assert_num_queries: Any
) -> None:
    for bodies in (0, 5):
        with acting_for("alliance"):
            for number in range(bodies):
                slug = f"ort{number}"
                ident = services.register_body(
                    world.manager, name=slug, kind="town", ags="", ars="", slug=slug, now=the_clock()
                ).id
                services.agree_service(
                    world.manager,
                    member_id=ident,
                    service_code="AKTE",
                    valid_from=date(2026, 1, 1),
                    as_carrier=False,
                    basis="Vertrag",
                    now=the_clock(),
                )
            assert queries.services_on(world.manager, date(2026, 5, 1))  # the body is entered with the first statement
            with django_assert_num_queries(2):
                assert len(queries.agreement_rows(world.manager, day=date(2026, 5, 1))) == 2 + bodies
