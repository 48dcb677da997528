"""Working on applications: two at once, questions, decisions; and a refused step leaves nothing behind."""

from functools import partial
from typing import Any

import pytest
from django.core import mail
from tests.races import at_once

from verbund.modules.budget import queries as budget
from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models import Application, Decision, MailboxMessage, Question
from verbund.modules.citizenservices.queries import ApplicationAccess, ApplicationNotFound, InboxFilters
from verbund.modules.records import queries as records
from verbund.modules.records import services as records_services
from verbund.platform import printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from . import factories
from .factories import GUEST, NOW, SYSTEM, citizen, clerk

EVA, OLE = clerk("Eva Eich"), clerk("Ole Otto")
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\r"
    b"IDATx\x9cc```\x60\x00\x00\x00\x05\x00\x01\xa5\xf6E@\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture
def _town(alpha: object) -> None:
    factories.town()


def _state(ref: services.ApplicationRef) -> tuple[str, int, str]:
    row = Application.objects.get(pk=ref.id)
    return row.state, row.acts, row.clerk_name


def _access(ref: services.ApplicationRef) -> ApplicationAccess:
    return ApplicationAccess(ref.id, ref.tracking_code)


def _decide(ref: services.ApplicationRef, actor: Actor = EVA, **changes: Any) -> services.DecisionRef:
    values = {"outcome": "granted", "reason": "", "expected_version": factories.version_of(ref.id), "now": NOW}
    return services.decide_application(actor, application_id=ref.id, **{**values, **changes})


