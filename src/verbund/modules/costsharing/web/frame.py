"""What every page of cost sharing shows around its content, and one way to show a form."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.platform.identity.actor import Actor
from verbund.platform.identity.routes import BodyRequest, may_open, view_named
from verbund.platform.tenancy import Conflict, Invalid
from verbund.platform.ui import notices

TONES = {
    "proposed": "info",
    "checked": "info",
    "released": "warning",
    "issued": "success",
    "discarded": "neutral",
    "draft": "info",
    "resolved": "success",
    "error": "danger",
    "warning": "warning",
    "note": "neutral",
}


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool


def tabs(actor: Actor, current: str) -> list[Tab]:
    """The pages of the room that the actor may open."""
    names = {
        "overview": _("Overview"),
        "plans": _("Business plan"),
        "measures": _("Quantities"),
        "items": _("Single costs"),
        "prices": _("Prices and keys"),
        "runs": _("Charge runs"),
        "invoices": _("Invoices"),
        "scenarios": _("What-if"),
    }
    return [
        Tab(label, reverse(address), name == current)
        for name, label in names.items()
        if may_open(actor, view_named(address := f"costsharing:{name}"))
    ]


def page(request: BodyRequest, template: str, current: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page of the room."""
    around = {"tabs": tabs(request.actor, current), "tones": TONES}
    return render(request, f"costsharing/{template}.html", {**around, **context}, status=status)


def entry(
    request: BodyRequest,
    form: forms.Form,
    act: Callable[[dict[str, Any]], object],
    *,
    current: str,
    title: str,
    action: str,
    back: str,
    done: str,
    text: str = "",
) -> HttpResponse:
    """A page with one form: what the service refuses goes to its fields, success leads `back`."""
    if request.method == "POST" and form.is_valid():
        try:
            act({name: value for name, value in form.cleaned_data.items() if name != "once"})
        except Invalid as refusal:
            for field, message in refusal.errors.items():
                for line in str(message).split("\n"):
                    form.add_error(field if field in form.fields else None, line)
        except Conflict as refusal:
            form.add_error(None, str(refusal.message))
        else:
            notices.done(request, done)
            return redirect(back)
    status = 422 if form.is_bound else 200
    return page(request, "form", current, status, form=form, title=title, action=action, back=back, text=text)


def cents(euros: Decimal | None) -> int:
    """Euros of a form as whole cents."""
    return int((euros or Decimal(0)) * 100)


def uuid_or_none(text: str) -> UUID | None:
    """The UUID in a query string; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
