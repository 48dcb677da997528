"""The straight way: form, case, decision with letter and fee, delivery, payment, closed case."""

from datetime import date

import pytest
from django.core import mail

from verbund.modules.budget import queries as budget_queries
from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.queries import ApplicationAccess
from verbund.modules.records import queries as records

from . import factories
from .factories import GUEST, NOW, SYSTEM, clerk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(alpha: object) -> None:
    factories.town()


def test_an_application_goes_all_the_way(mailoutbox: list[mail.EmailMessage]) -> None:
    ref = factories.submit(email="frieda@example.org")
    access = ApplicationAccess(ref.id, ref.tracking_code)
    services.send_receipt(SYSTEM, application_id=ref.id, now=NOW)
    assert [m.to for m in mailoutbox] == [["frieda@example.org"]]
    assert ref.tracking_code not in mailoutbox[0].body

    eva = clerk()
    version = factories.taken(ref, eva)
    decided = services.decide_application(
        eva, application_id=ref.id, outcome="granted", reason="", expected_version=version, now=NOW
    )
    assert decided.claim_id is not None
    claim = budget_queries.claim(SYSTEM, decided.claim_id)
    assert claim.cents == 3070
    letter = records.letter(SYSTEM, decided.letter_id)
    assert letter.sha256 == decided.letter_sha256
    text = records.document_text(SYSTEM, decided.letter_document_id).text
    assert "Bewohnerparkausweis: Bewilligung" in text
    assert "30,70" in text

    view = queries.status(GUEST, access=access, now=NOW)
    assert view.state == "decided"
    assert view.letter_document_id is None, "not before it was delivered"

    origin = f"citizenservices.application:{ref.id}"
    services.note_delivery(
        SYSTEM,
        origin=origin,
        letter_id=decided.letter_id,
        document_id=decided.letter_document_id,
        delivered_at=NOW,
        now=NOW,
    )
    view = queries.status(GUEST, access=access, now=NOW)
    assert (view.state, view.is_paid) == ("delivered", False)
    assert view.messages[0].document_id == decided.letter_document_id
    stored, _name = queries.party_document(GUEST, access=access, document_id=decided.letter_document_id)
    assert stored.sha256 == decided.letter_sha256

    services.note_settlement(SYSTEM, origin=origin, claim_id=decided.claim_id, settled_on=date(2026, 11, 25), now=NOW)
    done = queries.application(eva, ref.id, now=NOW)
    assert (done.state, done.retention_until) == ("closed", date(2031, 12, 31))
    case = records.case(SYSTEM, done.case_id)
    assert (case.is_open, case.retention_until) == (False, date(2031, 12, 31))


def test_without_a_fee_the_case_is_closed_by_the_delivery() -> None:
    ref = factories.submit(service=factories.offer(fee_cents=0))
    version = factories.taken(ref)
    decided = services.decide_application(
        clerk(), application_id=ref.id, outcome="granted", reason="", expected_version=version, now=NOW
    )
    assert decided.claim_id is None
    services.note_delivery(
        SYSTEM,
        origin=f"citizenservices.application:{ref.id}",
        letter_id=decided.letter_id,
        document_id=decided.letter_document_id,
        delivered_at=NOW,
        now=NOW,
    )
    assert queries.application(SYSTEM, ref.id, now=NOW).state == "closed"


def test_a_case_that_was_paid_first_is_closed_by_the_delivery() -> None:
    ref = factories.submit()
    version = factories.taken(ref)
    decided = services.decide_application(
        clerk(), application_id=ref.id, outcome="granted", reason="", expected_version=version, now=NOW
    )
    assert decided.claim_id is not None
    origin = f"citizenservices.application:{ref.id}"
    services.note_settlement(SYSTEM, origin=origin, claim_id=decided.claim_id, settled_on=date(2026, 11, 21), now=NOW)
    assert queries.application(SYSTEM, ref.id, now=NOW).state == "decided"
    services.note_delivery(
        SYSTEM,
        origin=origin,
        letter_id=decided.letter_id,
        document_id=decided.letter_document_id,
        delivered_at=NOW,
        now=NOW,
    )
    assert queries.application(SYSTEM, ref.id, now=NOW).state == "closed"


def test_the_submission_files_what_was_sent_for_people_and_for_machines() -> None:
    ref = factories.submit()
    view = queries.application(SYSTEM, ref.id, now=NOW)
    documents = records.documents(SYSTEM, view.case_id)
    assert [(d.kind, d.media_type) for d in documents[:2]] == [
        ("application", "text/plain"),
        ("application", "application/json"),
    ]
    assert {d.kind for d in documents[2:]} == {"attachment"}
    text = records.document_text(SYSTEM, documents[0].id).text
    assert view.case_reference in text
    assert "Amtliches Kennzeichen" in text or "Kennzeichen" in text
    assert records.case(SYSTEM, view.case_id).origin == f"citizenservices.application:{ref.id}"
