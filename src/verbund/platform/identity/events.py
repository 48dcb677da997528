"""What identity tells: ids and values only, never a secret, for the queue can be read by operators."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LinkRequested:
    """Somebody is to get a one-time link by e-mail; `kind` is a `Token.Kind` or "citizen_known",
    `language` "de" or "en".
    """

    kind: str
    subject: UUID
    language: str


@dataclass(frozen=True, slots=True)
class EmailChanged:
    """A person's e-mail address was changed; the old one, sealed, is told."""

    person_id: UUID
    sealed_address: str
    language: str


@dataclass(frozen=True, slots=True)
class AccessReset:
    """The administration has taken a person's second factors away; the person is told."""

    person_id: UUID
    language: str
