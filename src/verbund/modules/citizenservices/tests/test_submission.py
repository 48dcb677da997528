"""Sending: all of it or nothing, once and only once, and only what may be sent."""

import json
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import translation
from tests.races import at_once

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.events import ApplicationSubmitted
from verbund.modules.citizenservices.models import Application, Draft
from verbund.modules.citizenservices.queries import ApplicationAccess, ApplicationNotFound, DraftNotFound, DraftRef
from verbund.modules.records import queries as records
from verbund.platform import files
from verbund.platform.files import StoredFile
from verbund.platform.files.stores import LocalStore
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from . import factories
from .factories import GUEST, NOW, SYSTEM, citizen, clerk

NAME = "G13990000201.0.F60000000227.0"


@pytest.fixture
def _town(alpha: object) -> None:
    factories.town()


def _draft(actor: Actor = GUEST, **changes: Any) -> DraftRef:
    return services.start_draft(actor, service_id=factories.offer(**changes), now=NOW)


def _save(draft: DraftRef, values: dict[str, str], step: int = 1, actor: Actor = GUEST) -> services.StepResult:
    return services.save_step(actor, draft=draft, step=step, values=values, now=NOW)


@pytest.mark.django_db
@pytest.mark.usefixtures("_town")
class TestDrafts:
    def test_whatever_is_typed_is_kept_and_what_is_wrong_is_named(self) -> None:
        draft = _draft()
        result = _save(draft, {"G13990000201.0.G60000000086.0.F60000000246.0": "12"})
        assert [p.path.rpartition(".")[0].rpartition(".")[2] for p in result.problems] == [
            "F60000000228",
            "F60000000227",
            "F60000000243",
            "F60000000246",
            "F60000000247",
        ]
        view = queries.draft(GUEST, draft=draft, now=NOW)
        assert view.answers["G13990000201.0.G60000000086.0.F60000000246.0"] == "12"

    def test_the_code_opens_the_draft_and_nothing_else_does(self) -> None:
        draft = _draft()
        stored = Draft.objects.get(pk=draft.id)
        assert draft.code not in repr(stored.__dict__)
        assert queries.draft_by_code(GUEST, code=draft.code.lower(), client="a", now=NOW).id == draft.id
        for wrong in ("", "x", draft.code[:-1] + ("A" if draft.code[-1] != "A" else "B")):
            with pytest.raises(DraftNotFound):
                queries.draft(GUEST, draft=DraftRef(draft.id, wrong), now=NOW)
            with pytest.raises(DraftNotFound):
                services.save_step(GUEST, draft=DraftRef(draft.id, wrong), step=1, values={NAME: "x"}, now=NOW)
        assert Draft.objects.get(pk=draft.id).answers == {}

    def test_an_account_opens_its_own_drafts_only(self) -> None:
        draft = _draft(citizen("Carla"))
        assert [row.ref.id for row in queries.own_drafts(citizen("Carla"), now=NOW)] == [draft.id]
        assert queries.own_drafts(citizen("Dora"), now=NOW) == []
        with pytest.raises(DraftNotFound):
            queries.draft(citizen("Dora"), draft=DraftRef(draft.id, ""), now=NOW)

    def test_a_draft_of_a_guest_is_taken_into_the_account(self) -> None:
        draft = _draft()
        with pytest.raises(policy.Denied):
            services.claim_draft(GUEST, draft=draft, now=NOW)
        services.claim_draft(citizen("Carla"), draft=draft, now=NOW)
        assert [row.ref.id for row in queries.own_drafts(citizen("Carla"), now=NOW)] == [draft.id]

    def test_an_expired_draft_is_gone_at_once_and_deleted_with_its_files_at_night(self) -> None:
        draft = _draft()
        factories.fill(GUEST, draft)
        shas = list(Draft.objects.get(pk=draft.id).attachments.values_list("content_id", flat=True))
        assert shas
        later = NOW + timedelta(days=31)
        with pytest.raises(DraftNotFound):
            queries.draft(GUEST, draft=draft, now=later)
        with pytest.raises(DraftNotFound):
            queries.draft_by_code(GUEST, code=draft.code, client="a", now=later)
        with pytest.raises(policy.Denied):
            services.delete_expired_drafts(clerk(), now=later)
        assert services.delete_expired_drafts(SYSTEM, now=NOW) == 0
        assert services.delete_expired_drafts(SYSTEM, now=later) == 1
        assert not Draft.objects.exists()
        for sha256 in shas:
            with pytest.raises(files.FileNotFound):
                files.read(sha256)

    @pytest.mark.parametrize("path", ["G13990000202.0.F13990000201.0", "X.0", NAME + ".0", "", "__proto__"])
    def test_a_value_for_another_page_or_no_question_is_refused(self, path: str) -> None:
        draft = _draft()
        with pytest.raises(services.DraftInvalid):
            _save(draft, {NAME: "Fuchs", path: "x"})
        assert queries.draft(GUEST, draft=draft, now=NOW).answers == {}

    @pytest.mark.parametrize(
        "text",
        [
            "'; DROP TABLE citizenservices_draft; --",
            "{% include '/etc/passwd' %}{{ settings.SECRET_KEY }}",
            "<script>alert(1)</script>",
            "\\u0000 ${jndi:ldap://x}",
            "Łódź Đorđević",
        ],
    )
    def test_hostile_texts_are_kept_as_the_texts_they_are(self, text: str) -> None:
        draft = _draft()
        _save(draft, {NAME: text})
        assert queries.draft(GUEST, draft=draft, now=NOW).answers[NAME] == text

    def test_texts_that_no_database_holds_are_refused_by_name(self) -> None:
        draft = _draft()
        for text in ("a\x00b", "a\ud800b", "a\ufffdb"):
            result = _save(draft, {NAME: text})
            assert NAME in [p.path for p in result.problems], repr(text)

    def test_a_decomposed_name_is_composed(self) -> None:
        draft = _draft()
        _save(draft, {NAME: "Mu\u0308ller"})
        assert queries.draft(GUEST, draft=draft, now=NOW).answers[NAME] == "Müller"

    def test_ten_thousand_characters_are_kept_but_named(self) -> None:
        draft = _draft()
        result = _save(draft, {NAME: "x" * 10_000})
        assert NAME in [p.path for p in result.problems]
        assert len(queries.draft(GUEST, draft=draft, now=NOW).answers[NAME]) == 10_000

    def test_far_too_much_is_refused_and_nothing_of_it_kept(self) -> None:
        draft = _draft()
        with pytest.raises(services.DraftInvalid):
            _save(draft, {NAME: "x" * 1_000_001})
        assert queries.draft(GUEST, draft=draft, now=NOW).answers == {}

    def test_a_file_answer_cannot_be_named_only_sent(self) -> None:
        draft = _draft()
        other = _draft()
        factories.fill(GUEST, other)
        foreign = next(iter(queries.draft(GUEST, draft=other, now=NOW).attachments.values()))
        path = "G13990000202.0.F13990000203.0"
        _save(draft, {path: str(foreign.id)}, step=2)
        assert path not in queries.draft(GUEST, draft=draft, now=NOW).answers

    @pytest.mark.parametrize(
        ("name", "content"),
        [("a.pdf", b"<html><script>x</script></html>"), ("a.exe", b"MZ\x90\x00"), ("a.svg", b"<svg/>"), ("a.pdf", b"")],
    )
    def test_files_that_are_not_what_is_asked_for_are_refused(self, name: str, content: bytes) -> None:
        draft = _draft()
        with pytest.raises(services.DraftInvalid):
            services.add_attachment(
                GUEST, draft=draft, path="G13990000202.0.F13990000203.0", filename=name, content=content, now=NOW
            )
        assert queries.draft(GUEST, draft=draft, now=NOW).attachments == {}

    def test_an_entry_that_is_removed_takes_its_answers_along_and_those_behind_move_up(self) -> None:
        draft = _draft(template="hundesteuer_anmeldung")
        base = "G13990000102"
        _save(draft, {f"{base}.{n}.F13990000101.0": f"Hund {n}" for n in range(3)}, step=2)
        services.save_step(GUEST, draft=draft, step=2, values={}, remove=f"{base}.1", now=NOW)
        answers = queries.draft(GUEST, draft=draft, now=NOW).answers
        assert {k: v for k, v in answers.items() if "#" not in k} == {
            f"{base}.0.F13990000101.0": "Hund 0",
            f"{base}.1.F13990000101.0": "Hund 2",
        }


