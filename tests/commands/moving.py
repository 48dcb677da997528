"""An installation of its own for each side of a move, and the archive's manifest."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

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
