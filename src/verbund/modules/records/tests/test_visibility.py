"""Visibility: what an actor may not see does not exist, whichever way it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from verbund.modules.records import queries, services
from verbund.modules.records.models import Case, Document, DocumentVersion, SearchEntry, TimelineEntry
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import NotFound

from . import factories
from .factories import NOW

pytestmark = pytest.mark.usefixtures("alpha")


@dataclass
class Scene:
    """Two units with a case and a document each."""

    ours: services.CaseRef
    theirs: services.CaseRef
    our_document: services.DocumentRef
    their_document: services.DocumentRef


@pytest.fixture
def scene(system: Actor) -> Scene:
    factories.file_plan(system)
    ours = factories.open_case(system, title="Linde vor dem Haus", origin="process:1")
    theirs = factories.open_case(system, title="Linde im Hof", unit="60", origin="process:2")
    return Scene(ours, theirs, factories.file_text(system, ours, "Linde"), factories.file_text(system, theirs, "Linde"))


@pytest.fixture
def clerk(staff: Callable[..., Actor]) -> Actor:
    return staff(Role.CLERK, units={"32"})


def seen(actor: Actor) -> dict[str, set[UUID]]:
    """The cases an actor sees, by each way of asking for many."""
    return {
        "list": {r.id for r in queries.cases(actor).rows},
        "text": {r.id for r in queries.cases(actor, filters=queries.CaseFilters(text="linde")).rows},
        "search": {h.case_id for h in queries.search(actor, "linde").rows},
        "export": {r.id for r in queries.cases_csv_rows(actor)},
    }


def in_every_way(cases: set[UUID]) -> dict[str, set[UUID]]:
    """What `seen` says when each way shows the same cases."""
    return {way: set(cases) for way in ("list", "text", "search", "export")}


def every_way(actor: Actor, case_id: UUID, document_id: UUID) -> list[Callable[[], Any]]:
    """Every way to one case by raw ids."""
    text: dict[str, Any] = {"content": b"neu", "filename": "neu.txt", "now": NOW}
    return [
        lambda: queries.case(actor, case_id),
        lambda: queries.timeline(actor, case_id),
        lambda: queries.documents(actor, case_id),
        lambda: queries.document(actor, document_id),
        lambda: queries.document_text(actor, document_id),
        lambda: queries.document_content(actor, document_id),
        lambda: queries.document_content(actor, document_id, 1),
        lambda: queries.versions(actor, document_id),
        lambda: queries.page_image(actor, document_id, version=None, page=1),
        lambda: services.note(actor, case_id=case_id, text="neu", now=NOW),
        lambda: services.assign_case(actor, case_id=case_id, person=actor.id, now=NOW),
        lambda: services.promise(actor, case_id=case_id, promised_on=None, now=NOW),
        lambda: services.close_case(actor, case_id=case_id, now=NOW),
        lambda: services.file_document(actor, case_id=case_id, title="neu", kind="memo", **text),
        lambda: services.add_version(actor, document_id=document_id, expected_version=1, **text),
        lambda: services.issue_letter(
            actor,
            case_id=case_id,
            title="neu",
            template="printing/letter.typ",
            data={},
            recipient=services.Recipient("X", ("Weg 1",)),
            now=NOW,
        ),
    ]


def rows() -> list[Any]:
    tables = (Case, Document, DocumentVersion, TimelineEntry, SearchEntry)
    return [list(t.objects.order_by("pk").values()) for t in tables]


def test_a_clerk_sees_the_cases_of_the_own_units_only(scene: Scene, clerk: Actor) -> None:
    assert seen(clerk) == in_every_way({scene.ours.id})
    assert queries.case(clerk, scene.ours.id).title == "Linde vor dem Haus"


def test_a_case_of_another_unit_does_not_exist_and_nothing_is_changed(scene: Scene, clerk: Actor) -> None:
    before = rows()
    for way in every_way(clerk, scene.theirs.id, scene.their_document.id):
        with pytest.raises(NotFound):
            way()
    for way in every_way(clerk, uuid4(), uuid4()):
        with pytest.raises(NotFound):
            way()
    assert rows() == before
    assert [f.reference for f in queries.files(clerk).rows] == ["32.10-2026"]


def test_the_registry_and_the_audit_see_all_units_but_the_audit_writes_nothing(
    scene: Scene, staff: Callable[..., Actor]
) -> None:
    both = {scene.ours.id, scene.theirs.id}
    for role in (Role.REGISTRY, Role.AUDITOR):
        assert seen(staff(role)) == in_every_way(both)
    before = rows()
    for way in every_way(staff(Role.AUDITOR), scene.ours.id, scene.our_document.id)[9:]:
        with pytest.raises(policy.Denied):
            way()
    assert rows() == before


def test_who_holds_no_role_of_records_is_denied(scene: Scene, staff: Callable[..., Actor]) -> None:
    for role in (Role.BODY_ADMIN, Role.TREASURER, Role.OPERATOR):
        with pytest.raises(policy.Denied):
            queries.cases(staff(role, units={"32"}))
        with pytest.raises(policy.Denied):
            queries.search(staff(role, units={"32"}), "linde")


def test_an_actor_of_another_body_is_denied(scene: Scene, staff: Callable[..., Actor]) -> None:
    stranger = staff(Role.REGISTRY, body="beta")
    with pytest.raises(policy.Denied):
        queries.case(stranger, scene.ours.id)
    with pytest.raises(policy.Denied):
        queries.search(stranger, "linde")


def test_an_assigned_case_is_seen_by_its_assignee_and_by_the_substitute(
    scene: Scene, system: Actor, staff: Callable[..., Actor], clerk: Actor
) -> None:
    person = staff(Role.CLERK, units={"11"}, name="Anna Ahorn")
    substitute = Actor(
        kind=ActorKind.STAFF,
        id=uuid4(),
        name="Ben Buche",
        body="alpha",
        roles=frozenset({Role.CLERK}),
        units=frozenset({"12"}),
        substitutes=frozenset({person.id} if person.id else ()),
    )
    assert seen(person)["list"] == seen(substitute)["list"] == set()
    services.assign_case(system, case_id=scene.theirs.id, person=person.id, person_name="Anna Ahorn", now=NOW)
    for actor in (person, substitute):
        assert seen(actor) == in_every_way({scene.theirs.id})
    assert [r.assigned_name for r in queries.cases(person).rows] == ["Anna Ahorn"]
    assert seen(clerk)["list"] == {scene.ours.id}


def test_a_case_handed_to_another_unit_leaves_the_first_ones_list_and_search(
    scene: Scene, clerk: Actor, staff: Callable[..., Actor]
) -> None:
    services.assign_case(clerk, case_id=scene.ours.id, person=None, unit="60", now=NOW)
    assert seen(clerk) == in_every_way(set())
    assert seen(staff(Role.CLERK, units={"60"}))["search"] == {scene.ours.id, scene.theirs.id}


def test_a_sealed_case_exists_for_assignee_and_named_readers_only(
    scene: Scene, clerk: Actor, staff: Callable[..., Actor]
) -> None:
    head = staff(Role.HEAD_OF_UNIT, units={"32"}, name="Hanna Hasel")
    reader = staff(Role.CLERK, units={"99"}, name="Rolf Rotdorn")
    registry = staff(Role.REGISTRY, name="Gerd Ginster")
    assert reader.id is not None
    services.seal_case(head, case_id=scene.ours.id, readers=[reader.id], now=NOW)
    for actor in (clerk, registry, staff(Role.AUDITOR, name="Petra Pappel")):
        assert scene.ours.id not in set().union(*seen(actor).values())
        with pytest.raises(NotFound):
            queries.case(actor, scene.ours.id)
        with pytest.raises(NotFound):
            queries.document_content(actor, scene.our_document.id)
    for actor in (head, reader):
        assert seen(actor) == in_every_way({scene.ours.id})
    services.assign_case(head, case_id=scene.ours.id, person=clerk.id, now=NOW)
    assert scene.ours.id in seen(clerk)["search"]
    services.unseal_case(head, case_id=scene.ours.id, now=NOW)
    assert seen(registry)["search"] == {scene.ours.id, scene.theirs.id}
    assert seen(reader)["search"] == set()


def test_a_clerk_cannot_seal(scene: Scene, clerk: Actor) -> None:
    with pytest.raises(policy.Denied):
        services.seal_case(clerk, case_id=scene.ours.id, readers=[], now=NOW)
    assert not queries.case(clerk, scene.ours.id).is_sealed


def test_citizens_and_guests_come_through_the_process_that_opened_the_case(scene: Scene, guest: Actor) -> None:
    citizen = Actor(kind=ActorKind.CITIZEN, id=uuid4(), name="Erika Beispiel", body="alpha")
    for actor in (guest, citizen):
        for origin in (None, "", "process:2", "process:3"):
            with pytest.raises(NotFound):
                queries.case(actor, scene.ours.id, origin=origin)
            with pytest.raises(NotFound):
                queries.document_content(actor, scene.our_document.id, origin=origin)
        assert queries.case(actor, scene.ours.id, origin="process:1").reference == scene.ours.reference
        assert queries.cases(actor).rows == ()
        assert queries.search(actor, "linde").rows == ()
        assert queries.files(actor).rows == ()
        assert queries.documents(actor, scene.ours.id, origin="process:1") == []
        with pytest.raises(NotFound):
            queries.document_content(actor, scene.our_document.id, origin="process:1")
    own = services.file_document(
        guest,
        case_id=scene.ours.id,
        title="Foto",
        kind="attachment",
        content=b"Bild",
        filename="bild.txt",
        now=NOW,
        origin="process:1",
    )
    assert [d.id for d in queries.documents(guest, scene.ours.id, origin="process:1")] == [own.id]
    kinds = [e.kind for e in queries.timeline(guest, scene.ours.id, origin="process:1")]
    assert kinds == ["document_filed", "opened"]


def test_a_guest_opens_cases_only_for_a_process(system: Actor, guest: Actor) -> None:
    factories.file_plan(system)
    with pytest.raises(policy.Denied):
        factories.open_case(guest)
    assert Case.objects.count() == 0
    assert factories.open_case(guest, origin="process:9").reference == "32.10-2026/0001"
