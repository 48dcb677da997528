"""`verbund verify` is green after real work, and names the entry after one byte was changed behind the application's
back."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from verbund.commands.verify import verify_body
from verbund.commands.verify.documents import local_reader
from verbund.commands.verify.finding import Broken, Chain

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def worked(
    cluster: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """A database in which a morning's work was done, and the folder of its files."""
    name, files = f"verbund_test_run_{os.getpid()}_worked", tmp_path_factory.mktemp("files")
    cluster.copy(template_database, name)
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / "work.py")],
            env={
                **os.environ,
                "DATABASE_URL": cluster.url(name, "verbund_app"),
                "VERBUND_FILES_ROOT": str(files),
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield name, files
    finally:
        cluster.drop(name)


class Tampered:
    """A copy of the worked database, changed as a superuser may, and what `verify` says of it."""

    def __init__(self, cluster: Any, name: str, files: Path) -> None:
        self.cluster, self.name, self.files = cluster, name, files

    def change(self, *statements: str) -> None:
        """Run statements as a superuser with all triggers silenced."""
        with psycopg.connect(self.cluster.superuser, dbname=self.name, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET search_path TO alpha")
            for statement in statements:
                assert connection.execute(statement).rowcount >= 1, statement

    def ask(self, statement: str) -> Any:
        """One value of the database."""
        with psycopg.connect(self.cluster.superuser, dbname=self.name) as connection:
            connection.execute("SET search_path TO alpha")
            row = connection.execute(statement).fetchone()
            assert row is not None
            return row[0]

    def chains(self) -> dict[str, Chain]:
        """The chains of alpha by name."""
        address = self.cluster.url(self.name, "verbund_app")
        return {c.name: c for c in verify_body(address, "alpha", local_reader(self.files, "alpha"))}

    def broken(self) -> dict[str, list[Broken]]:
        """What is broken, by chain; chains that are whole are left out."""
        return {name: chain.broken for name, chain in self.chains().items() if chain.broken}


@pytest.fixture
def tampered(cluster: Any, worked: tuple[str, Path], tmp_path: Path) -> Iterator[Tampered]:
    name = f"verbund_test_run_{os.getpid()}_{os.urandom(3).hex()}"
    cluster.copy(worked[0], name)
    copied = tmp_path / "copied"
    subprocess.run(["cp", "-r", str(worked[1]), str(copied)], check=True)
    try:
        yield Tampered(cluster, name, copied)
    finally:
        cluster.drop(name)


def test_everything_is_whole_after_real_work(tampered: Tampered) -> None:
    chains = tampered.chains()
    assert {name: (chain.ok, chain.entries) for name, chain in chains.items()} == {
        "audit": (True, tampered.ask("SELECT count(*) FROM audit_auditentry")),
        "journal": (True, 5),
        "documents": (True, 3),
        "contents": (True, 3),
    }
    assert chains["audit"].entries > 10
    assert chains["contents"].bytes == len("Erste Fassung.") + len("Zweite Fassung.") + len("Ein zweites Schreiben.")


@pytest.mark.parametrize(
    "change",
    [
        "changes = replace(changes, '32.10', '32.11')",
        "actor_name = 'someone else'",
        "at = at + interval '1 microsecond'",
        "object_id = replace(object_id, '-', '_')",
        "hash = set_byte(hash, 31, get_byte(hash, 31) # 1)",
    ],
)
def test_one_changed_byte_of_an_audit_entry_is_named(tampered: Tampered, change: str) -> None:
    row = tampered.ask(
        "SELECT id FROM audit_auditentry WHERE action LIKE 'records.case.%' AND changes LIKE '%32.10%'"
        " ORDER BY id LIMIT 1"
    )
    tampered.change(f"UPDATE audit_auditentry SET {change} WHERE id = {row}")
    broken = tampered.broken()
    assert list(broken) == ["audit"]
    assert [b.row for b in broken["audit"]] == [str(row)]
    lane, number = (tampered.ask(f"SELECT {c} FROM audit_auditentry WHERE id = {row}") for c in ("lane", "lane_no"))
    assert broken["audit"][0].entry.startswith(f"lane {lane} no {number}, ")
    assert broken["audit"][0].reason == "its content is not what was written"


def test_a_changed_entry_whose_hash_was_made_anew_breaks_the_one_after_it(tampered: Tampered) -> None:
    lane, number = _middle_of_a_lane(tampered)
    tampered.change(
        f"UPDATE audit_auditentry SET hash = sha256('forged') WHERE lane = {lane} AND lane_no = {number}",
        f"UPDATE audit_auditentry SET hash_prev = sha256('forged') WHERE lane = {lane} AND lane_no = {number + 1}",
    )
    assert [b.entry.split(",")[0] for b in tampered.broken()["audit"]] == [f"lane {lane} no {number}"]


def test_a_deleted_audit_entry_is_missed(tampered: Tampered) -> None:
    lane, number = _middle_of_a_lane(tampered)
    tampered.change(f"DELETE FROM audit_auditentry WHERE lane = {lane} AND lane_no = {number}")
    found = tampered.broken()["audit"]
    assert [(b.entry.split(",")[0], b.reason) for b in found] == [
        (f"lane {lane} no {number + 1}", f"follows number {number - 1}: entries between are missing")
    ]


def test_the_deleted_last_audit_entry_is_missed(tampered: Tampered) -> None:
    lane, number = _middle_of_a_lane(tampered)
    last = tampered.ask(f"SELECT max(lane_no) FROM audit_auditentry WHERE lane = {lane}")
    assert last > number
    tampered.change(f"DELETE FROM audit_auditentry WHERE lane = {lane} AND lane_no = {last}")
    assert Broken(f"lane {lane} no {last}", "the last entries are missing") in tampered.broken()["audit"]


def test_two_swapped_audit_entries_are_named(tampered: Tampered) -> None:
    lane, number = _middle_of_a_lane(tampered)
    tampered.change(
        f"UPDATE audit_auditentry SET lane_no = -1 WHERE lane = {lane} AND lane_no = {number}",
        f"UPDATE audit_auditentry SET lane_no = {number} WHERE lane = {lane} AND lane_no = {number + 1}",
        f"UPDATE audit_auditentry SET lane_no = {number + 1} WHERE lane = {lane} AND lane_no = -1",
    )
    found = tampered.broken()["audit"]
    assert [(b.entry.split(",")[0], b.reason) for b in found] == [
        (f"lane {lane} no {number}", "does not follow the entry before it")
    ]


def _middle_of_a_lane(tampered: Tampered) -> tuple[int, int]:
    lane = tampered.ask("SELECT lane FROM audit_auditentry GROUP BY lane HAVING count(*) >= 4 ORDER BY lane LIMIT 1")
    return int(lane), 2


# The fee claims are the vouchers of one series; the second one is changed.
_SECOND = "SELECT v.id FROM budget_voucher v WHERE v.kind = 'assessment' AND v.no = 2"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE budget_voucher SET text = text || '.' WHERE id = ({second})", "its content is not what was written"),
        (
            "UPDATE budget_voucher SET posting_date = posting_date + 1 WHERE id = ({second})",
            "its content is not what was written",
        ),
        (
            "UPDATE budget_voucherline SET debit = debit + 1 WHERE voucher_id = ({second}) AND debit > 0",
            "its content is not what was written",
        ),
        (
            "DELETE FROM budget_voucherline WHERE voucher_id = ({second}) AND position = 1",
            "has 1 lines, 2 were written",
        ),
        (
            "UPDATE budget_voucher SET hash_prev = sha256('x') WHERE id = ({second})",
            "does not follow the voucher before it",
        ),
    ],
)
def test_one_changed_byte_of_a_voucher_is_named(tampered: Tampered, change: str, reason: str) -> None:
    number = tampered.ask(
        "SELECT l.code || '-' || y.year || '-' || v.series || '-' || lpad(v.no::text, 6, '0') FROM budget_voucher v"
        " JOIN budget_fiscalyear y ON y.id = v.fiscal_year_id JOIN budget_ledger l ON l.id = v.ledger_id"
        f" WHERE v.id = ({_SECOND})"
    )
    row = str(tampered.ask(_SECOND))
    tampered.change(change.format(second=_SECOND))
    assert tampered.broken() == {"journal": [Broken(number, reason, row)]}