@pytest.mark.django_db
@pytest.mark.usefixtures("_town")
class TestHands:
    def test_of_two_clerks_the_second_is_told_by_name(self) -> None:
        ref = factories.submit()
        version = factories.version_of(ref.id)
        services.take_over(EVA, application_id=ref.id, expected_version=version, now=NOW)
        with pytest.raises(services.ApplicationMoved, match="Eva Eich"):
            services.take_over(OLE, application_id=ref.id, expected_version=version, now=NOW)
        assert _state(ref) == ("in_progress", version + 1, "Eva Eich")
        with pytest.raises(policy.Denied):
            services.take_over(OLE, application_id=ref.id, expected_version=version + 1, now=NOW)
        assert _state(ref) == ("in_progress", version + 1, "Eva Eich")

    def test_what_the_house_adds_meanwhile_makes_nobody_too_late(self) -> None:
        """The receipt is filed seconds after the sending: a page that is older than that still takes over."""
        ref = factories.submit()
        version = factories.version_of(ref.id)
        services.send_receipt(Actor.system("alpha", "test"), application_id=ref.id, now=NOW)
        assert Application.objects.get(pk=ref.id).receipt_document_id is not None
        services.take_over(EVA, application_id=ref.id, expected_version=version, now=NOW)
        assert _state(ref) == ("in_progress", version + 1, "Eva Eich")
        with pytest.raises(services.ApplicationMoved, match="Eva Eich"):  # a colleague's act still is one
            services.take_over(OLE, application_id=ref.id, expected_version=version, now=NOW)

    def test_the_case_on_file_follows_the_hands(self) -> None:
        ref = factories.submit()
        version = factories.taken(ref, EVA)
        case_id = queries.application(EVA, ref.id, now=NOW).case_id
        assert records.case(EVA, case_id).assigned_name == "Eva Eich"
        services.hand_back(EVA, application_id=ref.id, expected_version=version, now=NOW)
        assert records.case(EVA, case_id).assigned_to is None
        assert _state(ref)[0] == "submitted"

    def test_a_substitute_works_on_and_the_head_of_unit_may_take_over(self) -> None:
        ref = factories.submit()
        factories.taken(ref, EVA)
        substitute = Actor(
            ActorKind.STAFF,
            OLE.id,
            OLE.name,
            "alpha",
            OLE.roles,
            OLE.units,
            "test",
            frozenset({EVA.id} if EVA.id else ()),
        )
        services.ask_back(
            substitute, application_id=ref.id, question="Wann?", expected_version=factories.version_of(ref.id), now=NOW
        )
        head = clerk("Hanna Haupt", Role.HEAD_OF_UNIT)
        services.take_over(head, application_id=ref.id, expected_version=factories.version_of(ref.id), now=NOW)
        assert _state(ref)[2] == "Hanna Haupt"

    @pytest.mark.parametrize(
        "stranger",
        [clerk("Fremd", units=("20",)), clerk("Kasse", Role.TREASURY_CLERK), citizen(), GUEST],
        ids=["other unit", "treasury", "citizen", "guest"],
    )
    def test_strangers_see_nothing_and_change_nothing(self, stranger: Actor) -> None:
        ref = factories.submit()
        before = _state(ref)
        refusals = (policy.Denied, ApplicationNotFound)
        with pytest.raises(refusals):
            queries.application(stranger, ref.id, now=NOW)
        with pytest.raises(refusals):
            services.take_over(stranger, application_id=ref.id, expected_version=before[1], now=NOW)
        with pytest.raises(refusals):
            _decide(ref, stranger)
        with pytest.raises(refusals):
            services.withdraw_application(stranger, access=ApplicationAccess(ref.id, "falsch"), now=NOW)
        assert _state(ref) == before
        assert Decision.objects.count() == 0
        assert budget.claims_by_origin(SYSTEM, f"citizenservices.application:{ref.id}") == []

    def test_the_inbox_shows_the_unit_its_work_the_most_urgent_first(self) -> None:
        slow = factories.submit(service=factories.offer(promised_days=30))
        quick = factories.submit(service=factories.offer(promised_days=3))
        other = factories.submit(service=factories.offer(unit="20"))
        assert [r.id for r in queries.inbox(EVA).rows] == [quick.id, slow.id]
        first = queries.inbox(EVA, limit=1)
        assert [r.id for r in first.rows] == [quick.id]
        assert [r.id for r in queries.inbox(EVA, after=first.next).rows] == [slow.id]
        factories.taken(quick, EVA)
        assert [r.id for r in queries.inbox(EVA, filters=InboxFilters(mine=True)).rows] == [quick.id]
        assert [r.id for r in queries.inbox(EVA, filters=InboxFilters(nobody=True)).rows] == [slow.id]
        counts = queries.inbox_counts(EVA, now=NOW)
        assert (counts.nobody, counts.mine, counts.late) == (1, 1, 0)
        assert {r.id for r in queries.inbox(clerk("Prüfer", Role.AUDITOR, units=())).rows} == {
            quick.id,
            slow.id,
            other.id,
        }


