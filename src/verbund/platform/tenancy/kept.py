"""Kept queries (aufgehobene Abfragen): written with the models, compiled once in a process, asked many times.

    _OPEN_DRAFT = KeptQuery(lambda: Draft.objects.select_related("service").filter(pk=given("draft")))

    draft = _OPEN_DRAFT.first(draft=draft_id)

Django builds and compiles a query anew whenever it is asked, which costs ten times what sending it does. Where a
service asks the same thing for every citizen, only the values differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet, Value
from django.db.models import query as _query

from .context import connection

_Row = TypeVar("_Row", bound=Model)
_POPULATORS: Any = _query.get_related_populators


@dataclass(frozen=True, slots=True)
class _Given:
    """The place of a value that comes with the question."""

    name: str


def given(name: str) -> Value:
    """A value to be given by name when the query is asked; compared as it is, so it must have the column's type."""
    return Value(_Given(name))


class KeptQuery(Generic[_Row]):
    """A query for whole rows of a model (with `select_related`, locks and order if wanted), compiled at its first use.

    Only values change from one asking to the next: what depends on who asks (`policies.visible_*`) is no kept query.
    """

    def __init__(self, make: Callable[[], "QuerySet[_Row]"]) -> None:
        self._make = make

    def all(self, **values: Any) -> list[_Row]:
        """The rows for these values.

        Raises:
            KeyError: a value is missing.
        """
        sql, wanted, build = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[p.name] if isinstance(p, _Given) else p for p in wanted])
            return [build(row) for row in cursor.fetchall()]

    def first(self, **values: Any) -> _Row | None:
        """The first row, or None; as `all`."""
        return next(iter(self.all(**values)), None)

    @cached_property
    def _compiled(self) -> tuple[str, tuple[Any, ...], Callable[[tuple[Any, ...]], _Row]]:
        compiler: Any = self._make().query.get_compiler(connection=connection)
        sql, wanted = compiler.as_sql()
        shape, columns = compiler.klass_info, compiler.select
        kind: type[_Row] = shape["model"]
        begin, end = shape["select_fields"][0], shape["select_fields"][-1] + 1
        names = [column[0].target.attname for column in columns[begin:end]]
        related: list[Any] = _POPULATORS(shape, columns, connection.alias)
        annotated = list((compiler.annotation_col_map or {}).items())
        conversions = [(at, *found) for at, found in compiler.get_converters([c[0] for c in columns]).items()]

        def build(row: tuple[Any, ...]) -> _Row:
            values = list(row)
            for at, converters, expression in conversions:
                for convert in converters:
                    values[at] = convert(values[at], expression, connection)
            made = kind.from_db(connection.alias, names, values[begin:end])
            for populator in related:
                populator.populate(values, made)
            for name, at in annotated:
                setattr(made, name, values[at])
            return made

        return sql, tuple(wanted), build