@pytest.mark.django_db
@pytest.mark.usefixtures("_town")
class TestSubmission:
    def test_an_incomplete_draft_is_not_sent_and_every_gap_is_named(self) -> None:
        draft = _draft()
        _save(draft, {NAME: "Fuchs"})
        with pytest.raises(services.ApplicationIncomplete) as refusal:
            services.submit_application(GUEST, draft=draft, now=NOW)
        assert len(refusal.value.problems) >= 10
        assert Application.objects.count() == 0
        assert records.cases(SYSTEM).rows == ()
        assert Draft.objects.filter(pk=draft.id).exists()

    def test_sending_twice_gives_the_same_application(self) -> None:
        draft = _draft()
        factories.fill(GUEST, draft)
        first = services.submit_application(GUEST, draft=draft, now=NOW)
        assert services.submit_application(GUEST, draft=draft, now=NOW + timedelta(seconds=2)) == first
        assert Application.objects.count() == 1
        assert len(records.cases(SYSTEM).rows) == 1
        with pytest.raises(DraftNotFound):
            services.submit_application(GUEST, draft=DraftRef(draft.id, "x" * 25), now=NOW)

    def test_what_fails_on_the_way_leaves_nothing_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        draft = _draft()
        factories.fill(GUEST, draft)
        real, kept = LocalStore.write, []

        def failing(store: LocalStore, body: str, sha256: str, content: bytes) -> None:
            kept.append(sha256)
            if len(kept) == 2:
                raise OSError("the disk is full")
            real(store, body, sha256, content)

        monkeypatch.setattr(LocalStore, "write", failing)
        with pytest.raises(OSError, match="disk is full"):
            services.submit_application(GUEST, draft=draft, now=NOW)
        assert len(kept) == 2
        assert not StoredFile.objects.filter(sha256__in=kept).exists()
        assert Application.objects.count() == 0
        assert records.cases(SYSTEM).rows == ()
        monkeypatch.undo()
        ref = services.submit_application(GUEST, draft=draft, now=NOW)
        assert ref.case_reference == "32.10-2026/0001", "the number was given back"

    def test_an_event_is_told_in_the_same_transaction(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[Any] = []
        monkeypatch.setattr("verbund.platform.events.publish", lambda _actor, event, **_: told.append(event))
        ref = factories.submit()
        assert [e.application_id for e in told if isinstance(e, ApplicationSubmitted)] == [ref.id]

    def test_a_service_taken_off_offer_takes_no_application_but_keeps_the_draft(self) -> None:
        draft = _draft()
        factories.fill(GUEST, draft)
        service_id = queries.draft(GUEST, draft=draft, now=NOW).service_id
        services.unpublish_service(SYSTEM, service_id=service_id, now=NOW)
        with pytest.raises(services.NotOnOffer):
            services.submit_application(GUEST, draft=draft, now=NOW)
        assert queries.draft(GUEST, draft=draft, now=NOW).is_published is False
        assert Application.objects.count() == 0

    def test_by_post_needs_an_address(self) -> None:
        content = (
            b'<x:xdatenfelder.stammdatenschema.0102 xmlns:x="urn:xoev-de:fim:standard:xdatenfelder_3.0.0">'
            b"<x:stammdatenschema><x:identifikation><x:id>S1</x:id><x:version>1</x:version></x:identifikation>"
            b"<x:name>Probe</x:name><x:struktur><x:anzahl>1:1</x:anzahl><x:enthaelt><x:datenfeld><x:identifikation>"
            b"<x:id>F1</x:id></x:identifikation><x:name>Frage</x:name><x:feldart><code>input</code></x:feldart>"
            b"<x:datentyp><code>text</code></x:datentyp></x:datenfeld></x:enthaelt></x:struktur></x:stammdatenschema>"
            b"</x:xdatenfelder.stammdatenschema.0102>"
        )
        draft = services.start_draft(GUEST, service_id=factories.offer_form(content), now=NOW)
        _save(draft, {"F1.0": "Antwort"})
        with pytest.raises(services.DraftInvalid):
            services.submit_application(GUEST, draft=draft, now=NOW, wants_mailbox=False)
        with pytest.raises(services.DraftInvalid):
            services.submit_application(GUEST, draft=draft, now=NOW, email="keine adresse")
        assert services.submit_application(GUEST, draft=draft, now=NOW, email=" a@example.org ").case_reference

    def test_the_file_speaks_german_whatever_the_applicant_reads(self) -> None:
        with translation.override("en"):
            ref = factories.submit()
        case_id = queries.application(SYSTEM, ref.id, now=NOW).case_id
        documents = records.documents(SYSTEM, case_id)
        assert documents[0].title == "Antrag: Bewohnerparkausweis beantragen"
        data = json.loads(files.read(documents[1].sha256))
        assert data["format"] == "verbund.application/1"
        assert {a["field"] for a in data["answers"]} >= {"F60000000227", "F13990000201"}

    def test_the_promised_day_is_a_working_day(self) -> None:
        ref = factories.submit(service=factories.offer(promised_days=1))  # the 20th is a Friday
        assert queries.application(SYSTEM, ref.id, now=NOW).due_on == date(2026, 11, 23)

    def test_what_was_sent_does_not_change(self) -> None:
        ref = factories.submit()
        for change in ("answers = '{}'", "party_name = 'x'", "submitted_at = now()"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"UPDATE citizenservices_application SET {change}, version = version + 1")
        assert queries.application(SYSTEM, ref.id, now=NOW).sections

    def test_staff_do_not_apply_and_clerks_do_not_publish(self) -> None:
        ident = factories.offer(publish=False)
        for actor in (clerk(), clerk("Treasurer", Role.TREASURER)):
            with pytest.raises(policy.Denied):
                services.start_draft(actor, service_id=ident, now=NOW)
            with pytest.raises(policy.Denied):
                services.publish_service(actor, service_id=ident, now=NOW)
            with pytest.raises(policy.Denied):
                services.import_form(actor, content=b"<a/>", filename="a.xml", now=NOW)
        assert queries.service_settings(SYSTEM, ident).state == "draft"

    def test_the_tracking_code_opens_one_application(self) -> None:
        one, other = factories.submit(), factories.submit(seed=2, service=factories.offer(title="Zweiter"))
        access = queries.open_by_code(GUEST, code=one.tracking_code, client="a", now=NOW)
        assert access.id == one.id
        with pytest.raises(ApplicationNotFound):
            queries.status(GUEST, access=ApplicationAccess(other.id, one.tracking_code), now=NOW)
        with pytest.raises(ApplicationNotFound):
            queries.status(citizen(), access=ApplicationAccess(one.id), now=NOW)

    def test_a_citizen_finds_the_applications_of_the_account(self) -> None:
        ref = factories.submit(citizen("Carla"))
        assert [row.id for row in queries.own_applications(citizen("Carla"))] == [ref.id]
        assert queries.own_applications(citizen("Dora")) == []
        assert queries.status(citizen("Carla"), access=ApplicationAccess(ref.id), now=NOW).id == ref.id


def test_two_clicks_at_the_same_moment_make_one_application(
    real_database: str, django_db_blocker: Any, tmp_path: Any
) -> None:
    with django_db_blocker.unblock():
        with acting_for("alpha"):
            factories.town()
            draft = services.start_draft(GUEST, service_id=factories.offer(), now=NOW)
            factories.fill(GUEST, draft)
        click = partial(services.submit_application, GUEST, draft=draft, now=NOW)
        found = at_once([click] * 3, body="alpha")
        assert len({ref.id for ref in found}) == 1, found
        with acting_for("alpha"):
            assert Application.objects.count() == 1
            assert len(records.cases(SYSTEM).rows) == 1
