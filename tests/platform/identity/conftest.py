"""Events of identity are heard at once, without the queue; the queue has tests of its own."""

from typing import Any

import pytest

from verbund.platform import events
from verbund.platform.identity import subscribers
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.events import AccessReset, EmailChanged, LinkRequested

HEARERS: dict[type[Any], Any] = {
    LinkRequested: subscribers.mail_link,
    AccessReset: subscribers.mail_access_reset,
    EmailChanged: subscribers.mail_old_address,
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The events told so far; each was also heard."""
    heard: list[Any] = []

    def publish(actor: Actor, event: Any, to_body: str | None = None) -> None:
        heard.append(event)
        HEARERS[type(event)](Actor.system(actor.body, "test"), event)

    monkeypatch.setattr(events, "publish", publish)
    return heard
