"""Pages of the service editors (Leistungsredaktion): import forms, describe services, publish them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models.form import DataType, Element, Field, Step
from verbund.modules.citizenservices.policies import Permission
from verbund.modules.citizenservices.queries.catalogue import ServiceSettings
from verbund.platform import xml
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid
from verbund.platform.tenancy.clock import now
from verbund.platform.ui import notices

from .clerk_forms import ImportForm, ServiceForm, TemplateForm, tell

TONES = {"draft": "neutral", "published": "success", "withdrawn": "warning"}


@dataclass(frozen=True, slots=True)
class ShownField:
    """One question in the preview of a form."""

    label: str
    note: str


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One page in the preview of a form."""

    title: str
    fields: list[ShownField]


@staff_page(Permission.CONFIGURE_SERVICE)
@require_safe
def index(request: BodyRequest) -> HttpResponse:
    """All services of the body, the imported forms, and the templates of the release."""
    forms = {form.id: form for form in queries.form_versions(request.actor)}
    listed = queries.services(request.actor)
    titles = {service.title for service in listed}
    context = {
        "services": [
            {"it": service, "tone": TONES[service.state], "form": forms.get(service.form_version_id)}
            for service in listed
        ],
        "forms": list(forms.values()),
        "templates": [
            {"key": key, "title": template.values["title"]}
            for key, template in queries.service_templates().items()
            if template.values["title"] not in titles
        ],
    }
    return render(request, "citizenservices/clerk/services.html", context)


