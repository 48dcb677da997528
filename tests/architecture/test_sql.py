"""Raw SQL stands in named places only, each with its reason; everything else speaks through the models."""

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "verbund"

# File -> why it speaks SQL of its own. Values are always parameters.
ALLOWED = {
    "commands/check.py": "asks PostgreSQL about roles and encryption without Django",
    "commands/demo/resetting.py": "drops and makes the demo's database as superuser",
    "commands/leaving/dumping.py": "writes some rows into the dump beside pg_dump",
    "commands/leaving/erasing.py": "compares and drops a body as the owner, under one lock",
    "commands/leaving/exporting.py": "reads a whole body as the owner, at one instant",
    "commands/leaving/removing.py": "drops a schema and a role as the owner",
    "commands/leaving/restoring.py": "copies rows into the tables as the owner",
    "commands/leaving/tables.py": "asks PostgreSQL's catalogue what a body's tables are",
    "commands/lifeline.py": "asks the queue, beside the event loop, whether this worker lives and works",
    "commands/metrics.py": "counts the queue without Django",
    "commands/serve.py": "reads the addresses to print without Django",
    "commands/verify/__init__.py": "re-computes outside the models",
    "commands/verify/audit.py": "re-computes outside the models",
    "commands/verify/documents.py": "re-computes outside the models",
    "commands/verify/journal.py": "re-computes outside the models",
    "config/health.py": "asks whether the database answers and which migrations it has",
    "modules/budget/services/books.py": "looks up what a posting names without making queries anew for each",
    "modules/budget/services/folding.py": "calls the database function that folds totals",
    "modules/budget/services/posting.py": "calls the database function that alone writes the journal",
    "modules/records/queries/tsquery.py": "lets PostgreSQL make search words of a text",
    "modules/records/services/indexing.py": "lets PostgreSQL make the vector of a new version",
    "modules/records/services/numbering.py": "takes the next gap-free number in one statement",
    "platform/audit/__init__.py": "calls the database function that alone writes the audit",
    "platform/events/publishing.py": "calls the database function that writes a job in the body's name",
    "platform/events/tasks.py": "writes the receipt of an event with ON CONFLICT",
    "platform/files/services.py": "locks a content with an advisory lock",
    "platform/identity/jobs.py": "calls the database functions through which operators see the queue",
    "platform/identity/services/people.py": "calls the database function that enlists a person",
    "platform/tenancy/backend/base.py": "enters a body: role and search_path in one statement",
    "platform/tenancy/blueprints.py": "records what the migrations send, and repeats it",
    "platform/tenancy/bodies.py": "makes and counts schemas as the owner",
    "platform/tenancy/embedded.py": "tunes the embedded server as superuser",
    "platform/tenancy/pool.py": "cleans a connection that goes back to the pool",
    "platform/tenancy/kept.py": "asks a query of the models that was compiled before",
    "platform/tenancy/rows.py": "writes rows of several tables in one statement",
    "platform/tenancy/roles.py": "makes roles and rights as the owner",
    "platform/tenancy/roles_sql.py": "prepares a cluster as superuser",
}
_CALLS = {"execute", "executemany", "copy", "raw", "extra", "callproc"}
_NAMES = {"RawSQL"}


def _uses(path: Path) -> list[int]:
    lines = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if (isinstance(function, ast.Name) and function.id in _NAMES) or ast.unparse(function) == "rows.call":
            lines.append(node.lineno)
        elif isinstance(function, ast.Attribute) and function.attr in _CALLS | _NAMES:
            if function.attr == "copy" and not ast.unparse(function.value).endswith("cursor"):
                continue
            lines.append(node.lineno)
    return lines


def _found() -> dict[str, list[int]]:
    return {
        str(path.relative_to(SOURCE)): lines
        for path in sorted(SOURCE.rglob("*.py"))
        if not {"migrations", "tests"}.intersection(path.relative_to(SOURCE).parts) and (lines := _uses(path))
    }


def test_raw_sql_stands_in_named_places_only() -> None:
    assert {place: lines for place, lines in _found().items() if place not in ALLOWED} == {}


def test_no_named_place_is_without_raw_sql() -> None:
    assert set(ALLOWED) - set(_found()) == set()


def test_statements_are_never_built_from_values() -> None:
    """No f-string, `%` or `format` as the statement; names are put in by psycopg.sql or come from a model's own
    table name."""
    built = []
    for place in _found():
        for node in ast.walk(ast.parse((SOURCE / place).read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and (node.func.attr in _CALLS or ast.unparse(node.func) == "rows.call")
                and node.args
            ):
                continue
            statement = node.args[0]
            if isinstance(statement, ast.BinOp) and isinstance(statement.op, ast.Mod):
                built.append(f"{place}:{node.lineno}")
            if isinstance(statement, ast.JoinedStr):
                names = {ast.unparse(part.value) for part in statement.values if isinstance(part, ast.FormattedValue)}
                if not names <= {"table"}:
                    built.append(f"{place}:{node.lineno} {names}")
    assert built == []
