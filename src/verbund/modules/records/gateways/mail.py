"""Notices by e-mail. They never carry the letter itself."""

from dataclasses import dataclass
from typing import Final, Protocol

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Notice:
    """Notice (Benachrichtigung): that something lies in the mailbox. `message_id` is kept as part of the proof."""

    to: str
    subject: str
    text: str
    message_id: str


class Mailer(Protocol):
    """Whoever sends notices."""

    def send(self, notice: Notice) -> None:
        """Send it; raises what the mail server refuses."""
        ...


class DjangoMailer:
    """Sends through Django's mail settings (EMAIL_BACKEND and the rest)."""

    def send(self, notice: Notice) -> None:
        EmailMessage(
            subject=notice.subject, body=notice.text, to=[notice.to], headers={"Message-ID": notice.message_id}
        ).send()


class FakeMailer:
    """For tests: keeps what it was to send."""

    sent: Final[list[Notice]] = []

    def send(self, notice: Notice) -> None:
        self.sent.append(notice)


def mailer() -> Mailer:
    """The mailer named by the setting VERBUND_RECORDS_MAILER (default: `DjangoMailer`)."""
    name = getattr(settings, "VERBUND_RECORDS_MAILER", "verbund.modules.records.gateways.mail.DjangoMailer")
    made: Mailer = import_string(name)()
    return made
