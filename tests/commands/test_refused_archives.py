"""What is not an archive of ours, or not what its manifest says, is refused and leaves nothing behind."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.commands.moving import HERE, Installation, resign

from verbund.commands.leaving.archive import Archive, Spoilt


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "which", ["body.json", "people.json", "anchors.json", "tables.json", "body.sql", "LIESMICH.txt", "data", "contents"]
)
def test_one_changed_bit_is_named(copied: Path, which: str) -> None:
    target = copied / which
    if target.is_dir():
        target = max((p for p in target.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    _flip(target)
    with pytest.raises(Spoilt) as refusal:
        Archive(copied).verify()
    assert len(refusal.value.faults) == 1
    assert target.relative_to(copied).as_posix() in refusal.value.faults[0]


def test_missing_and_further_files_are_named_all_at_once(copied: Path) -> None:
    (copied / "body.sql").unlink()
    (copied / "data" / "extra.csv").write_text("x")
    (copied / "people.json").write_text((copied / "people.json").read_text() + " ")
    with pytest.raises(Spoilt) as refusal:
        Archive(copied).verify()
    assert sorted(fault.split(":")[0] for fault in refusal.value.faults) == [
        "body.sql",
        "data/extra.csv",
        "people.json",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "../body.json",
        "/etc/passwd",
        "data/../../x.csv",
        "data/x.csv/..",
        "contents/zz/" + "0" * 64,
        "contents/00/" + "0" * 63,
        "data/X.csv",
        "data/x.csv\n",
        "manifest.json",
        "data\\x.csv",
        "",
    ],
)
def test_a_manifest_with_strange_paths_is_none(copied: Path, path: str) -> None:
    resign(copied, lambda values: values["entries"].append({"path": path, "size": 1, "sha256": "0" * 64}))
    with pytest.raises(Spoilt, match=r"manifest\.json"):
        Archive(copied)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(format="zip-bomb-1"),
        lambda v: v.update(entries="many"),
        lambda v: v["entries"][0].update(size=-1),
        lambda v: v["entries"][0].update(size=True),
        lambda v: v["entries"][0].update(sha256="x"),
        lambda v: v["entries"].append(v["entries"][0]),
        lambda v: v.update(tables={"public.tenancy_body": 1}),
        lambda v: v.update(tables=[]),
        lambda v: v.update(body=None),
        lambda v: v.pop("migrations"),
    ],
)
def test_a_manifest_of_another_shape_is_none(copied: Path, change: Callable[[dict[str, Any]], None]) -> None:
    resign(copied, change)
    with pytest.raises(Spoilt, match=r"manifest\.json"):
        Archive(copied)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"format": "verbund-body-1"}'])
def test_what_is_no_manifest_is_refused(copied: Path, content: bytes) -> None:
    (copied / "manifest.json").write_bytes(content)
    with pytest.raises(Spoilt, match=r"manifest\.json"):
        Archive(copied)


def test_links_and_pipes_are_not_followed(copied: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.json"
    shutil.move(copied / "body.json", real)
    (copied / "body.json").symlink_to(real)
    with pytest.raises(Spoilt, match=r"body\.json"):
        Archive(copied).verify()
    (copied / "body.json").unlink()
    os.mkfifo(copied / "body.json")
    with pytest.raises(Spoilt, match="not a plain file"):
        Archive(copied).verify()
    (copied / "body.json").unlink()
    shutil.move(real, copied / "body.json")
    Archive(copied).verify()
    shutil.move(copied / "data", tmp_path / "data")
    (copied / "data").symlink_to(tmp_path / "data")
    with pytest.raises(Spoilt, match="data/"):
        Archive(copied).verify()
    (tmp_path / "link").symlink_to(copied)
    with pytest.raises(Spoilt):
        Archive(tmp_path / "link")


def _edit(folder: Path, name: str, change: Callable[[Any], None]) -> None:
    values = json.loads((folder / name).read_text())
    change(values)
    (folder / name).write_text(json.dumps(values))
    resign(folder)


def _rewrite(folder: Path, table: str, change: Callable[[list[list[str]]], None]) -> None:
    path = folder / "data" / f"{table}.csv"
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    change(rows)
    with path.open("w", newline="") as file:
        file.write(",".join(rows[0]) + "\n")
        for row in rows[1:]:  # empty is NULL, as COPY reads it
            csv.writer(file, lineterminator="\n").writerow(row)
    resign(folder)


def _set(column: str, value: str) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        rows[1][rows[0].index(column)] = value

    return change


def _schema(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        _edit(folder, "body.json", lambda values: values.update(schema_name=name))
        resign(folder, lambda values: values["body"].update(schema_name=name))

    return spoil


def _fact(**changed: Any) -> Callable[[Path], None]:
    return lambda folder: _edit(folder, "body.json", lambda values: values.update(changed))


def _role(role: str) -> Callable[[Path], None]:
    return lambda folder: _edit(folder, "people.json", lambda values: values["assignments"][0].update(role=role))


def _row(table: str, column: str, value: str) -> Callable[[Path], None]:
    return lambda folder: _rewrite(folder, table, _set(column, value))


def _column_too_many(folder: Path) -> None:
    def widen(rows: list[list[str]]) -> None:
        for row in rows:
            row.append("x")

    _rewrite(folder, "records_case", widen)


def _row_too_few(folder: Path) -> None:
    def shorten(rows: list[list[str]]) -> None:
        del rows[-1]

    _rewrite(folder, "citizenservices_application", shorten)


def _foreign_table(folder: Path) -> None:
    (folder / "data" / "pg_authid.csv").write_text("rolname\nroot\n")
    resign(folder)


def _table_too_few(folder: Path) -> None:
    (folder / "data" / "records_case.csv").unlink()
    resign(folder)


def _stranger(folder: Path) -> None:
    content = b"nobody asked for this"
    sha256 = hashlib.sha256(content).hexdigest()
    (folder / "contents" / sha256[:2]).mkdir(exist_ok=True)
    (folder / "contents" / sha256[:2] / sha256).write_bytes(content)
    resign(folder)


NOBODY = "00000000-0000-7000-8000-000000000000"
EARLY: dict[str, tuple[Callable[[Path], None], str]] = {
    "a schema of PostgreSQL's": (_schema("pg_catalog"), "PostgreSQL's own"),
    "the schema of everybody": (_schema("public"), "PostgreSQL's own"),
    "another body's schema": (_schema("beta"), "has the name beta"),
    "a schema name that is a statement": (_schema('x"; DROP SCHEMA alliance CASCADE; --'), "schema_name"),
    "facts of another body than the manifest's": (_fact(slug="gamma"), "another body than the manifest"),
    "an alliance": (_fact(is_alliance=True), "an alliance is not"),
    "another body's host": (_fact(hosts=["beta.localhost"]), "belongs to another body"),
    "a host that is none": (_fact(hosts=["evil.example/path"]), "is not a host name"),
    "a colour that is none": (_fact(accent_colour="red;}"), "accent_colour"),
    "rooms that are none": (_fact(rooms=["cellar"]), "rooms"),
    "a role of the alliance": (_role("operator"), "the role operator"),
    "a role that is none": (_role("king"), "the role king"),
    "people of no shape": (lambda f: _edit(f, "people.json", lambda v: v.update(people="all")), "people of a body"),
    "another release": (
        lambda f: resign(f, lambda v: v["migrations"].append(["records", "9999_from_the_future"])),
        "records.9999_from_the_future",
    ),
    "a column too many": (_column_too_many, "records_case.csv"),
    "columns in another order": (
        lambda f: _rewrite(f, "records_case", lambda rows: rows[0].reverse()),
        "records_case.csv",
    ),
    "a table that is none of ours": (_foreign_table, "pg_authid.csv"),
    "a table too few": (_table_too_few, "records_case.csv"),
}
DEEP: dict[str, tuple[Callable[[Path], None], str]] = {
    "a row too few": (_row_too_few, "number of rows"),
    "a reference to nothing": (_row("records_document", "case_id", NOBODY), "records_document"),
    "text for a number": (_row("budget_claim", "cents", "lots"), "budget_claim"),
    "a posting with other words": (_row("budget_voucher", "text", "Anderer Text"), "journal"),
    "a changed audit entry": (_row("audit_auditentry", "actor_name", "Nobody"), "audit"),
    "a stored file without its row": (_stranger, "no row speaks of it"),
}


def _all_refused(
    cases: dict[str, tuple[Callable[[Path], None], str]], archive: Path, guarded: Installation, tmp_path: Path
) -> None:
    """Try all in one process; what was said and what was left of each is told by the script."""
    folders = []
    for number, (spoil, _word) in enumerate(cases.values()):
        folders.append(tmp_path / str(number))
        shutil.copytree(archive, folders[-1])
        spoil(folders[-1])
    done = subprocess.run(
        [sys.executable, str(HERE / "taking_in.py"), *map(str, folders)],
        env=guarded.environment() | {"VERBUND_AS_OWNER": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes = dict(zip(cases, json.loads(done.stdout), strict=True))
    wrong = {name: said for name, said in outcomes.items() if cases[name][1] not in said["said"] or said["left"]}
    assert wrong == {}
    assert guarded.knows_nothing_of("alpha")
    assert guarded.ask("SELECT count(*) FROM tenancy_body", "public") == [(2,)]


def test_hostile_archives_are_refused_and_leave_nothing(
    exported: tuple[Path, str], guarded: Installation, tmp_path: Path
) -> None:
    _all_refused(EARLY, exported[0], guarded, tmp_path)


@pytest.mark.conformance
def test_what_only_the_rows_betray_is_refused_and_leaves_nothing(
    exported: tuple[Path, str], guarded: Installation, tmp_path: Path
) -> None:
    _all_refused(DEEP, exported[0], guarded, tmp_path)


def test_the_archives_sql_is_never_run(copied: Path, guarded: Installation, new: Installation) -> None:
    (copied / "body.sql").write_text("DROP SCHEMA alliance CASCADE;\n")
    resign(copied)
    assert new.run("body", "import", str(copied)).returncode == 0
    assert new.ask("SELECT count(*) FROM alliance.audit_auditlane") == [(16,)]


def test_a_body_that_is_here_is_not_taken_in_again(copied: Path, old: Installation) -> None:
    before = old.ask("SELECT count(*) FROM audit_auditentry")
    done = old.run("body", "import", str(copied))
    assert (done.returncode, "here already" in done.stderr) == (2, True)
    assert old.ask("SELECT count(*) FROM audit_auditentry") == before


def test_a_manifest_other_than_the_one_told_is_refused(copied: Path, guarded: Installation) -> None:
    done = guarded.run("body", "import", str(copied), "--manifest-sha256", "0" * 64)
    assert (done.returncode, "manifest.json" in done.stderr) == (1, True)
    assert guarded.knows_nothing_of("alpha")
