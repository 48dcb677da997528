"""Identifiers: UUIDs of version 7, so that keys of one table grow with time and indexes stay compact."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7."""
    return uuid7()