def test_a_deleted_last_voucher_is_missed(tampered: Tampered) -> None:
    last = "SELECT v.id FROM budget_voucher v WHERE v.kind = 'assessment' AND v.no = 3"
    series = tampered.ask("SELECT series FROM budget_voucher WHERE kind = 'assessment' LIMIT 1")
    tampered.change(
        f"DELETE FROM budget_voucherline WHERE voucher_id = ({last})",
        f"DELETE FROM budget_voucher WHERE id = ({last})",
    )
    assert tampered.broken() == {"journal": [Broken(f"ALPHA-2026-{series}-000003", "the last vouchers are missing")]}


def test_a_changed_byte_of_a_stored_document_is_named(tampered: Tampered) -> None:
    sha256 = tampered.ask("SELECT sha256 FROM records_documentversion WHERE number = 2")
    document = tampered.ask("SELECT document_id FROM records_documentversion WHERE number = 2")
    path = _content(tampered, sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"Zweite", b"Zweitf"))
    assert tampered.broken() == {
        "contents": [
            Broken(f"content {sha256}, document {document} version 2", "the file is not what was stored", sha256)
        ]
    }


def test_a_missing_stored_document_is_named(tampered: Tampered) -> None:
    sha256 = tampered.ask("SELECT sha256 FROM records_documentversion WHERE number = 2")
    _content(tampered, sha256).unlink()
    found = tampered.broken()
    assert [(name, [(b.row, b.reason) for b in rows]) for name, rows in found.items()] == [
        ("contents", [(sha256, "the file is missing")])
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            "UPDATE records_documentversion SET filename = 'other.txt' WHERE number = 2",
            "the entry is not what was written",
        ),
        (
            "UPDATE records_documentversion SET created_at = created_at - interval '1 day' WHERE number = 2",
            "the entry is not what was written",
        ),
        (
            "UPDATE records_documentversion SET hash = repeat('0', 64) WHERE number = 2",
            "the entry is not what was written",
        ),
        ("UPDATE records_document SET versions = 3 WHERE versions = 2", "the document says it has 3 versions"),
    ],
)
def test_a_changed_version_of_a_document_is_named(tampered: Tampered, change: str, reason: str) -> None:
    row = str(tampered.ask("SELECT id FROM records_documentversion WHERE number = 2"))
    tampered.change(change)
    assert [(name, [(b.row, b.reason) for b in rows]) for name, rows in tampered.broken().items()] == [
        ("documents", [(row, reason)])
    ]


