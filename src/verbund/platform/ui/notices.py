"""Messages after an action, with a way back where there is one."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest
from django.utils.functional import Promise

from verbund.platform.ui.templatetags.ui import UNDO


class NoticeCookie(CookieStorage):
    """One-time notices in a cookie that no other host can set (`__Host-`), where the house speaks HTTPS."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.cookie_name = settings.VERBUND_NOTICE_COOKIE_NAME


class NoticeStorage(FallbackStorage):
    """Notices in the cookie; those that are too long for it in the session."""

    storage_classes = (NoticeCookie, SessionStorage)


def done(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Tell that something was done; ``undo`` is the path that a POST takes it back at (shown for ten seconds)."""
    messages.success(request, text, extra_tags=f"{UNDO}{undo}" if undo else "")


def refused(request: HttpRequest, text: str | Promise) -> None:
    """Tell that something was not done, and what to do instead."""
    messages.error(request, str(text))
