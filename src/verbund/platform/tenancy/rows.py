"""Writing rows of several tables (Zeilen mehrerer Tabellen) in one statement.

A named place for raw SQL, and why: a submission writes some fifteen rows into seven tables. With one `bulk_create` for
each table that was as many round trips, and more work in Python than everything else it does. The rows go as JSON; the
table's own row type says how PostgreSQL reads them.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db.models import Model

from .context import connection


def write(*new: Sequence[Model], gone: Sequence[Model] = ()) -> None:
    """Insert model instances, each group of one model, and delete those that are `gone`: all or nothing of it.

    As `bulk_create`: every column is written as it stands on the instance, ids included, and no signal is sent. Values
    are what JSON, dates and UUIDs can say. The groups may refer to each other. A model may name columns that the
    database works out:

        written_as: ClassVar = {"vector": "to_tsvector('german', {value} ->> 'text')"}

    then the instance holds a JSON value there, and the expression makes the column of it. Deleted are the rows alone:
    what refers to them must be gone, too, by the end of the transaction.

    Raises:
        django.db.IntegrityError, django.db.DataError: as any statement.
    """
    groups = [group for group in new if group]
    leaving: dict[type[Model], list[Any]] = {}
    for row in gone:
        leaving.setdefault(type(row), []).append(row.pk)
    if not groups and not leaving:
        return
    statement = _statement(tuple(type(group[0]) for group in groups), tuple(leaving))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*map(_rows, groups), *leaving.values()])


@cache
def _statement(new: tuple[type[Model], ...], gone: tuple[type[Model], ...]) -> str:
    *first, last = [*map(_insert, new), *map(_delete, gone)]
    parts = ", ".join(f"w{number} AS ({statement})" for number, statement in enumerate(first))
    return f"WITH {parts} {last}" if parts else last


def _delete(kind: type[Model]) -> str:
    return f'DELETE FROM "{kind._meta.db_table}" WHERE "{kind._meta.pk.column}" = ANY(%s)'  # noqa: S608


def _insert(kind: type[Model]) -> str:
    """The insert of one table; names and expressions are the model's own, values a parameter."""
    table, computed = f'"{kind._meta.db_table}"', _computed(kind)
    columns = [str(field.column) for field in kind._meta.concrete_fields]
    names = ", ".join(f'"{column}"' for column in columns)
    if not computed:
        return f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"  # noqa: S608
    values = ", ".join(
        computed[column].format(value=f"(j -> '+{column}')") if column in computed else f'r."{column}"'
        for column in columns
    )
    return (
        f"INSERT INTO {table} ({names}) SELECT {values}"  # noqa: S608
        f" FROM jsonb_array_elements(%s::jsonb) AS j, jsonb_populate_record(NULL::{table}, j) AS r"
    )


def _computed(kind: type[Model]) -> Mapping[str, str]:
    return getattr(kind, "written_as", {})


def _rows(group: Sequence[Model]) -> str:
    return _ENCODER.encode([_row(row) for row in group])


def _row(row: Model) -> dict[str, Any]:
    return {name: getattr(row, attribute) for name, attribute in _names(type(row))}


@cache
def _names(kind: type[Model]) -> tuple[tuple[str, str], ...]:
    """Key in the row's JSON, and attribute of the instance."""
    computed = _computed(kind)
    return tuple(
        (f"+{field.column}" if field.column in computed else str(field.column), field.attname)
        for field in kind._meta.concrete_fields
    )


def _plain(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):  # a datetime as well; with its microseconds, which Django's encoder leaves out
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


_ENCODER: Final = json.JSONEncoder(default=_plain, ensure_ascii=False, separators=(",", ":"))
