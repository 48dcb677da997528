"""A body leaves with everything that is its own and stands whole on another installation; what is not an archive of
ours, or not what its manifest says, is refused and leaves nothing behind."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from verbund.commands.leaving.archive import Archive, Spoilt
from verbund.commands.leaving.tables import LEFT_OUT

HERE = Path(__file__).resolve().parent
WITHOUT_ALPHA = (
    "DROP SCHEMA alpha CASCADE",
    "DELETE FROM tenancy_host WHERE domain = 'alpha.localhost'",
    "DELETE FROM tenancy_body WHERE schema_name = 'alpha'",
)


@dataclass
class Installation:
    """A database and a folder of files of its own."""

    cluster: Any
    name: str
    var: Path

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.cluster.url(self.name, "verbund_app"),
            "VERBUND_OWNER_DATABASE_URL": self.cluster.url(self.name, "verbund_owner"),
            "VERBUND_VAR": str(self.var),
            "VERBUND_FILES_ROOT": str(self.var / "files"),
            "VERBUND_SECRET_KEY": f"secret of {self.name}",
            "LANGUAGE": "en",
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "verbund.commands.cli", *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, statement: str, schema: str = "alpha") -> list[Any]:
        with psycopg.connect(self.cluster.superuser, dbname=self.name) as connection:
            connection.execute(f"SET search_path TO {schema}, public")
            return connection.execute(statement).fetchall()

    def do(self, *statements: str) -> None:
        with psycopg.connect(self.cluster.superuser, dbname=self.name, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def knows_nothing_of(self, schema: str) -> bool:
        """No body, no host, no schema, no person and no content of it."""
        contents = self.var / "files" / schema / "content"
        return (
            self.ask(f"SELECT 1 FROM tenancy_body WHERE schema_name = '{schema}'", "public") == []
            and self.ask(f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'", "public") == []
            and self.ask("SELECT 1 FROM identity_person WHERE email LIKE '%@alpha.example'", "public") == []
            and not [path for path in contents.rglob("*") if path.is_file()]
        )


@pytest.fixture(scope="module")
def old(cluster: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The installation the body leaves."""
    made = Installation(cluster, f"verbund_test_run_{os.getpid()}_old", tmp_path_factory.mktemp("old"))
    cluster.copy(template_database, made.name)
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / "worked_body.py")],
            env=made.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield made
    finally:
        cluster.drop(made.name)


