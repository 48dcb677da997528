"""What the catalogue of PostgreSQL says of a body's schema, and what of it an archive holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import psycopg
from psycopg import sql

# Not handed over: what lets somebody in, or only counts for this installation. Everything else is the body's.
LEFT_OUT: Final = {
    "identity_local_session": "sessions: everybody signs in anew",
    "identity_local_token": "one-time links: they lead to this installation",
    "identity_local_attempts": "counters of failed sign-ins",
    "identity_local_apikey": "keys of machines: they are made anew",
    "identity_local_apianswer": "answers kept for the keys of machines",
    "django_migrations": "the release's own; compared through the manifest",
}
# Columns that are handed over empty.
BLANKED: Final = {("identity_local_citizenaccount", "password"): "passwords: citizens choose a new one by e-mail"}

_COLUMNS: Final = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',
       a.attidentity <> ''
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY c.relname, a.attnum
"""
_KEYS: Final = """
SELECT c.relname, k.contype::text, f.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i) JOIN pg_attribute a
              ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i) JOIN pg_attribute a
              ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class f ON f.oid = k.confrelid
 WHERE k.connamespace = %s::regnamespace AND k.contype IN ('p', 'f')
 ORDER BY c.relname, k.conname
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `generated` ones are computed by the database and not handed over."""

    name: str
    type: str
    required: bool
    generated: bool
    identity: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key inside the body."""

    columns: tuple[str, ...]
    table: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a body."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...]

    @property
    def handed_over(self) -> tuple[str, ...]:
        """The names of the columns that an archive holds, in their order."""
        return tuple(column.name for column in self.columns if not column.generated)

    @property
    def identities(self) -> tuple[str, ...]:
        """The columns that count by themselves."""
        return tuple(column.name for column in self.columns if column.identity)


def tables_of(connection: "psycopg.Connection[Any]", schema: str) -> dict[str, Table]:
    """The tables of a schema by name."""
    name = sql.Identifier(schema).as_string(connection)
    columns: dict[str, list[Column]] = {}
    for table, *facts in connection.execute(_COLUMNS, [name]).fetchall():
        columns.setdefault(table, []).append(Column(*facts))
    keys: dict[str, tuple[str, ...]] = {}
    references: dict[str, list[Reference]] = {}
    for table, kind, to, own, theirs in connection.execute(_KEYS, [name]).fetchall():
        if kind == "p":
            keys[table] = tuple(own)
        else:
            references.setdefault(table, []).append(Reference(tuple(own), to, tuple(theirs)))
    return {
        table: Table(table, tuple(own), keys.get(table, ()), tuple(references.get(table, ())))
        for table, own in columns.items()
    }


def selection(schema: str, table: Table) -> sql.Composed:
    """What is read of a table for an archive, in the order of its key."""
    columns = [
        sql.SQL("''::text AS {}").format(sql.Identifier(name))
        if (table.name, name) in BLANKED
        else sql.Identifier(name)
        for name in table.handed_over
    ]
    chosen = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), sql.Identifier(schema, table.name))
    if not table.key:
        return chosen
    return sql.SQL("{} ORDER BY {}").format(chosen, sql.SQL(", ").join(map(sql.Identifier, table.key)))


def description(tables: Sequence[Table], rows: dict[str, int]) -> list[dict[str, Any]]:
    """The tables described for people and machines: what each is, in German and English terms, its columns and keys."""
    from verbund.platform.tenancy.roles import tenant_models

    models = {model._meta.db_table: model for model in tenant_models()}
    described = []
    for table in tables:
        model = models.get(table.name)
        fields = {f.column: f for f in model._meta.concrete_fields} if model else {}
        described.append(
            {
                "table": table.name,
                "file": f"data/{table.name}.csv",
                "rows": rows[table.name],
                "meaning": " ".join((model.__doc__ or "").split("\n\n")[0].split()) if model else "",
                "key": list(table.key),
                "columns": [
                    {
                        "name": column.name,
                        "type": column.type,
                        "required": column.required,
                        **_more(fields.get(column.name), (table.name, column.name)),
                    }
                    for column in table.columns
                    if not column.generated
                ],
                "references": [
                    {"columns": list(ref.columns), "table": ref.table, "to": list(ref.to)} for ref in table.references
                ],
            }
        )
    return described


def _more(field: Any, name: tuple[str, str]) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if field is not None and field.help_text:
        more["meaning"] = str(field.help_text)
    if field is not None and field.flatchoices:
        more["values"] = {str(value): str(label) for value, label in cast(list[tuple[Any, Any]], field.flatchoices)}
    if name in BLANKED:
        more["left_empty"] = BLANKED[name]
    return more
