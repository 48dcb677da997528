"""Notices by e-mail. The transport is Django's, chosen by EMAIL_BACKEND; in tests it is the in-memory one."""

from django.core.mail import EmailMessage


def send_notice(*, to: str, subject: str, text: str, reply_to: str = "") -> None:
    """Send one plain text notice. Raises OSError (smtplib's included) if it cannot be handed over: the job is tried
    again.
    """
    message = EmailMessage(
        subject=" ".join(subject.split()),
        body=text,
        to=[to],
        reply_to=[reply_to] if reply_to else None,
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.send()
