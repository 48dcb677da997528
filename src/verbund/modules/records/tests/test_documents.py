"""Documents: versions that cannot be changed, conflicts that are told, contents that may be broken."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from verbund.modules.records import queries, services
from verbund.modules.records.models import Document, DocumentVersion, TimelineEntry, version_hash
from verbund.platform import files
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from . import factories
from .factories import NOW


@pytest.fixture
def clerk(alpha: Any, staff: Callable[..., Actor], system: Actor) -> Actor:
    factories.file_plan(system)
    return staff(Role.CLERK, units={"32"})


def test_a_version_is_anchored_in_the_audit_chain(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    first = factories.file_text(clerk, case, "eins")
    later = NOW + timedelta(hours=1)
    second = services.add_version(
        clerk, document_id=first.id, content=b"zwei", filename="../b.txt", expected_version=1, now=later
    )
    assert (second.number, second.version, second.size) == (1, 2, 4)
    for ref, action in ((first, "records.document.filed"), (second, "records.document.versioned")):
        row = DocumentVersion.objects.get(pk=ref.version_id)
        entry = AuditEntry.objects.get(action=action)
        after = json.loads(entry.changes)["after"]
        assert entry.object_id == str(first.id)
        assert after == {
            "case": case.reference,
            "document_number": 1,
            "version_id": str(row.id),
            "number": row.number,
            "sha256": ref.sha256,
            "size": row.size,
            "hash": row.hash,
        }
        assert row.hash == version_hash(
            version_id=row.id,
            document_id=row.document_id,
            number=row.number,
            sha256=row.content_id,
            size=row.size,
            media_type=row.media_type,
            filename=row.filename,
            created_at=row.created_at,
            created_by=row.created_by,
        )
    with connection.cursor() as cursor:
        cursor.execute(
            r"""SELECT hash, encode(sha256(convert_to(concat_ws(E'\n', 'verbund.document-version.1',
                id, document_id, number, sha256, size, media_type, filename,
                to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), created_by), 'UTF8')), 'hex')
                FROM records_documentversion ORDER BY number"""
        )
        assert [stored == computed for stored, computed in cursor.fetchall()] == [True, True]
    assert [v.filename for v in queries.versions(clerk, first.id)] == ["b.txt", "notiz.txt"]
    assert files.read(queries.document_content(clerk, first.id).sha256) == b"zwei"
    assert files.read(queries.document_content(clerk, first.id, 1).sha256) == b"eins"


@pytest.mark.parametrize("change", ["UPDATE {t} SET id = id", "DELETE FROM {t}", "TRUNCATE {t} CASCADE"])
@pytest.mark.parametrize("model", [DocumentVersion, TimelineEntry])
def test_versions_and_timeline_cannot_be_changed_by_the_body_nor_by_the_owner(
    real_database: str, system: Actor, owner_connection: "psycopg.Connection[Any]", model: Any, change: str
) -> None:
    statement = change.format(t=model._meta.db_table)
    with acting_for("alpha"):
        factories.file_plan(system)
        factories.file_text(system, factories.open_case(system), "eins")
        before = list(model.objects.values())
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)
    owner_connection.execute("SET search_path = alpha")
    with pytest.raises(psycopg.Error, match=r"(?i)append-only|never changed|refuse"):
        owner_connection.execute(statement)
    with acting_for("alpha"):
        assert list(model.objects.values()) == before


def test_who_comes_second_with_a_version_is_told_and_nothing_is_written(clerk: Actor) -> None:
    document = factories.file_text(clerk, factories.open_case(clerk), "eins")
    new: dict[str, Any] = {"document_id": document.id, "filename": "b.txt", "now": NOW}
    services.add_version(clerk, content=b"zwei", expected_version=1, **new)
    with pytest.raises(services.StaleVersion) as told:
        services.add_version(clerk, content=b"drei", expected_version=1, **new)
    assert told.value.current == 2
    assert "2" in str(told.value.message)
    assert DocumentVersion.objects.count() == 2


def test_a_closed_case_takes_nothing_more(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    document = factories.file_text(clerk, case, "eins")
    services.close_case(clerk, case_id=case.id, now=NOW)
    with pytest.raises(services.CaseClosed):
        factories.file_text(clerk, case, "zwei")
    with pytest.raises(services.CaseClosed):
        services.add_version(
            clerk, document_id=document.id, content=b"x", filename="b.txt", expected_version=1, now=NOW
        )
    assert DocumentVersion.objects.count() == 1


def test_only_the_house_itself_files_belatedly(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    services.close_case(clerk, case_id=case.id, now=NOW)
    paper: dict[str, Any] = {"case_id": case.id, "title": "Eingang", "kind": "receipt", "content": b"x", "now": NOW}
    with pytest.raises(policy.Denied):
        services.file_document(clerk, filename="a.txt", belated=True, **paper)
    assert not Document.objects.filter(case_id=case.id).exists()
    services.file_document(Actor.system(clerk.body, "test"), filename="a.txt", belated=True, **paper)
    assert Document.objects.get(case_id=case.id).kind == "receipt"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"%PDF-1.7\nnothing of a PDF", "unreadable"),
        (factories.pdf("Titel")[:-60], "unreadable"),
        (factories.pdf("Titel").replace(b"/Kids [4 0 R]", b"/Kids [9 0 R]"), "unreadable"),
    ],
)
def test_a_broken_pdf_is_kept_with_a_note_of_what_could_not_be_read(clerk: Actor, content: bytes, note: str) -> None:
    case = factories.open_case(clerk)
    document = services.file_document(
        clerk, case_id=case.id, title="Kaputt", kind="incoming", content=content, filename="a.pdf", now=NOW
    )
    assert queries.document(clerk, document.id).text_note == note
    assert files.read(document.sha256) == content


def test_refused_content_leaves_no_document(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    for content, filename in ((b"", "leer.txt"), (b"MZ\x90\x00" + bytes(200), "a.exe"), (b"<html></html>", "a.pdf")):
        with pytest.raises(files.Refused):
            services.file_document(
                clerk, case_id=case.id, title="X", kind="other", content=content, filename=filename, now=NOW
            )
    assert queries.documents(clerk, case.id) == []
    assert queries.case(clerk, case.id).documents == 0


def test_title_and_kind_are_asked_for(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    with pytest.raises(services.DocumentInvalid) as refused:
        factories.file_text(clerk, case, "x", title=" \n ", kind="poem")
    assert set(refused.value.errors) == {"title", "kind"}


def test_the_case_page_asks_one_query_per_kind_of_object(
    clerk: Actor, django_assert_num_queries: Callable[[int], Any]
) -> None:
    case = factories.open_case(clerk)
    for n in range(5):
        factories.file_text(clerk, case, f"Text {n}")
    with django_assert_num_queries(1):
        queries.case(clerk, case.id)
    with django_assert_num_queries(2):
        assert len(queries.documents(clerk, case.id)) == 5
    with django_assert_num_queries(2):
        assert len(queries.timeline(clerk, case.id)) == 6
    with django_assert_num_queries(1):
        queries.cases(clerk)
    # stems, how many are expected, hits, their order, entries, beginnings of texts
    with django_assert_num_queries(6):
        assert len(queries.search(clerk, "text").rows) == 5


def test_a_case_is_opened_with_its_documents(clerk: Actor) -> None:
    there = files.put(b"Anlage", filename="c.txt")

    def documents(ref: services.CaseRef) -> list[services.NewDocument]:
        return [
            services.NewDocument("Antrag", "application", f"Zu {ref.reference}".encode(), "a.txt", {"a": 1}, True),
            services.NewDocument("Anlage", "attachment", there, "c.txt"),
        ]

    case = services.open_case(
        clerk, title="Fall", position="32.10", unit="32", origin="", party="", now=NOW, documents=documents
    )
    first, second = case.documents
    assert [d.title for d in queries.documents(clerk, case.id)] == ["Antrag", "Anlage"]
    assert ([first.number, second.number], second.sha256) == ([1, 2], there.sha256)
    assert DocumentVersion.objects.get(pk=first.version_id).text == f"Zu {case.reference}"
    assert [e.kind for e in TimelineEntry.objects.order_by("id")] == ["opened", "document_filed", "document_filed"]
    assert [e.action for e in AuditEntry.objects.filter(object_type__startswith="records").order_by("-id")[:3]] == [
        "records.document.filed",
        "records.document.filed",
        "records.case.opened",
    ]
    assert [row.document_id for row in queries.search(clerk, "Anlage").rows] == [second.id]
    later = factories.file_text(clerk, case, "drei")
    assert later.number == 3


def test_a_case_is_not_opened_when_one_of_its_documents_is_refused(clerk: Actor) -> None:
    def opened(*contents: bytes) -> services.CaseRef:
        new = [services.NewDocument("Blatt", "memo", content, "a.txt") for content in contents]
        return services.open_case(
            clerk, title="Fall", position="32.10", unit="32", origin="", party="", now=NOW, documents=lambda _: new
        )

    before = AuditEntry.objects.count()
    with pytest.raises(files.Empty):
        opened(b"eins", b"")
    assert (DocumentVersion.objects.count(), AuditEntry.objects.count()) == (0, before)
    assert opened(b"eins").reference == "32.10-2026/0001", "the number was given back"
