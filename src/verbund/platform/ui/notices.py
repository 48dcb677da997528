"""Messages after an action, with a way back where there is one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise

from verbund.platform.ui.templatetags.ui import UNDO


def done(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Tell that something was done; ``undo`` is the path that a POST takes it back at (shown for ten seconds)."""
    messages.success(request, text, extra_tags=f"{UNDO}{undo}" if undo else "")


def refused(request: HttpRequest, text: str | Promise) -> None:
    """Tell that something was not done, and what to do instead."""
    messages.error(request, str(text))
