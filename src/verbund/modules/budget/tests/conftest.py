"""What the tests of the budget room share."""

from typing import Any

import pytest


@pytest.fixture
def hearing(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The events that were published, in order."""
    from verbund.platform import events

    heard: list[Any] = []
    publish = events.publish

    def listen(actor: Any, event: Any, to_body: str | None = None) -> Any:
        heard.append(event)
        return publish(actor, event, to_body)

    monkeypatch.setattr(events, "publish", listen)
    return heard
