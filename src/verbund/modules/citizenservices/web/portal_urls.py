"""Addresses of the portal."""

from django.urls import path

from . import portal, portal_apply, portal_status

urlpatterns = [
    path("", portal.start, name="portal_start"),
    path("leistungen/<slug:slug>/", portal.service, name="portal_service"),
    path("leistungen/<slug:slug>/beginnen/", portal.begin, name="portal_begin"),
    path("antrag/fortsetzen/", portal_apply.resume, name="portal_resume"),
    path("antrag/<uuid:draft_id>/<int:number>/", portal_apply.step, name="portal_step"),
    path("antrag/<uuid:draft_id>/pruefen/", portal_apply.check, name="portal_check"),
    path("antrag/<uuid:draft_id>/spaeter/", portal_apply.later, name="portal_later"),
    path("antrag/<uuid:draft_id>/verwerfen/", portal_apply.discard, name="portal_discard"),
    path("antrag/<uuid:draft_id>/datei/<uuid:attachment_id>/", portal_apply.attachment, name="portal_attachment"),
    path("antrag/gesendet/<uuid:application_id>/", portal_apply.sent, name="portal_sent"),
    path("stand/", portal_status.enter, name="portal_enter"),
    path("stand/<uuid:application_id>/", portal_status.status, name="portal_status"),
    path("stand/<uuid:application_id>/antworten/", portal_status.answer, name="portal_answer"),
    path("stand/<uuid:application_id>/zuruecknehmen/", portal_status.withdraw, name="portal_withdraw"),
    path("stand/<uuid:application_id>/dokument/<uuid:document_id>/", portal_status.document, name="portal_document"),
    path("konto/antraege/", portal_status.own, name="portal_own"),
    path("konto/postfach/", portal_status.mailbox, name="portal_mailbox"),
]
