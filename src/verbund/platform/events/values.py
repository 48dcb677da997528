"""Events as values: to JSON and back by the types of the dataclass's fields."""

import dataclasses
import types
import typing
from collections.abc import Hashable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, cast
from uuid import UUID


def to_values(event: Any) -> dict[str, Any]:
    """The fields of an event as JSON values."""
    return {f.name: _plain(getattr(event, f.name)) for f in dataclasses.fields(event)}


def from_values(kind: type[Any], values: Mapping[str, Any]) -> Any:
    """The event of type `kind` from JSON values; fields that a newer release added take their default."""
    hints: dict[str, Any] = _hints(cast(Hashable, kind))
    return kind(**{name: _typed(hints[name], value) for name, value in values.items() if name in hints})


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_values(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, tuple | list | frozenset):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _typed(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if value is None:
        return None
    if origin is typing.Union or origin is types.UnionType:
        return _typed(next(a for a in arguments if a is not type(None)), value)
    if origin in (tuple, list, frozenset):
        return origin(_typed(arguments[0], v) for v in value)
    if isinstance(hint, type):
        if dataclasses.is_dataclass(hint):
            return from_values(hint, value)
        if issubclass(hint, Enum | UUID | Decimal):
            return hint(value)
        if issubclass(hint, datetime | date):
            return hint.fromisoformat(value)
    return value
