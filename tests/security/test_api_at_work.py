"""The interface for machines at work: what is written, and what is written once."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from .test_api import assert_problem
from .world import World, taken_back

pytestmark = pytest.mark.usefixtures("unhurried")


def test_a_case_with_its_document_goes_all_the_way(world: World) -> None:
    with taken_back():
        machine = world.machine("alpha", "clerk")
        opened = machine.post(
            "/api/v1/records/cases",
            {"title": "Baumfällung am Deich", "position": "32.10", "unit": "32", "party": "Frieda Fuchs"},
            content_type="application/json",
        )
        assert opened.status_code == 201, opened.content
        case = opened.json()["id"]
        assert opened.json()["reference"].startswith("32.10-")
        filed = machine.post(
            f"/api/v1/records/cases/{case}/documents",
            {"title": "Lageplan", "kind": "incoming", "file": SimpleUploadedFile("plan.txt", b"Die alte Linde")},
        )
        assert filed.status_code == 201, filed.content
        assert machine.post(
            f"/api/v1/records/cases/{case}/notes", {"text": "Ortstermin"}, content_type="application/json"
        ).json() == {"case_id": case}
        content: Any = machine.get(f"/api/v1/records/documents/{filed.json()['id']}/content")
        assert b"".join(content.streaming_content) == b"Die alte Linde"
        assert content["Content-Disposition"].startswith("attachment")
        hits = machine.get("/api/v1/records/search", {"text": "Linde"}).json()
        assert [hit["case_id"] for hit in hits["items"]] == [case]
        timeline = machine.get(f"/api/v1/records/cases/{case}/timeline").json()
        assert {row["by"] for row in timeline} == {"clerk of alpha"}
        assert "Ortstermin" in [row["text"] for row in timeline]


def number(connection: "psycopg.Connection[Any]") -> int:
    return int(connection.execute("SELECT count(*) FROM alpha.records_case").fetchall()[0][0])


def test_the_same_idempotency_key_does_it_once(world: World, behind: "psycopg.Connection[Any]") -> None:
    machine = world.machine("alpha", "clerk")
    had = number(behind)
    case = {"title": "Nur einmal", "position": "32.10", "unit": "32"}

    def send(key: str, content: dict[str, str]) -> Any:
        return machine.post(
            "/api/v1/records/cases", content, content_type="application/json", headers={"idempotency-key": key}
        )

    first, again = send("a-1", case), send("a-1", case)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert number(behind) == had + 1
    assert_problem(send("a-1", {**case, "title": "Etwas anderes"}), 422)
    assert_problem(send("x" * 101, case), 400)
    assert number(behind) == had + 1
    refused = send("a-2", {**case, "position": "99.99"})
    assert_problem(refused, 422)
    assert [e["field"] for e in refused.json()["errors"]] == ["position"]
    assert send("a-2", case).status_code == 201, "a refusal is not kept: the corrected request goes through"
    other = world.machine("alpha", "registry").post(
        "/api/v1/records/cases", case, content_type="application/json", headers={"idempotency-key": "a-1"}
    )
    assert other.status_code == 201, "the keys of another machine are its own"
    assert other.json()["id"] != first.json()["id"]


def test_a_claim_with_the_same_reference_is_the_same_claim(world: World) -> None:
    with taken_back():
        machine = world.machine("alpha", "clerk")
        line = machine.get(f"/api/v1/budget/claims/{world.towns['alpha'].ids['claim_id']}").json()
        claim = {
            "ledger": "ALPHA",
            "product": line["product"],
            "account": line["account"],
            "cents": 1250,
            "debtor": {"name": "Frieda Fuchs"},
            "due_on": "2026-12-24",
            "text": "Gebühr",
            "reference": "GEW-77",
        }
        first = machine.post("/api/v1/budget/claims", claim, content_type="application/json")
        assert first.status_code == 201, first.content
        again = machine.post("/api/v1/budget/claims", claim, content_type="application/json")
        assert again.json()["id"] == first.json()["id"]
        found = machine.get("/api/v1/budget/claims", {"reference": "GEW-77"}).json()
        assert [c["open_cents"] for c in found] == [1250]
        others = world.machine("alpha", "head_of_unit").get("/api/v1/budget/claims", {"reference": "GEW-77"})
        assert others.json() == [], "a reference belongs to the key that gave it"


def test_an_application_is_taken_over_and_decided(world: World) -> None:
    waiting = world.towns["alpha"].ids["waiting application_id"]
    with taken_back():
        machine = world.machine("alpha", "clerk")
        read = machine.get(f"/api/v1/citizenservices/applications/{waiting}").json()
        assert any(row["shown"] for section in read["sections"] for row in section["rows"])
        url = f"/api/v1/citizenservices/applications/{waiting}"
        stale = machine.post(
            f"{url}/take-over", {"expected_version": read["version"] + 1}, content_type="application/json"
        )
        assert_problem(stale, 409)
        taken = machine.post(
            f"{url}/take-over", {"expected_version": read["version"]}, content_type="application/json"
        ).json()
        decided = machine.post(
            f"{url}/decide",
            {"outcome": "granted", "expected_version": taken["version"]},
            content_type="application/json",
        )
        assert decided.status_code == 200, decided.content
        assert UUID(decided.json()["letter_id"])
        assert machine.get(url).json()["clerk_name"] == "clerk of alpha"
