"""The contract: reviewed clauses, versions that never change, contents that must be there, and one hash for all."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.platform.printing import verapdf

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import (
    AccessionState,
    CarrierPeriod,
    ClauseReview,
    Consent,
    ContractClause,
    ContractDraft,
    ContractText,
    FinalContract,
    PublicationMedium,
    contract_hash,
    normalised,
)
from verbund.modules.membership.services import ContractData, ContractParty, OtherText, StepRefused, record_publication
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import NotFound

from .factories import CLEARED, CONSENTED, NOW, PUBLISHED, PUT, Accessions, founded, medium, member
from .test_accession_rules import digest

ALL = ("parties", "tasks", "shares", "support", "seats", "chair", "audit", "joint_decision", "leaving", "effect")
VALUES = {"audit_body": "das Rechnungsprüfungsamt der Stadt Kreis", "payment_days": "14", "notice_months": "12"}


pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def manager(alliance: Any, staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


@pytest.fixture
def second(alliance: Any, staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance", name="Rolf Rotbuche")
    return actor


@pytest.fixture
def case(manager: Actor, second: Actor) -> Accessions:
    """An accession in negotiation, with a library that is reviewed."""
    founded(manager)
    candidate = member(manager, "neustadt")
    medium(candidate)
    assert services.load_start_clauses(manager, now=NOW) == 10
    for code in ALL:
        services.review_clause(second, code=code, number=1, now=NOW)
    return Accessions(manager, candidate).to(AccessionState.NEGOTIATION)


def parties(case: Accessions) -> tuple[ContractParty, ...]:
    founders = CarrierPeriod.objects.order_by("member__slug")
    return (
        *(ContractParty(row.member_id, row.share_cents, row.seats) for row in founders),
        ContractParty(case.member_id, 50_000, 1),
    )


def data(case: Accessions, **changes: Any) -> ContractData:
    who = parties(case)
    values: dict[str, Any] = {
        "parties": who,
        "chair": who[1].member_id,
        "tasks": ("Gesamter IT-Betrieb der Kernverwaltung", "Schul-IT"),
        "effective_on": date(2026, 6, 1),
        "values": VALUES,
        **changes,
    }
    return ContractData(**values)


def draft(case: Accessions, clauses: tuple[str, ...] = ALL, **changes: Any) -> services.ContractVersionRef:
    return services.draft_contract(
        case.actor, accession_id=case.id, clauses=clauses, data=data(case, **changes), now=NOW
    )


def finalise(case: Accessions, number: int, on: date = PUT) -> int:
    return services.finalise_contract(case.actor, accession_id=case.id, number=number, on=on, now=NOW)


def test_a_whole_contract_is_put_before_all_parties_under_its_hash(case: Accessions) -> None:
    ref = draft(case)
    assert ref.number == 1
    view = queries.contract(case.actor, case.id)
    assert view.missing == ()
    assert view.version is None
    assert "§ 3 Stammkapital\n\nDas Stammkapital beträgt 2.500,00\xa0€." in view.text.replace(" €", "\xa0€")
    assert "Stadt Hauptstadt mit 1.000,00 €, Stadt Kreis mit 1.000,00 € und Stadt Neustadt mit 500,00 €" in view.text
    assert "Der Verwaltungsrat hat 5 Sitze." in view.text
    assert "Stadt Neustadt mit 1 Sitz." in view.text
    assert "Der Vertrag wird am 1. Juni 2026 wirksam" in view.text
    assert "{" not in view.text

    assert finalise(case, 1) == 1
    row = ContractDraft.objects.get(accession_id=case.id)
    assert (row.sha256, row.share_cents, row.seats, row.changes) == (ref.sha256, 50_000, 1, [])
    assert (row.total_cents, row.board_size) == (250_000, 5)
    assert Consent.objects.filter(draft=row, decision="pending").count() == 3
    assert queries.contract(case.actor, case.id).version == 1
    assert case.state == AccessionState.DRAFT_CONTRACT


CONTENTS = {
    "shares": ("Shares in the share capital", "Nr. 1"),
    "support": ("Support payments and how they are decided", "Nr. 1"),
    "seats": ("Seats on the administrative board", "Nr. 2"),
    "chair": ("Chair of the administrative board", "Nr. 2"),
    "audit": ("Who may inspect and audit", "Nr. 3"),
    "joint_decision": ("Procedure for joint decisions of the carriers", "Nr. 4"),
}


@pytest.mark.parametrize("left_out", CONTENTS)
def test_a_content_the_law_requires_is_named_when_it_is_missing(case: Accessions, left_out: str) -> None:
    draft(case, tuple(code for code in ALL if code != left_out))
    before = digest()
    with pytest.raises(services.ContractIncomplete) as refused:
        finalise(case, 1)
    what, provision = CONTENTS[left_out]
    assert refused.value.missing == (f"Missing: {what} (§ 167b Abs. 3 {provision} KV M-V).",)
    assert digest() == before


def test_a_value_a_review_and_a_party_that_are_missing_are_named_all_at_once(case: Accessions) -> None:
    services.write_clause(
        case.actor, code="extra", title="Zusatz", text="Es gilt {what_holds} für alle.", kinds=["other"], now=NOW
    )
    draft(case, (*ALL, "extra"), parties=parties(case)[1:], values={**VALUES, "payment_days": "  "})
    with pytest.raises(services.ContractIncomplete) as refused:
        finalise(case, 1)
    assert refused.value.missing == (
        "“Stammkapital”: the value of {payment_days} is missing.",
        "“Zusatz”: the value of {what_holds} is missing.",
        "“Zusatz”: another person has to review it.",
        "Not named as parties: Stadt Hauptstadt.",
    )


def test_a_clause_that_only_claims_to_name_the_chair_does_not_count(case: Accessions, second: Actor) -> None:
    services.write_clause(
        case.actor, code="chair", title="Vorsitz", text="Den Vorsitz führt jemand.", kinds=["chair"], now=NOW
    )
    services.review_clause(second, code="chair", number=2, now=NOW)
    draft(case)
    with pytest.raises(services.ContractIncomplete, match="Missing: Chair of the administrative board"):
        finalise(case, 1)


def test_an_unreviewed_change_of_a_clause_does_not_reach_contracts(case: Accessions) -> None:
    services.write_clause(
        case.actor, code="leaving", title="Ausscheiden", text="Niemand scheidet aus.", kinds=["other"], now=NOW
    )
    draft(case)
    assert "Niemand scheidet aus." not in queries.contract(case.actor, case.id).text
    assert {c.code: c.reviewed_by for c in queries.clause_library(case.actor)}["leaving"] == ""


def test_nobody_reviews_an_own_clause_and_nothing_changes_afterwards(manager: Actor, second: Actor) -> None:
    services.load_start_clauses(manager, now=NOW)
    with pytest.raises(services.ClauseConflict, match="Ask another person"):
        services.review_clause(manager, code="audit", number=1, now=NOW)
    clause = ContractClause.objects.get(code="audit")
    assert manager.id is not None
    with pytest.raises(IntegrityError, match="membership_clause_reviewed_by_other"), transaction.atomic():
        ClauseReview.objects.create(
            id=clause.id,
            clause=clause,
            author_id=manager.id,
            reviewer_id=manager.id,
            reviewer_name="",
            recorded_at=NOW,
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        ContractClause.objects.filter(id=clause.id).update(text="anders")
    services.review_clause(second, code="audit", number=1, now=NOW)
    with pytest.raises(services.ClauseConflict, match="reviewed already"):
        services.review_clause(second, code="audit", number=1, now=NOW)
    assert services.load_start_clauses(manager, now=NOW) == 0


def test_texts_and_final_versions_cannot_be_changed_behind_the_house(case: Accessions, owner_connection: Any) -> None:
    draft(case)
    finalise(case, 1)
    for table in (ContractText, FinalContract):
        with pytest.raises(DatabaseError), transaction.atomic():
            table.objects.all().delete()
        with pytest.raises(DatabaseError), transaction.atomic():
            table.objects.update(recorded_at=NOW)
    with owner_connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname IN ('membership_contracttext_append_only',"
            " 'membership_finalcontract_append_only') AND tgrelid::regclass::text LIKE 'alliance.%'"
        )
        assert cursor.fetchone() == (2,)


def test_the_same_text_is_no_further_version_and_a_changed_one_loses_the_consents(case: Accessions) -> None:
    first = draft(case)
    with pytest.raises(StepRefused, match="version 1 already"):
        draft(case)
    finalise(case, 1)
    with pytest.raises(StepRefused, match="lies before the parties already"):
        finalise(case, 1)
    founder = parties(case)[0].member_id
    case.record_consent(founder, version_sha256=first.sha256)
    second = draft(case, tasks=("Gesamter IT-Betrieb der Kernverwaltung",))
    assert second.number == 2
    assert second.sha256 != first.sha256
    assert finalise(case, 2, on=CONSENTED) == 2
    assert Consent.objects.filter(draft__sha256=second.sha256, decision="consented").count() == 0


def test_the_difference_names_what_was_inserted_and_deleted(case: Accessions) -> None:
    draft(case)
    draft(case, tuple(c for c in ALL if c != "leaving"), values={**VALUES, "payment_days": "30"})
    lines = queries.difference(case.actor, case.id, 1, 2)
    changed = [(line.kind, line.text[:40]) for line in lines if line.kind != "same"]
    assert changed == [
        ("deleted", "Stadt Neustadt zahlt den eigenen Anteil "),
        ("inserted", "Stadt Neustadt zahlt den eigenen Anteil "),
        ("deleted", "Ausscheiden eines Trägers"),
        ("deleted", "Ein Träger kann mit einer Frist von 12 M"),
        ("deleted", "Das Kommunalunternehmen gibt dem aussche"),
    ]
    assert all(line.kind == "same" for line in queries.difference(case.actor, case.id, 2, 2))


def signed_and_published(case: Accessions, number: int) -> None:
    text = queries.contract(case.actor, case.id, number)
    case.text = text.text
    for consent in Consent.objects.filter(draft=case.draft()).order_by("id"):
        record = case.record_candidate_resolution if consent.is_candidate else None
        if record is not None:
            record(version_sha256=text.sha256)
        else:
            case.record_consent(consent.party_id, version_sha256=text.sha256)
    case.sign()
    case.give_notice()
    case.complete_documents()
    case.declare_no_objection(CLEARED)


def publish(case: Accessions, medium_id: UUID, text: str) -> None:
    services.publish_contract_text(
        case.actor, accession_id=case.id, medium_id=medium_id, text=text, on=PUBLISHED, now=NOW
    )


def test_m9_what_is_published_is_the_text_that_all_consented_to(case: Accessions) -> None:
    draft(case)
    finalise(case, 1)
    signed_and_published(case, 1)
    view = queries.contract(case.actor, case.id)
    media = list(PublicationMedium.objects.order_by("id").values_list("id", flat=True))
    before = digest()
    with pytest.raises(OtherText):
        publish(case, media[0], view.text.replace("14 Tagen", "15 Tagen"))
    assert digest() == before
    publish(case, media[0], view.text.replace("\n\n", "\r\n\r\n\r\n").replace("ä", "a\u0308") + "\n")
    for one in media[1:]:
        record_publication(case.actor, accession_id=case.id, medium_id=one, sha256=view.sha256, on=PUBLISHED, now=NOW)
    assert case.state == AccessionState.PUBLISHED


def test_the_contract_in_force_is_all_contracts_in_effect_one_after_the_other(case: Accessions) -> None:
    draft(case)
    finalise(case, 1)
    signed_and_published(case, 1)
    view = queries.contract(case.actor, case.id)
    for one in PublicationMedium.objects.order_by("id"):
        publish(case, one.id, view.text)
    case.take_effect()
    assert queries.consolidated_contract(case.actor, date(2026, 5, 31)) == []
    standing = queries.consolidated_contract(case.actor, date(2026, 6, 1))
    assert tuple(c.clause.code for c in standing) == ALL
    assert {c.from_contract for c in standing} == {"Stadt Neustadt"}


def test_representatives_see_what_was_put_before_them_and_others_write_nothing(case: Accessions, staff: Any) -> None:
    clerk: Actor = staff(Role.CLERK, body="alliance", name="Carla")
    representative: Actor = staff(Role.MEMBER_REPRESENTATIVE, body="alliance", name="Rita", units={"neustadt"})
    draft(case)
    for actor in (clerk, representative):
        with pytest.raises(NotFound):
            queries.contract(actor, case.id)
        before = digest()
        for act in (
            lambda actor=actor: services.draft_contract(
                actor, accession_id=case.id, clauses=ALL, data=ContractData(), now=NOW
            ),
            lambda actor=actor: services.finalise_contract(actor, accession_id=case.id, number=1, now=NOW),
            lambda actor=actor: services.load_start_clauses(actor, now=NOW),
            lambda actor=actor: services.review_clause(actor, code="audit", number=1, now=NOW),
        ):
            with pytest.raises(policy.Denied):
                act()
        assert digest() == before
    finalise(case, 1)
    assert queries.contract(representative, case.id).version == 1
    with pytest.raises(NotFound):
        queries.contract(clerk, case.id)


def test_bad_input_is_named_by_field_and_nothing_is_written(case: Accessions) -> None:
    before = digest()
    with pytest.raises(services.BadContract) as bad:
        draft(
            case,
            ("audit", "unknown"),
            chair=UUID(int=1),
            values={"x": "a\x00b"},
            parties=(ContractParty(case.id, -1, 1),),
        )
    assert set(bad.value.errors) == {"clauses", "parties", "values", "chair"}
    with pytest.raises(services.BadClause) as worse:
        services.write_clause(case.actor, code="X!", title="", text="mit {offener Klammer", kinds=["what"], now=NOW)
    assert set(worse.value.errors) == {"code", "title", "text", "kinds"}
    assert digest() == before


def test_the_pdf_is_marked_while_a_draft_and_kept_when_final(case: Accessions) -> None:
    draft(case)
    preview = queries.contract_pdf(case.actor, case.id, 1)
    finalise(case, 1)
    final = queries.contract_pdf(case.actor, case.id, 1)
    assert preview != final
    assert final == queries.contract_pdf(case.actor, case.id, 1)


@pytest.mark.conformance
@pytest.mark.skipif(bool(verapdf.missing()), reason="veraPDF cannot run here")
def test_the_pdf_of_a_contract_conforms_as_a_draft_and_as_a_final_text(case: Accessions) -> None:
    draft(case)
    assert verapdf.failures(queries.contract_pdf(case.actor, case.id, 1)) == []
    finalise(case, 1)
    assert verapdf.failures(queries.contract_pdf(case.actor, case.id, 1)) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=80), st.text(max_size=20))
def test_the_hash_stands_for_the_text_and_nothing_less(text: str, other: str) -> None:
    entry = {"code": "a", "text": normalised(text)}
    same = contract_hash([entry], {"b": 1, "a": 2})
    assert same == contract_hash([dict(reversed(entry.items()))], {"a": 2, "b": 1})
    assert (contract_hash([{**entry, "text": normalised(other)}], {"a": 2, "b": 1}) == same) == (
        normalised(other) == normalised(text)
    )
    assert normalised(normalised(text)) == normalised(text)