@pytest.mark.django_db
@pytest.mark.usefixtures("_town")
class TestQuestions:
    def _asked(self) -> tuple[services.ApplicationRef, services.AskedRef]:
        ref = factories.submit(email="frieda@example.org")
        version = factories.taken(ref, EVA)
        asked = services.ask_back(
            EVA, application_id=ref.id, question="Welche Farbe hat das Auto?", expected_version=version, now=NOW
        )
        return ref, asked

    def test_the_answer_comes_into_the_file(self, mailoutbox: list[mail.EmailMessage]) -> None:
        ref, asked = self._asked()
        services.notify_question(SYSTEM, application_id=ref.id, now=NOW)
        assert "Welche Farbe" not in mailoutbox[0].body
        view = queries.status(GUEST, access=_access(ref), now=NOW)
        assert view.question is not None
        assert view.state == "query_open"
        services.answer_question(
            GUEST,
            access=_access(ref),
            question_id=asked.id,
            text="Es ist <b>grün</b>.",
            uploads=[services.Upload("auto.png", PNG)],
            now=NOW,
        )
        assert _state(ref)[0] == "in_progress"
        case_id = queries.application(EVA, ref.id, now=NOW).case_id
        documents = records.documents(EVA, case_id)[-2:]
        assert [d.kind for d in documents] == ["incoming", "attachment"]
        assert "Es ist <b>grün</b>." in records.document_text(EVA, documents[0].id).text

    def test_a_refused_file_leaves_the_question_open_and_the_file_untouched(self) -> None:
        ref, asked = self._asked()
        case_id = queries.application(EVA, ref.id, now=NOW).case_id
        before = len(records.documents(EVA, case_id))
        with pytest.raises(services.TextInvalid) as refusal:
            services.answer_question(
                GUEST,
                access=_access(ref),
                question_id=asked.id,
                text="Anbei",
                uploads=[services.Upload("gut.png", PNG), services.Upload("boese.pdf", b"<script>")],
                now=NOW,
            )
        assert "boese.pdf" in str(refusal.value)
        assert len(records.documents(EVA, case_id)) == before
        assert Question.objects.get().answered_at is None

    @pytest.mark.parametrize("text", ["", "   ", "x" * 5_001, "😀"])
    def test_an_answer_that_cannot_be_kept_is_refused(self, text: str) -> None:
        ref, asked = self._asked()
        with pytest.raises(services.TextInvalid):
            services.answer_question(GUEST, access=_access(ref), question_id=asked.id, text=text, now=NOW)
        assert _state(ref)[0] == "query_open"

    def test_a_question_is_answered_once_and_one_is_open_at_a_time(self) -> None:
        ref, asked = self._asked()
        with pytest.raises(services.WrongState):
            services.ask_back(
                EVA, application_id=ref.id, question="Und?", expected_version=factories.version_of(ref.id), now=NOW
            )
        services.answer_question(GUEST, access=_access(ref), question_id=asked.id, text="grün", now=NOW)
        with pytest.raises(services.WrongState):
            services.answer_question(GUEST, access=_access(ref), question_id=asked.id, text="rot", now=NOW)
        assert Question.objects.get().answer == "grün"


