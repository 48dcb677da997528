"""Members as JSON says them."""

from datetime import datetime
from uuid import UUID

from ninja import Schema


class MemberRead(Schema):
    """A member of the alliance."""

    id: UUID
    slug: str
    name: str
    kind: str
    ags: str
    ars: str
    rooms: list[str]
    registered_at: datetime
    version: int
