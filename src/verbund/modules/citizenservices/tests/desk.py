"""A clerk at work on the pages, for the tests."""

from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import UUID

from django.test import Client

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import acting_for

from . import factories

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
ClientOf = Callable[..., Client]


class Desk:
    """A clerk at work: the signed-in client, and the actor behind it."""

    def __init__(self, client: Client, actor: Actor) -> None:
        self.client, self.actor = client, actor

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.content.decode()[:2000]
        return unescape(answer.content.decode())

    def post(self, path: str, data: dict[str, Any] | None = None, status: int = 302) -> Any:
        answer = self.client.post(path, data or {})
        assert answer.status_code == status, answer.content.decode()[:3000]
        return answer


def offered(**values: Any) -> UUID:
    with acting_for("alpha"):
        return factories.offer(**values)
