"""Kept queries (aufgehobene Abfragen): written with the models, compiled once in a process, asked many times.

    _OPEN_DRAFT = KeptQuery(lambda: Draft.objects.select_related("service").filter(pk=given("draft")))

    draft = _OPEN_DRAFT.first(draft=draft_id)

Django builds and compiles a query anew whenever it is asked, which costs ten times what sending it does. Where a
service asks the same thing for every citizen, only the values differ.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, F, Func, Model, QuerySet, Value
from django.db.models import query as _query

from .context import connection
from .prepared import prepared_statements

_Row = TypeVar("_Row", bound=Model)
_POPULATORS: Any = _query.get_related_populators


@dataclass(frozen=True, slots=True)
class _Given:
    """The place of a value that comes with the question."""

    name: str


def given(name: str) -> Value:
    """A value to be given by name when the query is asked; compared as it is, so it must have the column's type."""
    return Value(_Given(name))


class Among(Func):
    """The condition `column = ANY(values)`: the rows whose column is in a list that comes with the question."""

    output_field = BooleanField()
    conditional = True
    template = "%(expressions)s)"
    arg_joiner = " = ANY("

    def __init__(self, column: str, values: str, **extra: Any) -> None:
        super().__init__(F(column), given(values), **extra)


class KeptRows:
    """A query for values (`values_list`) that is compiled once; planned anew each time, so that it may be a list.

    Values that are not `given` are part of it: keep one for each actor and filter (`lru_cache`), with a limit. With
    `one_plan` PostgreSQL plans it once, too: where one index gives the order and the values decide nothing, planning
    takes longer than reading.
    """

    def __init__(self, rows: "QuerySet[Any, tuple[Any, ...]]", *, one_plan: bool = False) -> None:
        self._planned: Callable[[], AbstractContextManager[None]] = prepared_statements if one_plan else nullcontext
        compiler: Any = rows.query.get_compiler(connection=connection)
        self._sql, self._wanted = _compile(compiler)
        self._explained = " ".join(("EXPLAIN (FORMAT JSON)", self._sql))
        columns = [column[0] for column in compiler.select] if self._sql else []
        self._conversions = [(at, *found) for at, found in compiler.get_converters(columns).items()]

    def all(self, **values: Any) -> list[tuple[Any, ...]]:
        """The rows for these values.

        Raises:
            KeyError: a value is missing.
        """
        if not self._sql:
            return []
        with self._planned(), connection.cursor() as cursor:
            cursor.execute(self._sql, _filled(self._wanted, values))
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return [_converted(row, self._conversions) for row in found] if self._conversions else found

    def expected(self, **values: Any) -> float:
        """How many rows PostgreSQL expects for these values; nothing is read."""
        if not self._sql:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(self._explained, _filled(self._wanted, values))
            ((plan,),) = cursor.fetchall()
        return float((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])


def _compile(compiler: Any) -> tuple[str, tuple[Any, ...]]:
    """Statement and values; "" where no row can fit, whatever is in the table."""
    try:
        sql, wanted = compiler.as_sql()
    except EmptyResultSet:
        return "", ()
    return sql, tuple(wanted)


def _filled(wanted: Sequence[Any], values: Mapping[str, Any]) -> list[Any]:
    return [values[place.name] if isinstance(place, _Given) else place for place in wanted]


def _converted(row: tuple[Any, ...], conversions: Sequence[tuple[int, Any, Any]]) -> tuple[Any, ...]:
    values = list(row)
    for at, converters, expression in conversions:
        for convert in converters:
            values[at] = convert(values[at], expression, connection)
    return tuple(values)


class KeptQuery(Generic[_Row]):
    """A query for whole rows of a model (with `select_related`, locks and order if wanted), compiled at its first use.

    Only values change from one asking to the next: what depends on who asks (`policies.visible_*`) is no kept query.
    PostgreSQL keeps its plan, too (`prepared_statements`): look-ups by key, no lists and no searches.
    """

    def __init__(self, make: Callable[[], "QuerySet[_Row]"]) -> None:
        self._make = make

    def all(self, **values: Any) -> list[_Row]:
        """The rows for these values.

        Raises:
            KeyError: a value is missing.
        """
        if self._compiled is None:
            return []
        sql, wanted, build = self._compiled
        with prepared_statements(), connection.cursor() as cursor:
            cursor.execute(sql, _filled(wanted, values))
            return [build(row) for row in cursor.fetchall()]

    def first(self, **values: Any) -> _Row | None:
        """The first row, or None; as `all`."""
        return next(iter(self.all(**values)), None)

    @cached_property
    def _compiled(self) -> tuple[str, tuple[Any, ...], Callable[[tuple[Any, ...]], _Row]] | None:
        compiler: Any = self._make().query.get_compiler(connection=connection)
        sql, wanted = _compile(compiler)
        if not sql:
            return None
        shape, columns = compiler.klass_info, compiler.select
        kind: type[_Row] = shape["model"]
        begin, end = shape["select_fields"][0], shape["select_fields"][-1] + 1
        names = [column[0].target.attname for column in columns[begin:end]]
        related: list[Any] = _POPULATORS(shape, columns, connection.alias)
        annotated = list((compiler.annotation_col_map or {}).items())
        conversions = [(at, *found) for at, found in compiler.get_converters([c[0] for c in columns]).items()]

        def build(row: tuple[Any, ...]) -> _Row:
            values = _converted(row, conversions)
            made = kind.from_db(connection.alias, names, values[begin:end])
            for populator in related:
                populator.populate(values, made)
            for name, at in annotated:
                setattr(made, name, values[at])
            return made

        return sql, wanted, build
