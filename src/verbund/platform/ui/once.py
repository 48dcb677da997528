"""Forms that are sent once (Doppelklick): a key that is made when the page is, and goes along with what is typed.

    class NoteForm(OnceForm): ...
    services.note(actor, ..., idempotency_key=form.idempotency_key())

The same form with the same content gives the same key, however often it is sent; whoever goes back and types something
else gets another. The room keeps the key under a unique constraint.
"""

import hashlib
from typing import Any
from uuid import UUID

from django import forms

from verbund.platform.tenancy import new_id


class OnceForm(forms.Form):
    """A form with a hidden key of its page."""

    once = forms.UUIDField(required=False, initial=new_id, widget=forms.HiddenInput)

    def idempotency_key(self) -> UUID | None:
        """The key of this content of this page; None when the page's key was left out, and nothing is told apart.

        Files count by name, size and content; they are read from the beginning, and left there.
        """
        page = self.cleaned_data.get("once")
        if page is None:
            return None
        digest = hashlib.sha256(page.bytes)
        for name in sorted(self.fields):
            if name != "once":
                digest.update(f"\0{name}\0".encode())
                digest.update(_content(self.cleaned_data.get(name)))
        return UUID(bytes=digest.digest()[:16])


def _content(value: Any) -> bytes:
    if not hasattr(value, "chunks"):
        return repr(value).encode()
    digest = hashlib.sha256(f"{value.name}\0{value.size}".encode())
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return digest.digest()
