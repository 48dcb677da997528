"""Writing rows of several tables (Zeilen mehrerer Tabellen) in one statement.

    with whole_transaction(), rows.at_once():  # several services, each with its `rows.write` and `rows.call`

A named place for raw SQL, and why: a submission writes some fifteen rows into seven tables. With one `bulk_create` for
each table that was as many round trips, and more work in Python than everything else it does. The rows go as JSON; the
table's own row type says how PostgreSQL reads them.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import AutoField, JSONField, Model
from django.db.models.base import ModelState
from psycopg import sql
from psycopg.types.json import Jsonb

from .context import connection

_Row = TypeVar("_Row", bound=Model)


@dataclass(slots=True)
class _Waiting:
    """What is to be written by one statement."""

    new: dict[type[Model], list[Model]] = field(default_factory=dict)
    gone: dict[type[Model], list[Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)  # of the calls

    def send(self) -> None:
        if not (self.new or self.gone or self.calls):
            return
        statement = _statement(tuple(self.new), tuple(self.gone), tuple(self.calls))
        with connection.cursor() as cursor:
            cursor.execute(statement, [*map(_rows, self.new.values()), *self.gone.values(), *self.parameters])


_waiting: Final[ContextVar[_Waiting | None]] = ContextVar("waiting_rows", default=None)


@contextmanager
def at_once() -> Iterator[None]:
    """Within, what `write` and `call` are given waits until the end and goes in one statement.

    For a service that calls others which write, too; until then nobody finds the rows, neither do those services.
    """
    waiting = _Waiting()
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    waiting.send()


def call(function: str, parameters: Sequence[Any]) -> None:
    """Call a function of the database that writes; `function` as it stands in a statement, its answer is not read.

    Raises:
        django.db.Error: as any statement.
    """
    waiting = _waiting.get()
    here = _Waiting() if waiting is None else waiting
    here.calls.append(function)
    here.parameters += parameters
    if waiting is None:
        here.send()


def new(kind: type[_Row], /, **values: Any) -> _Row:
    """An instance to be written, by the attributes of its columns (`case_id`); what is not named has its default.

    A tenth of what the model's constructor takes, which looks at every field's descriptor and sends signals.

    Raises:
        TypeError: no column has this name.
    """
    columns, constants, makers = _defaults(kind)
    if not values.keys() <= columns:
        raise TypeError(f"{kind.__name__} has no column {', '.join(sorted(values.keys() - columns))}")
    made = kind.__new__(kind)
    made._state = ModelState()
    made.__dict__.update(constants)
    for name, make in makers:
        if name not in values:
            made.__dict__[name] = make()
    made.__dict__.update(values)
    return made


@cache
def _defaults(kind: type[Model]) -> tuple[frozenset[str], dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """The names of all columns, the defaults that are always the same, and those that are made anew for each row."""
    fields = kind._meta.concrete_fields
    made = [each for each in fields if each.has_default() and callable(each.default)]
    return (
        frozenset(each.attname for each in fields),
        {each.attname: each.get_default() for each in fields if each not in made},
        [(each.attname, each.get_default) for each in made],
    )


def write(*new: Sequence[Model], gone: Sequence[Model] = ()) -> None:
    """Insert model instances, each group of one model, and delete those that are `gone`: all or nothing of it.

    As `bulk_create`: every column is written as it stands on the instance, ids included unless the database counts them
    on, and no signal is sent. Values are what JSON, dates, decimals and UUIDs can say. The groups may refer to each
    other. A model may name columns that the database works out:

        written_as: ClassVar = {"vector": "to_tsvector('german', {value} ->> 'text')"}

    then the instance holds a JSON value there, and the expression makes the column of it. Deleted are the rows alone:
    what refers to them must be gone, too, by the end of the transaction.

    Raises:
        django.db.IntegrityError, django.db.DataError: as any statement.
    """
    waiting = _waiting.get()
    here = _Waiting() if waiting is None else waiting
    for group in new:
        if group:
            here.new.setdefault(type(group[0]), []).extend(group)
    for row in gone:
        here.gone.setdefault(type(row), []).append(row.pk)
    if waiting is None:
        here.send()


def copy(kind: type[Model], columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
    """Insert many rows of one model by COPY: all or nothing of them. `values` come in the order of `columns`.

    For thousands of rows, which PostgreSQL takes in a third of the time of `write`. `columns` are all of the model's
    but a number that the database counts on itself; nothing is filled in, and no signal is sent.

    Raises:
        TypeError: a column is missing, or there is none of this name. django.db.Error: as any statement.
    """
    fields = {str(field.column): field for field in _written(kind)}
    if fields.keys() != set(columns):
        raise TypeError(f"{kind.__name__}: {', '.join(sorted(fields.keys() ^ set(columns)))}")
    documents = [at for at, column in enumerate(columns) if isinstance(fields[column], JSONField)]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(kind._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as sending:
        for row in values:
            sent = list(row)
            for at in documents:
                sent[at] = None if sent[at] is None else Jsonb(sent[at])
            sending.write_row(sent)


@cache
def _statement(new: tuple[type[Model], ...], gone: tuple[type[Model], ...], calls: tuple[str, ...]) -> str:
    *first, last = [*map(_insert, new), *map(_delete, gone), *([f"SELECT {', '.join(calls)}"] if calls else [])]
    parts = ", ".join(f"w{number} AS ({statement})" for number, statement in enumerate(first))
    return f"WITH {parts} {last}" if parts else last


def _delete(kind: type[Model]) -> str:
    return f'DELETE FROM "{kind._meta.db_table}" WHERE "{kind._meta.pk.column}" = ANY(%s)'  # noqa: S608


def _insert(kind: type[Model]) -> str:
    """The insert of one table; names and expressions are the model's own, values a parameter."""
    table, computed = f'"{kind._meta.db_table}"', _computed(kind)
    columns = [str(field.column) for field in _written(kind)]
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


def _written(kind: type[Model]) -> list[Any]:
    """The columns but for a number that the database counts on itself."""
    return [field for field in kind._meta.concrete_fields if not isinstance(field, AutoField)]


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
        for field in _written(kind)
    )


def _plain(value: Any) -> str:
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, date):  # a datetime as well; with its microseconds, which Django's encoder leaves out
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


_ENCODER: Final = json.JSONEncoder(default=_plain, ensure_ascii=False, separators=(",", ":"))
