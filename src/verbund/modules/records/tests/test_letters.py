"""Letters: filed as PDF, sent by the way that is open, with the proof and the day on which they count as made known."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core import mail

from verbund.modules.records import queries, services, subscribers
from verbund.modules.records.events import LetterDelivered, LetterIssued
from verbund.modules.records.models import Letter
from verbund.modules.records.services.deemed import deemed_on
from verbund.platform import events, files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from . import factories
from .factories import NOW

pytestmark = pytest.mark.usefixtures("alpha")
RECIPIENT = services.Recipient("Erika Beispiel", ("Weg 1", "19999 Musterstadt"), "erika@example.org", "mailbox-1")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The events that were published."""
    heard: list[Any] = []
    publish = events.publish

    def listen(actor: Actor, event: Any, to_body: str | None = None) -> Any:
        heard.append(event)
        return publish(actor, event, to_body)

    monkeypatch.setattr(events, "publish", listen)
    return heard


@pytest.fixture
def clerk(staff: Callable[..., Actor], system: Actor) -> Actor:
    factories.file_plan(system)
    return staff(Role.CLERK, units={"32"})


def issue(actor: Actor, case: services.CaseRef, **changes: Any) -> services.LetterRef:
    values: dict[str, Any] = {
        "title": "Bewilligung des Bewohnerparkausweises",
        "template": "printing/letter.typ",
        "data": {"paragraphs": ["Ihrem Antrag wird entsprochen, solange die Tiefgarage gesperrt ist."]},
        "recipient": RECIPIENT,
        "now": NOW,
    }
    return services.issue_letter(actor, case_id=case.id, **{**values, **changes})


def test_a_letter_is_filed_found_and_told_of(clerk: Actor, told: list[Any]) -> None:
    case = factories.open_case(clerk, origin="process:1")
    ref = issue(clerk, case)
    content = files.read(queries.document_content(clerk, ref.document_id).sha256)
    assert content.startswith(b"%PDF-")
    assert (ref.sha256, ref.size) == (queries.document(clerk, ref.document_id).sha256, len(content))
    assert [h.document_id for h in queries.search(clerk, "garage entsprochen").rows] == [ref.document_id]
    issued = [e for e in told if isinstance(e, LetterIssued)]
    assert [(e.letter_id, e.origin) for e in issued] == [(ref.id, "process:1")]
    assert [d.title for d in queries.documents(clerk, case.id, origin="process:1")] == [
        "Bewilligung des Bewohnerparkausweises"
    ]
    letter = queries.letter(clerk, ref.id)
    assert (letter.state, letter.channel, letter.deemed_on) == ("issued", "", None)


def test_a_letter_with_a_mailbox_is_delivered_there_with_proof_and_notice(
    clerk: Actor, system: Actor, told: list[Any], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ref = issue(clerk, factories.open_case(clerk))
    for _ in range(2):  # a job may run twice
        services.dispatch_letter(system, letter_id=ref.id, now=NOW)
    delivered = [e for e in told if isinstance(e, LetterDelivered)]
    assert [(e.letter_id, e.channel, e.deemed_on) for e in delivered] == [(ref.id, "portal", date(2026, 11, 24))]
    for _ in range(2):
        subscribers.send_notice(system, delivered[0])
    assert [m.to for m in mail.outbox] == [["erika@example.org"]]
    assert "Garage" not in str(mail.outbox[0].message())
    letter = queries.letter(clerk, ref.id)
    assert (letter.state, letter.channel, letter.deemed_on) == ("delivered", "portal", date(2026, 11, 24))
    assert letter.proof["sha256"] == ref.sha256
    assert letter.proof["mailbox"] == "mailbox-1"
    assert letter.proof["notice_message_id"] == mail.outbox[0].extra_headers["Message-ID"]
    kinds = [e.kind for e in queries.timeline(clerk, letter.case_id)]
    assert kinds == ["letter_delivered", "letter_issued", "opened"]


def test_a_letter_without_a_mailbox_waits_for_the_print_room_and_its_posting_is_recorded(
    clerk: Actor, system: Actor
) -> None:
    ref = issue(clerk, factories.open_case(clerk), recipient=services.Recipient("Erika Beispiel", ("Weg 1",)))
    services.dispatch_letter(system, letter_id=ref.id, now=NOW)
    assert [x.id for x in queries.letters_to_print(clerk).rows] == [ref.id]
    services.record_delivery(clerk, letter_id=ref.id, channel="print", proof={"posted_by": "Poststelle"}, now=NOW)
    assert queries.letters_to_print(clerk).rows == ()
    letter = queries.letter(clerk, ref.id)
    assert (letter.state, letter.proof["posted_by"]) == ("delivered", "Poststelle")
    with pytest.raises(services.LetterAlreadyDelivered):
        services.record_delivery(clerk, letter_id=ref.id, channel="portal", proof={}, now=NOW)
    assert queries.letter(clerk, ref.id).channel == "print"


@pytest.mark.parametrize(
    ("recipient", "field"),
    [
        (services.Recipient(" ", ("Weg 1",)), "recipient"),
        (services.Recipient("Erika"), "recipient"),
        (services.Recipient("Erika", ("Weg 1",), "keine Adresse"), "email"),
    ],
)
def test_a_recipient_who_cannot_be_reached_is_refused(clerk: Actor, recipient: services.Recipient, field: str) -> None:
    case = factories.open_case(clerk)
    with pytest.raises(services.LetterInvalid) as refused:
        issue(clerk, case, recipient=recipient)
    assert set(refused.value.errors) == {field}
    assert Letter.objects.count() == 0
    assert queries.documents(clerk, case.id) == []


def test_a_citizen_issues_no_letters(clerk: Actor, guest: Actor) -> None:
    case = factories.open_case(clerk, origin="process:1")
    with pytest.raises(policy.Denied):
        issue(guest, case, origin="process:1")
    assert Letter.objects.count() == 0


@pytest.mark.parametrize(
    ("sent", "deemed"),
    [
        (date(2026, 11, 20), date(2026, 11, 24)),  # Friday -> Tuesday
        (date(2026, 11, 17), date(2026, 11, 23)),  # Tuesday -> Saturday -> Monday
        (date(2026, 12, 21), date(2026, 12, 28)),  # -> Christmas Day, Boxing Day, Sunday -> Monday
        (date(2027, 3, 4), date(2027, 3, 9)),  # -> Monday 8 March, a holiday in Mecklenburg-Vorpommern -> Tuesday
        (date(2024, 12, 31), date(2025, 1, 3)),  # the third day still
        (date(2025, 1, 1), date(2025, 1, 6)),  # the fourth is a Sunday
    ],
)
def test_a_letter_counts_as_made_known_on_the_fourth_day_or_the_next_working_day(sent: date, deemed: date) -> None:
    assert deemed_on(sent) == deemed