def test_a_version_with_a_hash_made_anew_is_not_what_the_audit_says(tampered: Tampered) -> None:
    tampered.change(
        """UPDATE records_documentversion SET filename = 'other.txt', hash = encode(sha256(convert_to(concat_ws(E'\\n',
           'verbund.document-version.1', id, document_id, number, sha256, size, media_type, 'other.txt',
           to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), created_by), 'UTF8')), 'hex')
           WHERE number = 2"""
    )
    assert [b.reason for b in tampered.broken()["documents"]] == ["the entry is not what the audit says"]


def test_a_deleted_version_and_a_deleted_document_are_missed(tampered: Tampered) -> None:
    version = str(tampered.ask("SELECT id FROM records_documentversion WHERE number = 2"))
    tampered.change(
        "DELETE FROM records_documentversion WHERE number = 2",
        "UPDATE records_document SET versions = 1 WHERE versions = 2",
    )
    found = tampered.broken()["documents"]
    assert [(b.row, b.reason) for b in found] == [(version, "it was filed, and is missing")]
    assert found[0].entry.startswith("32.10")


def test_an_inserted_document_is_unknown_to_the_audit(tampered: Tampered) -> None:
    tampered.change(
        """INSERT INTO records_documentversion (id, document_id, number, sha256, size, media_type, filename, text,
                                                  text_note, created_at, created_by, hash)
           SELECT gen_random_uuid(), document_id, 3, sha256, size, media_type, filename, '', '', created_at, created_by,
                  ''              FROM records_documentversion WHERE number = 2""",
        "UPDATE records_document SET versions = 3 WHERE versions = 2",
        """UPDATE records_documentversion SET hash = encode(sha256(convert_to(concat_ws(E'\\n',
           'verbund.document-version.1', id, document_id, number, sha256, size, media_type, filename,
           to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), created_by), 'UTF8')), 'hex')
           WHERE number = 3""",
    )
    assert [b.reason for b in tampered.broken()["documents"]] == ["the audit knows nothing of it"]


def _content(tampered: Tampered, sha256: str) -> Path:
    return tampered.files / "alpha" / "content" / sha256[:2] / sha256


@pytest.fixture
def verify_command(tampered: Tampered) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "verbund.commands.cli", "verify", *arguments],
            env={
                **os.environ,
                "DATABASE_URL": tampered.cluster.url(tampered.name, "verbund_app"),
                "VERBUND_SECRET_KEY": "x" * 50,
                "VERBUND_FILES_ROOT": str(tampered.files),
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_command_answers_for_all_bodies_and_with_its_exit_code(
    tampered: Tampered, verify_command: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    green = verify_command("--json")
    assert green.returncode == 0, green.stdout + green.stderr
    report = json.loads(green.stdout)
    assert report["ok"] is True
    assert [body["body"] for body in report["bodies"]] == ["alliance", "alpha", "beta"]
    tampered.change(f"UPDATE budget_voucher SET text = text || '.' WHERE id = ({_SECOND})")
    red = verify_command("--json", "--body", "alpha", "--no-contents")
    assert red.returncode == 1
    chains = {c["chain"]: c for c in json.loads(red.stdout)["bodies"][0]["chains"]}
    assert set(chains) == {"audit", "journal", "documents"}
    assert chains["journal"]["broken"][0]["row"] == str(tampered.ask(_SECOND))
    nobody = verify_command("--body", "gamma")
    assert nobody.returncode == 2
    assert len(nobody.stderr.strip().splitlines()) == 1
