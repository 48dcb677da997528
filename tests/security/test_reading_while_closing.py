"""Between the closing of a room and the moment a process hears of it: reading goes on, in a world of its own."""

import pytest

from verbund.modules.citizenservices.models import Application, MailboxMessage, MessageKind
from verbund.modules.citizenservices.services.messages import put_into_mailbox
from verbund.platform.audit.models import AuditEntry
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock
from verbund.platform.tenancy.middleware import forget_hosts

from .test_closed_rooms import CLOSED, close
from .world import World


def test_a_message_is_opened_while_a_process_does_not_know_of_the_closing_yet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process knows of a body is up to 15 seconds old: the mark that it was read is left out, reading is not."""
    town = world.towns["alpha"].ids
    application, document = town["application_id"], town["party document_id"]
    close({})
    with acting_for("alpha"):
        put_into_mailbox(
            Application.objects.get(pk=application),
            kind=MessageKind.RECEIPT,
            subject="Eingang",
            text="Ihr Antrag ist da.",
            document_id=document,
            now=the_clock(),
        )
    client = world.client("alpha", "citizen")
    assert client.get("/").status_code == 200  # the process knows the body from now on
    monkeypatch.setattr("verbund.platform.tenancy.bodies.forget_hosts", lambda: None)
    close(CLOSED)
    answer = client.get(f"/stand/{application}/dokument/{document}/")
    forget_hosts()
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with acting_for("alpha"):
        assert MailboxMessage.objects.get(document_id=document).read_at is None
        assert not AuditEntry.objects.filter(action="citizenservices.message.opened").exists()
