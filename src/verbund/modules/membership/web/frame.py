"""One way to show a form of one act, to ask once before one, and tables as files."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header

from verbund.platform.identity.routes import BodyRequest
from verbund.platform.tenancy import Conflict, Invalid
from verbund.platform.ui import notices

Cell = str | int | date | None


def tell(form: forms.Form, refusal: Conflict | Invalid) -> None:
    """Put a refusal where it belongs in the form."""
    if isinstance(refusal, Conflict):
        form.add_error(None, str(refusal.message))
        return
    for field, message in refusal.errors.items():
        form.add_error(field if field in form.fields else None, str(message))


def entry(
    request: BodyRequest,
    form: forms.Form,
    act: Callable[[Mapping[str, Any]], str | None],
    *,
    here: str,
    title: str,
    action: str,
    back: str,
    done: str,
    above: tuple[str, str] | None = None,
    text: str = "",
    consequences: Sequence[str] = (),
    danger: bool = False,
) -> HttpResponse:
    """A page with the form of one act; what the service refuses goes to its fields, success leads to what `act`
    returns, else `back`. `above` is the page it belongs to; `consequences` says in words what the act brings about."""
    if request.method == "POST" and form.is_valid():
        try:
            where = act(form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            tell(form, refusal)
        else:
            notices.done(request, done)
            return redirect(where or back)
    context = {
        "form": form,
        "here": here,
        "title": title,
        "action": action,
        "back": back,
        "above": above,
        "text": text,
        "consequences": consequences,
        "danger": danger,
    }
    return render(request, "membership/entry.html", context, status=422 if form.is_bound else 200)


def form_page(
    request: BodyRequest,
    form: forms.Form,
    act: Callable[[Mapping[str, Any]], object],
    *,
    template: str,
    back: str,
    done: str,
    context: Mapping[str, Any],
) -> HttpResponse:
    """As `entry`, on a page of its own that shows more than the form."""
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            tell(form, refusal)
        else:
            notices.done(request, done)
            return redirect(back)
    return render(
        request, f"membership/{template}.html", {"form": form, **context}, status=422 if form.is_bound else 200
    )


def ask(
    request: BodyRequest,
    act: Callable[[], object],
    *,
    title: str,
    text: str,
    action: str,
    done: str,
    back: str,
    consequences: Sequence[str] = (),
    danger: bool = False,
) -> HttpResponse:
    """Ask once, in concrete words, then do it; a refusal is told where one came from."""
    if request.method == "POST":
        try:
            act()
        except Invalid as refusal:
            for message in refusal.errors.values():
                notices.refused(request, message)
        except Conflict as refusal:
            notices.refused(request, refusal.message)
        else:
            notices.done(request, done)
        return redirect(back)
    context = {
        "base": "ui/console.html",
        "title": title,
        "text": text,
        "consequences": consequences,
        "action": action,
        "action_url": request.path,
        "cancel_url": back,
        "danger": danger,
    }
    return render(request, "ui/confirm.html", context)


def csv_file(
    filename: str, headers: Sequence[object], rows: Iterable[Sequence[str | int | date | None]]
) -> HttpResponse:
    """A table as German office programs read it; text that a spreadsheet would take for a formula is disarmed."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([str(header) for header in headers])
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
    response = HttpResponse(b"\xef\xbb\xbf" + out.getvalue().encode(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _cell(cell: Cell) -> str:
    if isinstance(cell, date):
        return cell.strftime("%d.%m.%Y")
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