@pytest.mark.django_db
@pytest.mark.usefixtures("_town")
class TestDecisions:
    def test_a_refusal_needs_reasons_books_no_fee_and_informs_of_the_remedy(self) -> None:
        ref = factories.submit()
        factories.taken(ref, EVA)
        with pytest.raises(services.TextInvalid):
            _decide(ref, outcome="refused", reason="  ")
        decided = _decide(ref, outcome="refused", reason="Sie wohnen nicht im Gebiet.")
        assert decided.claim_id is None
        text = records.document_text(EVA, decided.letter_document_id).text
        assert "Sie wohnen nicht im Gebiet." in text
        assert "Widerspruch" in text
        assert budget.claims_by_origin(SYSTEM, f"citizenservices.application:{ref.id}") == []

    def test_without_a_budget_line_nothing_is_decided(self) -> None:
        ref = factories.submit(service=factories.offer(account="4999"))
        version = factories.taken(ref, EVA)
        with pytest.raises(services.DecisionInvalid, match="4999"):
            _decide(ref)
        assert _state(ref) == ("in_progress", version, "Eva Eich")
        case_id = queries.application(EVA, ref.id, now=NOW).case_id
        assert not [d for d in records.documents(EVA, case_id) if d.kind == "decision"]

    def test_a_letter_that_cannot_be_made_books_no_fee(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ref = factories.submit()
        factories.taken(ref, EVA)

        def failing(*_: Any, **__: Any) -> Any:
            raise printing.Failed("printing/letter.typ", "broken")

        monkeypatch.setattr(records_services, "issue_letter", failing)
        with pytest.raises(services.DecisionInvalid):
            _decide(ref)
        assert budget.claims_by_origin(SYSTEM, f"citizenservices.application:{ref.id}") == []
        assert _state(ref)[0] == "in_progress"

    def test_a_stale_page_decides_nothing(self) -> None:
        ref = factories.submit()
        version = factories.taken(ref, EVA)
        _decide(ref)
        with pytest.raises(services.ApplicationMoved):
            _decide(ref, outcome="refused", reason="doch nicht", expected_version=version)
        with pytest.raises(services.WrongState):
            _decide(ref, outcome="refused", reason="doch nicht")
        assert Application.objects.get(pk=ref.id).outcome == "granted"

    def test_with_sign_off_a_second_person_signs(self) -> None:
        ref = factories.submit(service=factories.offer(requires_sign_off=True))
        factories.taken(ref, EVA)
        with pytest.raises(policy.Denied):
            _decide(ref)
        services.propose_decision(
            EVA,
            application_id=ref.id,
            outcome="granted",
            reason="",
            expected_version=factories.version_of(ref.id),
            now=NOW,
        )
        with pytest.raises(policy.Denied):
            _decide(ref)
        assert Application.objects.get(pk=ref.id).state == "in_progress"
        _decide(ref, OLE)
        signed = queries.application(EVA, ref.id, now=NOW).decision
        assert signed is not None
        assert (signed.proposed_name, signed.signed_name) == ("Eva Eich", "Ole Otto")

    def test_the_preview_writes_nothing(self) -> None:
        ref = factories.submit()
        factories.taken(ref, EVA)
        before = _state(ref)
        pdf = queries.letter_preview(EVA, ref.id, outcome="granted", reason="Nur für ein Auto.", now=NOW)
        assert pdf.startswith(b"%PDF-")
        assert _state(ref) == before
        with pytest.raises(ApplicationNotFound):
            queries.letter_preview(clerk("Fremd", units=("20",)), ref.id, outcome="granted", reason="", now=NOW)

    def test_the_applicant_withdraws_until_it_is_decided(self) -> None:
        ref = factories.submit()
        services.withdraw_application(GUEST, access=_access(ref), now=NOW)
        row = Application.objects.get(pk=ref.id)
        assert (row.state, row.outcome) == ("closed", "withdrawn")
        assert records.case(SYSTEM, row.case_id).is_open is False
        other = factories.submit(seed=4, service=factories.offer(title="Zweite"))
        factories.taken(other, EVA)
        _decide(other)
        with pytest.raises(services.WrongState):
            services.withdraw_application(GUEST, access=_access(other), now=NOW)
        assert Application.objects.get(pk=other.id).outcome == "granted"


@pytest.mark.django_db
@pytest.mark.usefixtures("_town")
class TestHearing:
    def _decided(self) -> tuple[services.ApplicationRef, services.DecisionRef, dict[str, Any]]:
        ref = factories.submit()
        factories.taken(ref, EVA)
        decided = _decide(ref)
        delivery = {
            "origin": f"citizenservices.application:{ref.id}",
            "letter_id": decided.letter_id,
            "document_id": decided.letter_document_id,
            "delivered_at": NOW,
            "now": NOW,
        }
        return ref, decided, delivery

    def test_a_delivery_heard_twice_has_effect_once(self) -> None:
        ref, _decision, delivery = self._decided()
        services.note_delivery(SYSTEM, **delivery)
        state = _state(ref)
        services.note_delivery(SYSTEM, **delivery)
        assert _state(ref) == state
        assert MailboxMessage.objects.filter(application_id=ref.id, kind="decision").count() == 1

    @pytest.mark.parametrize("origin", ["", "other.process:1", "citizenservices.draft:1"])
    def test_letters_of_others_are_left_alone(self, origin: str) -> None:
        ref, _decision, delivery = self._decided()
        services.note_delivery(SYSTEM, **{**delivery, "origin": origin})
        assert _state(ref)[0] == "decided"

    def test_money_that_goes_back_is_owed_again(self) -> None:
        ref, decided, delivery = self._decided()
        assert decided.claim_id is not None
        origin = delivery["origin"]
        services.note_settlement(SYSTEM, origin=origin, claim_id=decided.claim_id, settled_on=NOW.date(), now=NOW)
        services.note_reopened_claim(
            SYSTEM, origin=origin, claim_id=decided.claim_id, open_cents=3070, reason="AC04", now=NOW
        )
        services.note_delivery(SYSTEM, **delivery)
        row = Application.objects.get(pk=ref.id)
        assert (row.state, row.settled_on) == ("delivered", None)

    def test_nobody_but_the_system_moves_an_application_on(self) -> None:
        ref, decided, delivery = self._decided()
        for actor in (EVA, GUEST, citizen()):
            with pytest.raises(policy.Denied):
                services.note_delivery(actor, **delivery)
            with pytest.raises(policy.Denied):
                services.send_receipt(actor, application_id=ref.id, now=NOW)
            with pytest.raises(policy.Denied):
                services.note_settlement(
                    actor,
                    origin=delivery["origin"],
                    claim_id=decided.claim_id or ref.id,
                    settled_on=NOW.date(),
                    now=NOW,
                )
        assert _state(ref)[0] == "decided"

    def test_the_receipt_is_filed_once_and_names_no_code(self) -> None:
        ref = factories.submit()
        services.send_receipt(SYSTEM, application_id=ref.id, now=NOW)
        services.send_receipt(SYSTEM, application_id=ref.id, now=NOW)
        case_id = queries.application(SYSTEM, ref.id, now=NOW).case_id
        receipts = [d for d in records.documents(SYSTEM, case_id) if d.kind == "receipt"]
        assert [d.media_type for d in receipts] == ["application/pdf"]
        text = records.document_text(SYSTEM, receipts[0].id).text
        assert ref.case_reference in text
        assert ref.tracking_code not in text
        stored, _name = queries.party_document(GUEST, access=_access(ref), document_id=receipts[0].id)
        assert stored.sha256 == receipts[0].sha256

    def test_a_receipt_that_a_crash_delayed_comes_into_the_closed_case_too(self) -> None:
        ref = factories.submit()
        factories.taken(ref, EVA)
        _decide(ref, outcome="refused", reason="Sie wohnen nicht im Gebiet.")
        case_id = Application.objects.get(pk=ref.id).case_id
        closed = records_services.close_case(SYSTEM, case_id=case_id, now=NOW)
        services.send_receipt(SYSTEM, application_id=ref.id, now=NOW)
        assert [d.kind for d in records.documents(SYSTEM, case_id)].count("receipt") == 1
        assert MailboxMessage.objects.filter(application_id=ref.id, kind="receipt").count() == 1
        case = records.case(SYSTEM, case_id)
        assert (case.state, case.retention_until) == ("closed", closed.retention_until)

    def test_the_applicant_opens_no_document_that_is_not_theirs(self) -> None:
        ref, decided, _delivery = self._decided()
        case_id = queries.application(SYSTEM, ref.id, now=NOW).case_id
        data = records.documents(SYSTEM, case_id)[1]
        for document_id in (data.id, decided.letter_document_id):
            with pytest.raises(ApplicationNotFound):
                queries.party_document(GUEST, access=_access(ref), document_id=document_id)


def test_of_three_clerks_at_the_same_moment_one_gets_it(real_database: str, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        with acting_for("alpha"):
            factories.town()
            ref = factories.submit()
            version = factories.version_of(ref.id)

        def take(actor: Actor) -> str:
            services.take_over(actor, application_id=ref.id, expected_version=version, now=NOW)
            return actor.name

        results = at_once([partial(take, clerk(name)) for name in ("Eva", "Ole", "Ida")], body="alpha")
        winners = [r for r in results if isinstance(r, str)]
        told = [r for r in results if isinstance(r, services.ApplicationMoved)]
        assert (len(winners), len(told)) == (1, 2), results
        assert all(winners[0] in str(error) for error in told)
