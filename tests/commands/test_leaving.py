"""A body leaves with everything that is its own, stands whole on another installation, and is erased only then."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.commands.moving import Installation, manifest

from verbund.commands.leaving.archive import Archive
from verbund.commands.leaving.tables import LEFT_OUT


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
