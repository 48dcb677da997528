"""The clerks' pages: what stands on them, what they do, and what the second of two is told."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation

from verbund.modules.citizenservices import queries, services
from verbund.modules.records import queries as records
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from . import factories
from .desk import ClientOf, Desk, offered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("town_with_clerks")]


def sent(**values: Any) -> UUID:
    with acting_for("alpha"):
        return factories.submit(email="frieda@example.org", wants_mailbox=True, **values).id


def state(ident: UUID) -> queries.ApplicationView:
    with acting_for("alpha"):
        return queries.application(factories.SYSTEM, ident, now=the_clock())


def page(ident: UUID, step: str = "") -> str:
    return f"/arbeit/vorgaenge/{ident}/{step}"


def taken(clerk: Desk, ident: UUID) -> int:
    with acting_for("alpha"):
        return services.take_over(
            clerk.actor, application_id=ident, expected_version=state_version(ident), now=the_clock()
        )


def state_version(ident: UUID) -> int:
    return queries.application(factories.SYSTEM, ident, now=the_clock()).version


# ---- Lists


def test_the_overview_tells_the_load_in_one_sentence(desk: Callable[..., Desk]) -> None:
    service = offered()
    first, _second = sent(service=service, seed=1), sent(service=service, seed=2)
    eva = desk()
    assert "2 Fälle warten im Eingang, keiner länger als versprochen." in eva.get("/arbeit/")
    taken(eva, first)
    text = eva.get("/arbeit/")
    assert "1 Fall wartet im Eingang, keiner länger als versprochen." in text
    assert state(first).case_reference in text


def test_the_inbox_shows_what_nobody_works_on_in_the_own_unit_only(desk: Callable[..., Desk]) -> None:
    service = offered()
    waiting, mine = sent(service=service, seed=1), sent(service=service, seed=2)
    eva, uwe = desk(), desk("Uwe Ulme", unit="50")
    taken(eva, mine)
    text = eva.get("/arbeit/eingang/")
    assert state(waiting).case_reference in text
    assert state(mine).case_reference not in text
    assert state(mine).case_reference in eva.get("/arbeit/vorgaenge/")
    foreign = uwe.get("/arbeit/eingang/?sicht=all")
    assert state(waiting).case_reference not in foreign
    uwe.get(page(waiting), 404)


def test_a_filter_that_is_not_offered_does_not_select_and_does_not_fail(desk: Callable[..., Desk]) -> None:
    ident = sent()
    text = desk().get("/arbeit/eingang/?sicht=nonsense&state=nonsense&service=x&after=nonsense")
    assert state(ident).case_reference in text


def test_the_chosen_columns_stay_chosen(desk: Callable[..., Desk]) -> None:
    found = state(sent())
    eva = desk()
    assert found.party_name in eva.get("/arbeit/eingang/")
    assert found.party_name not in eva.get("/arbeit/eingang/?spalten=1&spalte=unit&spalte=nonsense")
    again = eva.get("/arbeit/eingang/")
    assert found.party_name not in again
    assert '<td data-label="Einheit">32</td>' in again


def test_an_empty_inbox_teaches(desk: Callable[..., Desk]) -> None:
    assert "Anträge, die Bürgerinnen und Bürger senden, erscheinen hier von selbst" in desk().get("/arbeit/eingang/")


def test_the_inbox_is_paged_by_key(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    service = offered(fee_cents=0)
    references = {state(sent(service=service, seed=n)).case_reference for n in range(1, 4)}
    real = queries.inbox
    monkeypatch.setattr(queries, "inbox", lambda actor, **given: real(actor, **{**given, "limit": 2}))
    eva = desk()
    first = eva.client.get("/arbeit/eingang/")
    following = first.context["page"].next
    second = eva.get(f"/arbeit/eingang/?after={following}")
    seen = [{r for r in references if r in unescape(text)} for text in (first.content.decode(), second)]
    assert [len(s) for s in seen] == [2, 1]
    assert seen[0] | seen[1] == references


def test_a_list_asks_the_database_no_more_for_more_rows(
    desk: Callable[..., Desk], django_assert_max_num_queries: Any
) -> None:
    service = offered(fee_cents=0)
    eva = desk()
    sent(service=service, seed=1)
    with django_assert_max_num_queries(20) as one:
        eva.get("/arbeit/eingang/")
    for seed in range(2, 6):
        sent(service=service, seed=seed)
    with django_assert_max_num_queries(len(one.captured_queries)):
        eva.get("/arbeit/eingang/")


# ---- One case


def test_a_case_shows_answers_documents_file_and_history_on_one_page(desk: Callable[..., Desk]) -> None:
    ident = sent()
    found = state(ident)
    text = desk().get(page(ident))
    assert found.case_reference in text
    assert found.party_name in text
    for section in found.sections:
        for row in section.rows:
            assert row.label in text
    with acting_for("alpha"):
        for document in records.documents(factories.SYSTEM, found.case_id):
            assert document.title in text
    with acting_for("alpha"), translation.override("de"):
        happened = [entry.kind_label for entry in records.timeline(factories.SYSTEM, found.case_id)]
    assert happened
    assert all(label in text for label in happened)
    assert text.count("kern-btn--primary") == 1
    assert "Übernehmen" in text


def test_taking_over_can_be_taken_back(desk: Callable[..., Desk]) -> None:
    ident = sent()
    eva = desk()
    answer = eva.post(page(ident, "uebernehmen/"), {"version": state(ident).version})
    assert answer.headers["Location"] == page(ident)
    assert (state(ident).state, state(ident).clerk_name) == ("in_progress", "Eva Eich")
    text = eva.get(page(ident))
    undo = f"/arbeit/vorgaenge/{ident}/zurueckgeben/?version={state(ident).version}"
    assert f'action="{undo}"' in text
    eva.post(undo)
    assert (state(ident).state, state(ident).clerk) == ("submitted", None)


def test_of_two_clerks_the_second_is_told_who_was_first(desk: Callable[..., Desk]) -> None:
    ident = sent()
    eva, uwe = desk(), desk("Uwe Ulme")
    seen = state(ident).version
    eva.post(page(ident, "uebernehmen/"), {"version": seen})
    answer = uwe.post(page(ident, "uebernehmen/"), {"version": seen}, 409)
    text = unescape(answer.content.decode())
    assert "Eva Eich" in text
    assert f'href="{page(ident)}"' in text
    assert state(ident).clerk_name == "Eva Eich"


@pytest.mark.parametrize("given", [{}, {"version": ""}, {"version": "x"}, {"version": "-1"}, {"version": "9" * 30}])
def test_a_step_without_the_version_that_was_seen_is_not_taken(
    desk: Callable[..., Desk], given: dict[str, str]
) -> None:
    ident = sent()
    desk().post(page(ident, "uebernehmen/"), given, 409)
    assert state(ident).state == "submitted"


def test_a_question_reaches_the_applicant_and_waits(desk: Callable[..., Desk]) -> None:
    ident = sent()
    eva = desk()
    version = taken(eva, ident)
    until = (the_clock() + timedelta(days=10)).date()
    data = {"version": version, "text": "Bitte reichen Sie den Schein nach.", "answer_until": until.isoformat()}
    eva.post(page(ident, "rueckfrage/"), data)
    found = state(ident)
    assert (found.state, found.questions[0].text) == ("query_open", "Bitte reichen Sie den Schein nach.")
    text = eva.get(page(ident))
    assert "Bitte reichen Sie den Schein nach." in text
    assert "noch nicht beantwortet" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": ""}, "Schreiben Sie Ihre Frage auf."),
        ({"answer_until": "2020-01-01"}, "Wählen Sie einen Tag in der Zukunft."),
        ({"answer_until": "irgendwann"}, "Geben Sie ein Datum wie 24.12.2026 ein."),
        ({"text": "Was ist \u6f22?"}, "\u6f22"),
    ],
)
def test_a_question_that_cannot_be_taken_says_why_and_is_kept(
    desk: Callable[..., Desk], change: dict[str, str], message: str
) -> None:
    ident = sent()
    eva = desk()
    until = (the_clock() + timedelta(days=10)).date().isoformat()
    data = {"version": taken(eva, ident), "text": "Was ist damit?", "answer_until": until, **change}
    text = unescape(eva.post(page(ident, "rueckfrage/"), data, 400).content.decode())
    assert message in text
    assert "data-error-summary" in text
    assert state(ident).questions == ()


def test_a_grant_is_looked_at_before_it_is_sent(desk: Callable[..., Desk]) -> None:
    ident = sent()
    eva = desk()
    version = taken(eva, ident)
    answer = eva.post(page(ident, "entscheiden/"), {"version": version, "outcome": "granted", "reason": ""})
    assert answer.headers["Location"] == page(ident, "bescheid/")
    assert state(ident).state == "in_progress"
    text = eva.get(page(ident, "bescheid/"))
    assert f"Bewilligung an {state(ident).party_name} versenden?" in text
    assert "30,70\xa0€" in text
    pdf = eva.client.get(page(ident, "bescheid.pdf"))
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert b"".join(pdf).startswith(b"%PDF-")
    assert "frame-ancestors 'self'" in pdf.headers["Content-Security-Policy"]
    eva.post(page(ident, "versenden/"), {"version": state(ident).version})
    found = state(ident)
    assert (found.state, found.outcome, found.fee_cents) == ("decided", "granted", 3070)
    assert found.letter_document_id is not None


def test_a_refusal_needs_a_reason(desk: Callable[..., Desk]) -> None:
    ident = sent()
    eva = desk()
    version = taken(eva, ident)
    data = {"version": version, "outcome": "refused", "reason": " "}
    text = unescape(eva.post(page(ident, "entscheiden/"), data, 400).content.decode())
    assert "Eine Ablehnung braucht eine Begründung." in text
    assert state(ident).decision is None
    eva.post(page(ident, "entscheiden/"), {**data, "reason": "Sie wohnen nicht im Gebiet."})
    eva.post(page(ident, "versenden/"), {"version": state(ident).version})
    found = state(ident)
    assert (found.outcome, found.fee_cents, found.claim_id) == ("refused", 0, None)
    assert found.decision is not None
    assert found.decision.reason == "Sie wohnen nicht im Gebiet."


def test_a_decision_that_was_overtaken_is_not_sent(desk: Callable[..., Desk]) -> None:
    ident = sent()
    eva = desk()
    version = taken(eva, ident)
    eva.post(page(ident, "entscheiden/"), {"version": version, "outcome": "granted", "reason": ""})
    seen = state(ident).version
    eva.post(page(ident, "entscheiden/"), {"version": seen, "outcome": "refused", "reason": "Doch nicht."})
    eva.post(page(ident, "versenden/"), {"version": seen}, 409)
    found = state(ident)
    assert (found.state, found.letter_id, found.claim_id) == ("in_progress", None, None)


def test_with_sign_off_a_second_person_signs(desk: Callable[..., Desk]) -> None:
    ident = sent(service=offered(requires_sign_off=True))
    eva, hilde = desk(), desk("Hilde Hain", Role.HEAD_OF_UNIT)
    version = taken(eva, ident)
    eva.post(page(ident, "entscheiden/"), {"version": version, "outcome": "granted", "reason": ""})
    assert "Eine zweite Person muss unterschreiben." in eva.get(page(ident, "bescheid/"))
    eva.post(page(ident, "versenden/"), {"version": state(ident).version}, 403)
    assert state(ident).state == "in_progress"
    assert "Eva Eich hat eine Entscheidung vorgeschlagen." in hilde.get(page(ident))
    hilde.post(page(ident, "versenden/"), {"version": state(ident).version})
    found = state(ident)
    assert found.state == "decided"
    assert found.decision is not None
    assert (found.decision.proposed_name, found.decision.signed_name) == ("Eva Eich", "Hilde Hain")


def test_a_withdrawal_by_telephone_is_asked_once_and_closes_the_case(desk: Callable[..., Desk]) -> None:
    ident = sent()
    eva = desk()
    version = taken(eva, ident)
    assert "Es kann nicht rückgängig gemacht werden." in eva.get(page(ident, "zuruecknahme/"))
    assert state(ident).state == "in_progress"
    eva.post(page(ident, "zuruecknahme/"), {"version": version})
    found = state(ident)
    assert (found.state, found.outcome) == ("closed", "withdrawn")
    with acting_for("alpha"):
        assert not records.case(factories.SYSTEM, found.case_id).is_open


@pytest.mark.parametrize(
    "step", ["uebernehmen/", "zurueckgeben/", "rueckfrage/", "zuruecknahme/", "entscheiden/", "versenden/"]
)
def test_who_may_only_read_changes_nothing(desk: Callable[..., Desk], step: str) -> None:
    ident = sent()
    auditor = desk("Paula Pruefer", Role.AUDITOR)
    assert "kern-btn--primary" not in auditor.get(page(ident))
    auditor.post(page(ident, step), {"version": state(ident).version}, 403)
    assert (state(ident).state, state(ident).version) == ("submitted", 1)


def test_the_documents_of_a_case_are_shown_beside_its_answers(desk: Callable[..., Desk]) -> None:
    ident = sent()
    found = state(ident)
    eva = desk()
    text = eva.get(page(ident))
    preview = f"/arbeit/akten/dokument/{found.attachments[0].document_id}/vorschau/"
    assert f'src="{preview}"' in text
    with acting_for("alpha"):
        documents = records.documents(factories.SYSTEM, found.case_id)
    for document in documents:
        assert f'data-preview-src="/arbeit/akten/dokument/{document.id}/vorschau/"' in text
    assert "frame-ancestors 'self'" in eva.client.get(preview).headers["Content-Security-Policy"]


def test_guests_are_led_to_the_sign_in(client_of: ClientOf) -> None:
    answer = client_of("alpha").get("/arbeit/eingang/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/anmelden/?next=%2Farbeit%2Feingang%2F"
