"""The pages of the contract, the library and the signing, as a browser sees them."""

import io
import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from django.test import Client

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import AccessionState, ContractClause, SignedCopy, TrustAnchor
from verbund.platform import files
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from .factories import PUBLISHED, Accessions, founded, medium, member
from .pages import employ, signed_in
from .signatures import Authority, signed
from .test_accession_rules import digest
from .test_contracts import ALL


@dataclass
class Desk:
    """People at their desks, an accession in negotiation and a reviewed library."""

    manager: Client
    second: Client
    representative: Client
    auditor: Client
    actor: Actor
    reviewer: Actor
    case: Accessions
    founders: list[Any]

    @property
    def url(self) -> str:
        return f"/arbeit/beitritte/{self.case.id}/vertrag/"

    def form(self, **changes: str) -> dict[str, str]:
        """What the page of a draft sends, complete as § 167b (3) KV M-V wants it."""
        sent = {f"place_{code}": str(place) for place, code in enumerate(ALL, start=1)}
        for number, cents in enumerate(("1000", "1000", "500")):
            sent |= {f"share_{number}": cents, f"seats_{number}": "1" if number == 2 else "2"}
        sent |= {
            "expected_number": "0",
            "chair": str(self.founders[0]),
            "tasks": "Gesamter IT-Betrieb\nSchul-IT",
            "effective_on": "2026-06-01",
            "value_audit_body": "das Rechnungsprüfungsamt",
            "value_payment_days": "14",
            "value_notice_months": "12",
            **changes,
        }
        return {name: value for name, value in sent.items() if value}


@pytest.fixture
def desk(real_database: str, settings: Any) -> Desk:
    with acting_for("alliance"):
        manager, second = employ("Max Mond", Role.ALLIANCE_MANAGER), employ("Rolf Rotbuche", Role.ALLIANCE_MANAGER)
        auditor = employ("Petra Prinz", Role.AUDITOR)
        founders = founded(manager)
        candidate = member(manager, "neustadt")
        representative = employ("Rita Rat", Role.MEMBER_REPRESENTATIVE, "neustadt")
        medium(candidate)
        now = the_clock()
        services.load_start_clauses(manager, now=now)
        for code in ALL:
            services.review_clause(second, code=code, number=1, now=now)
        case = Accessions(manager, candidate).to(AccessionState.NEGOTIATION)
        return Desk(
            manager=signed_in(manager, settings),
            second=signed_in(second, settings),
            representative=signed_in(representative, settings),
            auditor=signed_in(auditor, settings),
            actor=manager,
            reviewer=second,
            case=case,
            founders=founders,
        )