@staff_page(Permission.CONFIGURE_SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def offer_template(request: BodyRequest, key: str) -> HttpResponse:
    """Take over a template of the release as a draft, with what only the body knows: unit, file plan, budget line."""
    template = queries.service_templates().get(key)
    if template is None:
        raise Http404
    form = TemplateForm(request.POST or None, template=template)
    if request.method == "POST" and form.is_valid():
        try:
            service_id = services.offer_template(
                request.actor,
                template=key,
                changes=form.changes(),
                now=now(),
                idempotency_key=form.idempotency_key(),
            )
        except Invalid as refusal:
            tell(form, refusal, {"fee_cents": "fee"})
        else:
            notices.done(request, _("The service was made as a draft. Check its texts, then publish it."))
            return _to(service_id)
    context = {
        "form": form,
        "heading": template.values["title"],
        "explanation": _(
            "Say who is responsible here, and where the fee is booked. All texts can be changed afterwards."
        ),
        "action": _("Take over"),
    }
    return render(request, "citizenservices/clerk/import.html", context, status=400 if form.errors else 200)


@staff_page(Permission.IMPORT_FORM)
@require_http_methods(["GET", "HEAD", "POST"])
def import_form(request: BodyRequest) -> HttpResponse:
    """Import an XDatenfelder 3 file; what of it has no effect is told on the page of the form."""
    accept, hint = ".xml,application/xml,text/xml", _("An XDatenfelder 3 file (xdf3.xml), at most 20 MB.")
    form = ImportForm(request.POST or None, request.FILES or None, accept=accept, help_text=hint)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            report = services.import_form(request.actor, content=upload.read(), filename=upload.name, now=now())
        except (xml.Refused, Conflict) as refusal:
            form.add_error("file", _message(refusal))
        else:
            gaps = len(report.unsupported)
            if gaps:
                notices.done(request, _("The form was imported. What of it is not carried out stands below."))
            else:
                notices.done(request, _("The form was imported completely."))
            return redirect("clerk_form", form_version_id=report.form_version_id)
    context = {
        "form": form,
        "heading": _("Import a form"),
        "explanation": _(
            "A form of the federal information management (FIM) in the format XDatenfelder 3. It is stored as it is;"
            " a changed form needs a new version."
        ),
        "action": _("Import"),
    }
    return render(request, "citizenservices/clerk/import.html", context, status=400 if form.errors else 200)


@staff_page(Permission.IMPORT_FORM)
@require_http_methods(["GET", "HEAD", "POST"])
def import_code_list(request: BodyRequest) -> HttpResponse:
    """Import a code list; forms that name it ask it as a choice from then on."""
    accept, hint = ".xml,application/xml,text/xml", _("A genericode file, at most 20 MB.")
    form = ImportForm(request.POST or None, request.FILES or None, accept=accept, help_text=hint)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            services.import_code_list(request.actor, content=upload.read(), filename=upload.name, now=now())
        except (xml.Refused, Conflict) as refusal:
            form.add_error("file", _message(refusal))
        else:
            notices.done(request, _("The code list was imported."))
            return redirect("clerk_services")
    context = {
        "form": form,
        "heading": _("Import a code list"),
        "explanation": _(
            "Forms name code lists of the XRepository. Import the lists that an import report calls missing."
        ),
        "action": _("Import"),
    }
    return render(request, "citizenservices/clerk/import.html", context, status=400 if form.errors else 200)


@staff_page(Permission.CONFIGURE_SERVICE)
@require_safe
def show_form(request: BodyRequest, form_version_id: UUID) -> HttpResponse:
    """What a form asks, and what of it is not carried out."""
    version, form = queries.form_version(request.actor, form_version_id)
    context = {"version": version, "form_title": version.title, "steps": shown_steps(form.steps)}
    return render(request, "citizenservices/clerk/form.html", context)


@staff_page(Permission.CONFIGURE_SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: BodyRequest) -> HttpResponse:
    """A new service from an imported form."""
    initial = {
        "form_version": request.GET.get("form", ""),
        "promised_days": 28,
        "payment_days": 14,
        "retention_years": 10,
    }
    return _edit(request, None, initial)


@staff_page(Permission.CONFIGURE_SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: BodyRequest, service_id: UUID) -> HttpResponse:
    """Change a service; who was slower is told."""
    service = queries.service_settings(request.actor, service_id)
    return _edit(request, service, ServiceForm.initial_of(service))


def _edit(request: BodyRequest, service: ServiceSettings | None, initial: dict[str, Any]) -> HttpResponse:
    versions = [
        (str(form.id), f"{form.title} ({form.form_id} {form.version})") for form in queries.form_versions(request.actor)
    ]
    form = ServiceForm(request.POST or None, form_versions=versions, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            service_id = services.configure_service(
                request.actor,
                configuration=form.configuration(),
                service_id=service.id if service else None,
                expected_version=_number(request.POST.get("expected_version")) if service else None,
                now=now(),
                idempotency_key=form.idempotency_key(),
            )
        except Invalid as refusal:
            tell(form, refusal, {"fee_cents": "fee", "form_version_id": "form_version"})
        else:
            notices.done(request, _("The service was saved."))
            return redirect("clerk_service", service_id=service_id)
    context = {
        "form": form,
        "sections": form.sections(),
        "service": service,
        "tone": TONES[service.state] if service else "",
        "heading": service.title if service else _("New service"),
    }
    return render(request, "citizenservices/clerk/service.html", context, status=400 if form.errors else 200)


@staff_page(Permission.CONFIGURE_SERVICE)
@require_safe
def preview(request: BodyRequest, service_id: UUID) -> HttpResponse:
    """What citizens will read and be asked."""
    service = queries.service_settings(request.actor, service_id)
    _version, form = queries.form_version(request.actor, service.form_version_id)
    context = {"service": service, "steps": shown_steps(form.steps)}
    return render(request, "citizenservices/clerk/service_preview.html", context)


@staff_page(Permission.PUBLISH_SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: BodyRequest, service_id: UUID) -> HttpResponse:
    """Ask once, then put the service on offer."""
    service = queries.service_settings(request.actor, service_id)
    if request.method == "POST":
        try:
            services.publish_service(request.actor, service_id=service_id, now=now())
        except Invalid as refusal:
            notices.refused(request, " ".join(str(text) for text in refusal.errors.values()))
        else:
            notices.done(request, _("The service is published: citizens can apply."))
        return _to(service_id)
    context = {
        "title": _("Publish “%(title)s”?") % {"title": service.title},
        "text": _("From then on everybody finds the service and can apply."),
        "action": _("Publish the service"),
        "action_url": request.path,
        "cancel_url": reverse("clerk_service", args=[service_id]),
    }
    return render(request, "ui/confirm.html", context)


@staff_page(Permission.PUBLISH_SERVICE)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: BodyRequest, service_id: UUID) -> HttpResponse:
    """Ask once, then take the service off offer."""
    service = queries.service_settings(request.actor, service_id)
    if request.method == "POST":
        services.unpublish_service(request.actor, service_id=service_id, now=now())
        notices.done(request, _("The service is withdrawn."))
        return _to(service_id)
    context = {
        "title": _("Withdraw “%(title)s”?") % {"title": service.title},
        "consequences": [
            _("Citizens no longer find the service."),
            _("Drafts that were begun can no longer be sent."),
            _("Applications already sent go on."),
        ],
        "action": _("Withdraw the service"),
        "action_url": request.path,
        "cancel_url": reverse("clerk_service", args=[service_id]),
        "danger": True,
    }
    return render(request, "ui/confirm.html", context)


def shown_steps(steps: Iterable[Step]) -> list[ShownStep]:
    """The pages of a form with their questions, for the editors."""
    return [ShownStep(step.title, [line for part in step.parts for line in _lines(part.element, "")]) for step in steps]


def _lines(element: Element, group: str) -> list[ShownField]:
    if isinstance(element, Field):
        if not element.asked:
            return []
        notes = [TYPES_IN_WORDS[element.type]()] if element.type in TYPES_IN_WORDS else []
        if element.codes:
            notes = [_("choice of %(number)s") % {"number": len(element.codes)}]
        if not element.cardinality.required:
            notes.append(_("optional"))
        if element.cardinality.repeats:
            notes.append(_("several"))
        label = f"{group}: {element.label}" if group else element.label
        return [ShownField(label, ", ".join(notes))]
    inner = [line for each in element.elements for line in _lines(each, element.label)]
    if element.cardinality.repeats:
        inner = [
            ShownField(line.label, ", ".join(filter(None, [line.note, _("group may be repeated")]))) for line in inner
        ]
    return inner


TYPES_IN_WORDS = {
    DataType.DATE: lambda: _("date"),
    DataType.TIME: lambda: _("time of day"),
    DataType.DATETIME: lambda: _("date and time"),
    DataType.BOOL: lambda: _("yes or no"),
    DataType.NUMBER: lambda: _("number"),
    DataType.INTEGER: lambda: _("whole number"),
    DataType.CURRENCY: lambda: _("amount"),
    DataType.FILE: lambda: _("file"),
    DataType.OBJECT: lambda: _("file"),
}


def _message(refusal: Exception) -> str:
    if isinstance(refusal, Invalid):
        return " ".join(str(text) for text in refusal.errors.values())
    return str(getattr(refusal, "message", refusal))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() else None


def _to(service_id: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("clerk_service", args=[service_id]))
