"""What stands in requests and answers: texts, days, money, pages of lists."""

from datetime import date
from typing import Annotated, Generic, TypeVar

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

T = TypeVar("T")

ShortText = Annotated[str, StringConstraints(max_length=100)]
Line = Annotated[str, StringConstraints(max_length=300)]
LongText = Annotated[str, StringConstraints(max_length=10_000)]
Cents = Annotated[int, Field(ge=-(10**13), le=10**13, description="Amount in cents")]
Day = Annotated[date, Field(description="Legal day (Europe/Berlin)")]
Limit = Annotated[int, Field(ge=1, le=200, description="Rows of one page")]
After = Annotated[
    str | None, Field(max_length=300, description="Key of the next page: `next` of the page before, as it was given")
]


class Sent(Schema):
    """A request's content: a name that nobody knows is an error, not a silent loss."""

    model_config = ConfigDict(extra="forbid")


class Paged(Schema):
    """What every long list is asked for."""

    after: After = None
    limit: Limit = 50


class Listed(Schema, Generic[T]):
    """One page of a list; `next` is the key of the following page, null on the last."""

    items: list[T]
    next: str | None = None