def text_of(answer: Any) -> str:
    """What stands on the page, without markup."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def state() -> Any:
    with acting_for("alliance"):
        return digest()


def drafted(desk: Desk, **changes: str) -> None:
    answer = desk.manager.post(f"{desk.url}neu/", desk.form(**changes))
    assert answer.status_code == 302, text_of(answer)[:3000]


def finalised(desk: Desk, number: int = 1) -> str:
    assert desk.manager.post(f"{desk.url}{number}/festschreiben/", {"on": "2026-02-01"}).status_code == 302
    with acting_for("alliance"):
        return queries.contract(desk.actor, desk.case.id, number).sha256


def consented(desk: Desk, sha256: str) -> None:
    with acting_for("alliance"):
        for party in desk.case.parties():
            if party == desk.case.member_id:
                desk.case.record_candidate_resolution(version_sha256=sha256)
            else:
                desk.case.record_consent(party, version_sha256=sha256)


def test_the_first_page_teaches_and_the_form_brings_what_is_known(desk: Desk) -> None:
    assert "Erste Fassung entwerfen" in text_of(desk.manager.get(desk.url))
    assert "Zum Vertrag" in text_of(desk.manager.get(f"/arbeit/beitritte/{desk.case.id}/"))
    page = desk.manager.get(f"{desk.url}neu/").content.decode()
    offered = dict(re.findall(r'name="(place_\w+|share_\d|seats_\d)" value="([^"]*)"', page))
    assert [offered[f"place_{code}"] for code in ALL] == [str(n) for n in range(1, 11)]
    assert (offered["share_0"], offered["seats_0"], offered["share_2"]) == ("1000.00", "2", "500.00")
    assert "§ 167b Abs. 3 Nr. 4 KV M-V" in page


def test_a_version_is_drafted_shown_downloaded_and_put_before_the_parties(desk: Desk) -> None:
    drafted(desk)
    page = desk.manager.get(f"{desk.url}1/")
    assert "Die Fassung ist vollständig" in text_of(page)
    assert "§ 3 Stammkapital" in text_of(page)
    assert "neu berechnet: Klauseln und Daten ergeben genau diese Prüfsumme" in text_of(page)
    draft = desk.manager.get(f"{desk.url}1.pdf")
    assert draft.content.startswith(b"%PDF")
    assert draft["Content-Disposition"] == 'attachment; filename="vertrag-entwurf-1.pdf"'
    assert "sandbox" in draft["Content-Security-Policy"]
    asked = text_of(desk.manager.get(f"{desk.url}1/festschreiben/"))
    assert "Es ist die erste Fassung: Keine Zustimmung entfällt dadurch." in asked
    sha256 = finalised(desk)
    assert sha256 in asked
    listed = text_of(desk.manager.get(desk.url))
    assert "0 von 3 haben zugestimmt" in listed
    assert sha256[:12] in listed
    assert sha256 in listed
    final: Any = desk.manager.get(f"{desk.url}1.pdf")
    assert final["Content-Disposition"] == 'attachment; filename="vertrag-fassung-1.pdf"'
    assert b"".join(final.streaming_content).startswith(b"%PDF")
    with acting_for("alliance"):
        view = queries.accession(desk.actor, desk.case.id)
    assert view.draft is not None
    assert (view.draft.sha256, view.state) == (sha256, "draft_contract")


def test_what_the_law_requires_and_is_missing_is_named_with_the_clause_that_fills_it(desk: Desk) -> None:
    drafted(desk, place_joint_decision="", value_payment_days="", chair="")
    page = desk.manager.get(f"{desk.url}1/")
    assert "(§ 167b Abs. 3 Nr. 4 KV M-V)" in text_of(page)
    assert 'href="/arbeit/klauseln/klausel/joint_decision/"' in page.content.decode()
    assert "{payment_days}" in text_of(page)
    before = state()
    refused = desk.manager.post(f"{desk.url}1/festschreiben/", {"on": "2026-02-01"})
    assert refused.status_code == 422
    assert "§ 167b Abs. 3 Nr. 4 KV M-V" in text_of(refused)
    assert desk.manager.get(f"{desk.url}1/festschreiben/").status_code == 302
    assert state() == before


def test_before_a_new_version_it_is_said_whose_consents_fall(desk: Desk) -> None:
    drafted(desk)
    sha256 = finalised(desk)
    with acting_for("alliance"):
        desk.case.record_consent(desk.founders[0], version_sha256=sha256)
    drafted(desk, expected_number="1", value_payment_days="30")
    asked = text_of(desk.manager.get(f"{desk.url}2/festschreiben/"))
    assert "1 Zustimmung zu ihr gilt nicht mehr und muss neu erteilt werden: Stadt Kreis." in asked
    finalised(desk, 2)
    listed = text_of(desk.manager.get(desk.url))
    assert "abgelöst" in listed
    assert "1 von 3 hatten zugestimmt; das gilt nicht mehr" in listed


def test_two_versions_are_compared_word_by_word(desk: Desk) -> None:
    drafted(desk)
    assert desk.manager.get(f"{desk.url}vergleich/").status_code == 302
    drafted(desk, expected_number="1", value_payment_days="30", place_leaving="")
    page = desk.manager.get(f"{desk.url}vergleich/").content.decode()
    assert re.search(r"<del><span[^>]*>gestrichen: </span>14</del>", page)
    assert re.search(r"<ins><span[^>]*>eingefügt: </span>30</ins>", page)
    assert "Absätze geändert: 1, eingefügt: 0, gestrichen: 3." in page
    assert re.search(r"<h2[^>]*>Stammkapital</h2>", page)
    assert not re.search(r"<p[^>]*>Stammkapital</p>", page)
    assert "Die beiden Texte sind gleich." in text_of(desk.manager.get(f"{desk.url}vergleich/?alt=2&neu=2"))
    assert desk.manager.get(f"{desk.url}vergleich/?alt=7&neu=2").status_code == 404


def test_two_people_who_draft_at_once_are_told_and_nothing_is_lost(desk: Desk) -> None:
    drafted(desk)
    before = state()
    late = desk.second.post(f"{desk.url}neu/", desk.form(value_payment_days="60"))
    assert late.status_code == 409
    assert "Arbeitsfassung 1 von Max Mond" in text_of(late)
    same = desk.second.post(f"{desk.url}neu/", desk.form(expected_number="1"))
    assert same.status_code == 422
    assert "Fassung 1" in text_of(same)
    assert state() == before


def test_bad_input_is_told_at_the_field_and_nothing_is_drafted(desk: Desk) -> None:
    before = state()
    answer = desk.manager.post(
        f"{desk.url}neu/", desk.form(share_0="-5", seats_1="100", effective_on="gestern", place_audit="vorn")
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    for name in ("share_0", "seats_1", "effective_on", "place_audit"):
        assert f'href="#id_{name}"' in page
        assert f'id="id_{name}_error"' in page
    control = desk.manager.post(f"{desk.url}neu/", desk.form(value_audit_body="das \u200b Amt"))
    assert control.status_code == 422
    assert state() == before


def test_others_look_and_a_representative_sees_only_what_was_put_before_the_parties(desk: Desk) -> None:
    drafted(desk)
    assert desk.auditor.get(f"{desk.url}1/").status_code == 200
    assert desk.representative.get(f"{desk.url}1/").status_code == 404
    assert desk.representative.get(f"{desk.url}1.pdf").status_code == 404
    assert "Der Verbund entwirft den Vertrag" in text_of(desk.representative.get(desk.url))
    before = state()
    for client in (desk.auditor, desk.representative):
        for path, sent in (
            (f"{desk.url}neu/", desk.form(value_payment_days="9")),
            (f"{desk.url}1/festschreiben/", {"on": "2026-02-01"}),
            (f"{desk.url}ausfertigung/", {"kind": "scanned"}),
            ("/arbeit/klauseln/neu/", {"code": "x", "title": "Titel", "text": "Ein langer Text.", "kinds": "other"}),
            ("/arbeit/klauseln/startbestand/", {}),
            ("/arbeit/klauseln/klausel/audit/1/pruefen/", {}),
            ("/arbeit/vertrauensliste/", {"pem": "x", "source": "y"}),
        ):
            assert client.post(path, sent).status_code == 403, path
    assert state() == before
    finalised(desk)
    seen = desk.representative.get(f"{desk.url}1/")
    assert seen.status_code == 200
    assert "festschreiben" not in seen.content.decode()
    assert desk.representative.get(f"{desk.url}1.pdf").status_code == 200


# --- the library


def test_a_clause_is_written_reviewed_by_another_and_found(desk: Desk) -> None:
    new = {"code": "data_protection", "title": "Datenschutz", "kinds": "other", "source": "Art. 28 DSGVO",
           "text": "Der Verbund verarbeitet Daten nur im Auftrag von {candidate}.", "expected_number": "0"}  # fmt: skip
    assert desk.manager.post("/arbeit/klauseln/neu/", new).status_code == 302
    shown = text_of(desk.manager.get("/arbeit/klauseln/klausel/data_protection/"))
    assert "Sie haben die neueste Fassung selbst verfasst" in shown
    assert "Art. 28 DSGVO" in shown
    before = state()
    own = desk.manager.post("/arbeit/klauseln/klausel/data_protection/1/pruefen/", {})
    assert own.status_code == 422
    assert "selbst" in text_of(own)
    assert state() == before
    assert desk.second.post("/arbeit/klauseln/klausel/data_protection/1/pruefen/", {"note": "gut"}).status_code == 302
    assert "geprüft von Rolf Rotbuche" in text_of(desk.manager.get("/arbeit/klauseln/klausel/data_protection/"))
    found = text_of(desk.manager.get("/arbeit/klauseln/?q=auftrag+DSGVO"))
    assert "Datenschutz" in found
    assert "Stammkapital" not in found
    assert "Keine Klausel enthält" in text_of(desk.manager.get("/arbeit/klauseln/?q=Bratwurst"))
    assert desk.manager.get("/arbeit/klauseln/klausel/unknown/").status_code == 404
    assert desk.second.get("/arbeit/klauseln/klausel/audit/9/pruefen/").status_code == 404


def test_two_clerks_who_save_the_same_clause_are_told_what_stands_now(desk: Desk) -> None:
    version = {"title": "Prüfung", "kinds": "audit", "text": "Geprüft wird durch {audit_body}.", "expected_number": "1"}
    url = "/arbeit/klauseln/klausel/audit/neu/"
    assert desk.second.post(url, version).status_code == 302
    before = state()
    late = desk.manager.post(url, {**version, "text": "Niemand prüft irgendetwas."})
    assert late.status_code == 409
    assert "Fassung 2 von Rolf Rotbuche" in text_of(late)
    assert 'href="/arbeit/klauseln/klausel/audit/"' in late.content.decode()
    unchanged = desk.manager.post(url, {**version, "expected_number": "2"})
    assert unchanged.status_code == 422
    assert state() == before
    with acting_for("alliance"):
        assert ContractClause.objects.filter(code="audit").count() == 2
    assert "Verträge verwenden Fassung 1" in text_of(desk.manager.get("/arbeit/klauseln/klausel/audit/"))


def test_bad_clauses_are_explained_at_the_field(desk: Desk) -> None:
    before = state()
    wrong = {"code": "Ä!", "title": "x", "text": "{offen", "kinds": "other", "expected_number": "0"}
    bad = desk.manager.post("/arbeit/klauseln/neu/", wrong)
    assert bad.status_code == 422
    for name in ("code", "title", "text"):
        assert f'id="id_{name}_error"' in bad.content.decode()
    assert desk.manager.post("/arbeit/klauseln/startbestand/").status_code == 302
    assert state() == before


# --- signing


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Prüfstelle")


def upload(content: bytes, name: str = "Vertrag unterschrieben.pdf") -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


def send(desk: Desk, content: bytes, kind: str = "electronic", **changes: str) -> Any:
    who = {"name_2": "Erika Muster", "function_2": "Bürgermeisterin", "day_2": "2026-03-15", **changes}
    return desk.manager.post(f"{desk.url}ausfertigung/", {"file": upload(content), "kind": kind, **who})


@pytest.fixture
def ready(desk: Desk) -> tuple[Desk, bytes]:
    """A contract all have consented to, and its PDF."""
    assert desk.manager.get(f"{desk.url}ausfertigung/").status_code == 302  # nothing to sign yet
    drafted(desk)
    consented(desk, finalised(desk))
    with acting_for("alliance"):
        return desk, queries.contract_pdf(desk.actor, desk.case.id, 1)


def test_a_signed_copy_is_checked_and_told_in_words(ready: tuple[Desk, bytes], authority: Authority) -> None:
    desk, pdf = ready
    good = signed(pdf, authority, "Erika Muster")
    assert send(desk, good).status_code == 302
    page = text_of(desk.manager.get(desk.url))
    assert "Signatur von Erika Muster; das Zertifikat hat Prüfstelle ausgestellt." in page
    assert "Nicht vertrauenswürdig: Das Zertifikat geht auf keinen Aussteller der Vertrauensliste zurück." in page
    assert "Sie umfasst das ganze Dokument." in page
    trusted = desk.manager.post("/arbeit/vertrauensliste/", {"pem": authority.pem, "source": "BNetzA, 01.11.2026"})
    assert trusted.status_code == 302
    both = signed(good, authority, "Lars Linde", field="Signatur2")
    assert send(desk, both, name_0="Lars Linde", function_0="Landrat", day_0="2026-03-16").status_code == 302
    page = text_of(desk.manager.get(desk.url))
    assert "Vertrauenswürdig: Das Zertifikat geht auf einen Aussteller der Vertrauensliste zurück." in page
    assert "Stadt Hauptstadt: Lars Linde, Landrat, 16.03.2026" in page
    with acting_for("alliance"):
        newest = SignedCopy.objects.latest("recorded_at")
        assert newest.trust == "trusted"
    kept: Any = desk.auditor.get(f"/arbeit/ausfertigungen/{newest.id}.pdf")
    assert kept["Content-Disposition"].startswith("attachment")
    assert b"".join(kept.streaming_content) == both


def test_a_broken_or_foreign_signature_is_explained_and_changes_nothing(
    ready: tuple[Desk, bytes], authority: Authority
) -> None:
    desk, pdf = ready
    good = signed(pdf, authority, "Erika Muster")
    at = len(pdf) // 2
    before = state()
    with acting_for("alliance"):
        stored = files.StoredFile.objects.count()
    for content, kind, said in (
        (good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :], "electronic", "ist gebrochen|nicht als signiertes PDF"),
        (signed(_other_pdf(), authority, "Erika Muster"), "electronic", "ein anderer Text"),
        (pdf, "electronic", "keine elektronische Signatur"),
        (b"just text", "scanned", "PDF"),
    ):
        answer = send(desk, content, kind)
        assert answer.status_code == 422
        assert 'id="id_file_error"' in answer.content.decode()
        assert re.search(said, text_of(answer)), said
    half = send(desk, good, function_2="")
    assert half.status_code == 422
    assert 'id="id_function_2_error"' in half.content.decode()
    assert send(desk, good, name_2="", function_2="", day_2="").status_code == 422
    assert send(desk, good, day_2="2999-01-01").status_code == 422
    assert state() == before
    with acting_for("alliance"):
        assert files.StoredFile.objects.count() == stored


def _other_pdf() -> bytes:
    from datetime import date

    from verbund.platform import printing

    with acting_for("alliance"):
        return printing.letter("printing/letter.typ", {"subject": "Anderer Vertrag", "date": date(2026, 3, 1)})


def test_the_trust_list_takes_an_issuer_and_lets_it_go(desk: Desk, authority: Authority) -> None:
    assert "Noch wird niemandem vertraut" in text_of(desk.manager.get("/arbeit/vertrauensliste/"))
    before = state()
    bad = desk.manager.post("/arbeit/vertrauensliste/", {"pem": "nothing", "source": "x"})
    assert bad.status_code == 422
    assert 'id="id_pem_error"' in bad.content.decode()
    assert state() == before
    assert desk.manager.post("/arbeit/vertrauensliste/", {"pem": authority.pem, "source": "BNetzA"}).status_code == 302
    again = desk.manager.post("/arbeit/vertrauensliste/", {"pem": authority.pem, "source": "BNetzA"})
    assert again.status_code == 422
    with acting_for("alliance"):
        anchor = TrustAnchor.objects.get()
    url = f"/arbeit/vertrauensliste/{anchor.id}/zurueckziehen/"
    assert "Was vorher geprüft wurde, behält sein Ergebnis." in text_of(desk.manager.get(url))
    assert desk.manager.post(url).status_code == 302
    assert "zurückgezogen" in text_of(desk.manager.get("/arbeit/vertrauensliste/"))
    before = state()
    assert desk.manager.post(url).status_code == 302
    assert state() == before


def test_the_text_in_force_is_shown_for_a_day(desk: Desk) -> None:
    empty = desk.representative.get("/arbeit/vertrag/?tag=2026-01-01")
    assert "Für diesen Tag liegt kein Wortlaut vor" in text_of(empty)
    drafted(desk)
    consented(desk, finalised(desk))
    with acting_for("alliance"):
        view = queries.contract(desk.actor, desk.case.id)
        desk.case.sign()
        desk.case.give_notice()
        desk.case.complete_documents()
        desk.case.declare_no_objection()
        for row in queries.accession(desk.actor, desk.case.id).media:
            services.record_publication(
                desk.actor, accession_id=desk.case.id, medium_id=row.medium_id, sha256=view.sha256,
                on=PUBLISHED, now=the_clock(),
            )  # fmt: skip
        desk.case.take_effect()
    page = text_of(desk.manager.get("/arbeit/vertrag/?tag=2026-07-01"))
    assert "§ 3 Stammkapital" in page
    assert "aus dem Vertrag mit Stadt Neustadt, wirksam seit 01.06.2026" in page
    assert desk.manager.get("/arbeit/vertrag/?tag=quatsch").status_code == 200