@pytest.fixture(scope="module")
def exported(old: Installation, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The archive of alpha and what the command said."""
    folder = tmp_path_factory.mktemp("out") / "alpha"
    done = old.run("body", "export", "alpha", "--to", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    return folder, done.stdout


@pytest.fixture
def new(cluster: Any, template_database: str, tmp_path: Path) -> Iterator[Installation]:
    """The installation the body comes to: it has an alliance and another body, and nothing of alpha."""
    made = Installation(cluster, f"verbund_test_run_{os.getpid()}_new_{os.urandom(3).hex()}", tmp_path / "new")
    made.var.mkdir()
    cluster.copy(template_database, made.name)
    made.do(*WITHOUT_ALPHA)
    try:
        yield made
    finally:
        cluster.drop(made.name)


@pytest.fixture
def copied(exported: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the archive to spoil."""
    target = tmp_path / "copied"
    shutil.copytree(exported[0], target)
    return target


def manifest(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return values


def resign(folder: Path, change: Callable[[dict[str, Any]], None] = lambda _values: None) -> None:
    """Make the manifest fit the files again, as a forger would, then change it."""
    values = manifest(folder)
    values["entries"] = [
        {
            "path": path.relative_to(folder).as_posix(),
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    ]
    change(values)
    (folder / "manifest.json").write_text(json.dumps(values))


def test_the_archive_holds_every_table_and_names_every_byte(old: Installation, exported: tuple[Path, str]) -> None:
    folder, said = exported
    Archive(folder).verify()
    values = manifest(folder)
    there = {name for (name,) in old.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'alpha'")}
    assert set(values["tables"]) == there - set(LEFT_OUT)
    for table, rows in values["tables"].items():
        assert old.ask(f'SELECT count(*) FROM "{table}"') == [(rows,)], table
    assert values["tables"]["citizenservices_application"] == 4
    assert values["tables"]["budget_voucher"] >= 3
    assert hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() in said
    contents = {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (folder / "contents").rglob("*") if p.is_file()
    }
    assert contents == {name: name for name in contents}
    assert {(name,) for name in contents} == set(old.ask("SELECT sha256 FROM files_storedfile"))


def test_the_tables_are_described_in_the_words_of_the_house(exported: tuple[Path, str]) -> None:
    described = {row["table"]: row for row in json.loads((exported[0] / "tables.json").read_text())}
    case = described["records_case"]
    assert case["meaning"].startswith("Case (Vorgang)")
    assert {"columns": ["file_id"], "table": "records_file", "to": ["id"]} in case["references"]
    assert all(column["type"] for row in described.values() for column in row["columns"])
    undescribed = [name for name, row in described.items() if not row["meaning"]]
    assert undescribed == []


def test_no_means_to_sign_in_leave_the_house(old: Installation, exported: tuple[Path, str]) -> None:
    everything = b"".join(p.read_bytes() for p in exported[0].rglob("*") if p.is_file())
    (password,) = old.ask("SELECT password FROM identity_person WHERE email = 'eva@alpha.example'", "public")[0]
    assert b"eva@alpha.example" in everything
    for secret in (password.encode(), b"md5$secret$hash", b"secret-session"):
        assert secret not in everything
    dump = (exported[0] / "body.sql").read_text()
    assert 'COPY "alpha"."identity_local_citizenaccount"' in dump


def test_the_dump_restores_by_psql_alone(exported: tuple[Path, str], new: Installation) -> None:
    from verbund.commands.leaving.dumping import pg_dump

    psql = pg_dump().with_name("psql")
    address = new.cluster.url(new.name, "verbund_owner")
    done = subprocess.run(
        [str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", address, "-f", str(exported[0] / "body.sql")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for table, rows in manifest(exported[0])["tables"].items():
        assert new.ask(f'SELECT count(*) FROM alpha."{table}"') == [(rows,)], table


def test_a_body_stands_whole_on_another_installation(
    old: Installation, exported: tuple[Path, str], new: Installation, tmp_path: Path
) -> None:
    folder, said = exported
    sha256 = said.split()[-1]
    done = new.run(
        "body", "import", str(folder), "--manifest-sha256", sha256, "--host", "rathaus.localhost", "--invite"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Invited: 1" in done.stdout
    checked = new.run("verify", "--body", "alpha", "--json")
    assert checked.returncode == 0, checked.stdout
    assert {c["chain"] for c in json.loads(checked.stdout)["bodies"][0]["chains"] if c["entries"]} == {
        "audit",
        "journal",
        "documents",
        "contents",
    }
    assert new.ask(
        "SELECT domain FROM tenancy_host h JOIN tenancy_body b ON b.id = tenant_id WHERE slug = 'alpha'"
    ) == [("rathaus.localhost",)]
    assert new.ask(
        "SELECT display_name, password, role FROM identity_person p JOIN identity_assignment a ON person_id = p.id"
    ) == [("Eva Eich", "", "clerk")]
    assert new.ask("SELECT rooms FROM membership_member WHERE slug = 'alpha'", "alliance") == old.ask(
        "SELECT ARRAY['budget', 'citizenservices', 'records']::varchar[]"
    )
    # Exported once more, every table is byte for byte what it was, but those in which the move itself was written down.
    again = new.run("body", "export", "alpha", "--to", str(tmp_path / "again"))
    assert again.returncode == 0, again.stderr
    first, second = manifest(folder), manifest(tmp_path / "again")
    differing = {
        entry["path"]
        for entry in second["entries"]
        if entry not in first["entries"] and entry["path"].startswith(("data/", "contents/"))
    }
    assert differing == {"data/audit_auditentry.csv", "data/audit_auditlane.csv"}
    # A second time is no harm, and says so.
    repeated = new.run("body", "import", str(folder))
    assert (repeated.returncode, "taken in from this archive before" in repeated.stdout) == (0, True)


def test_the_body_works_on_after_the_move(exported: tuple[Path, str], new: Installation) -> None:
    assert new.run("body", "import", str(exported[0])).returncode == 0
    script = (
        "import django; django.setup()\n"
        "from verbund.platform.tenancy import acting_for\n"
        "from verbund.platform.identity.actor import Actor\n"
        "from verbund.modules.citizenservices.tests import factories\n"
        "from verbund.modules.citizenservices.models import OnlineService\n"
        "with acting_for('alpha'):\n"
        "    ref = factories.submit(service=OnlineService.objects.first().id)\n"
        "    version = factories.taken(ref, factories.clerk())\n"
        "    from verbund.modules.citizenservices import services\n"
        "    done = services.decide_application(factories.clerk(), application_id=ref.id, outcome='granted', reason='',"
        " expected_version=version, now=factories.NOW)\n"
        "    print(done.claim_id)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=new.environment() | {"DJANGO_SETTINGS_MODULE": "verbund.config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert new.run("verify", "--body", "alpha").returncode == 0


def test_an_existing_folder_is_not_written_over(old: Installation, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "precious").write_text("mine")
    done = old.run("body", "export", "alpha", "--to", str(tmp_path / "there"))
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["there"]
    assert old.run("body", "export", "nobody", "--to", str(tmp_path / "x")).returncode == 2
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


# --- what is refused -------------------------------------------------------------------------------------------------


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


@pytest.fixture(scope="module")
def guarded(cluster: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One new installation for all hostile archives: each must leave it as it was."""
    made = Installation(cluster, f"verbund_test_run_{os.getpid()}_guarded", tmp_path_factory.mktemp("guarded"))
    cluster.copy(template_database, made.name)
    made.do(*WITHOUT_ALPHA)
    try:
        yield made
    finally:
        cluster.drop(made.name)


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


# --- erasure ---------------------------------------------------------------------------------------------------------


def _sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


@pytest.mark.conformance
def test_a_body_is_erased_only_as_it_was_handed_over(
    exported: tuple[Path, str], new: Installation, tmp_path: Path
) -> None:
    assert new.run("body", "import", str(exported[0])).returncode == 0
    assert new.run("body", "export", "alpha", "--to", str(tmp_path / "out")).returncode == 0
    out, papers = tmp_path / "out", tmp_path / "papers"

    def erase(folder: Path, sha256: str) -> "subprocess.CompletedProcess[str]":
        return new.run("body", "erase", str(folder), "--manifest-sha256", sha256, "--certificate", str(papers), "--yes")

    # The first archive is older than what stands here now: the import itself was written down.
    assert (erase(exported[0], _sha256(exported[0])).returncode, erase(out, "0" * 64).returncode) == (2, 1)
    new.do("UPDATE alpha.records_case SET title = 'changed since'")
    refused = erase(out, _sha256(out))
    assert (refused.returncode, "records_case" in refused.stderr) == (2, True)
    assert new.ask("SELECT count(*) FROM tenancy_body", "public") == [(3,)]

    assert new.run("body", "export", "alpha", "--to", str(tmp_path / "last")).returncode == 0
    last = tmp_path / "last"
    done = erase(last, _sha256(last))
    assert (done.returncode, done.stderr) == (0, "")
    assert new.knows_nothing_of("alpha")
    assert new.ask("SELECT 1 FROM procrastinate_jobs WHERE args ->> 'body' = 'alpha'", "public") == []
    assert new.ask("SELECT schema_name FROM membership_member WHERE slug = 'alpha'", "alliance") == [(None,)]
    (paper,) = papers.glob("*.json")
    certificate = json.loads(paper.read_text())
    assert certificate["export"]["manifest_sha256"] == _sha256(last)
    assert certificate["tables"] == manifest(last)["tables"]
    assert certificate["people"] == {"erased": 1, "kept_for_other_bodies": 0}
    assert paper.with_suffix(".pdf").read_bytes()[:5] == b"%PDF-"
    (entry,) = new.ask("SELECT changes FROM audit_auditentry WHERE action = 'membership.tenant.erased'", "alliance")
    assert hashlib.sha256(paper.read_bytes()).hexdigest() in entry[0]
    # What is left of it elsewhere works on, and the body can come back from its archive.
    assert new.run("verify").returncode == 0
    assert new.run("body", "import", str(last)).returncode == 0
