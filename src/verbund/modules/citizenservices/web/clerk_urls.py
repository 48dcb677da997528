"""Addresses of the clerks and the service editors."""

from django.urls import path

from . import clerk, clerk_decisions, clerk_lists, clerk_services

urlpatterns = [
    path("arbeit/", clerk_lists.home, name="clerk_home"),
    path("arbeit/eingang/", clerk_lists.inbox, name="clerk_inbox"),
    path("arbeit/vorgaenge/", clerk_lists.mine, name="clerk_cases"),
    path("arbeit/vorgaenge/<uuid:application_id>/", clerk.case, name="clerk_case"),
    path("arbeit/vorgaenge/<uuid:application_id>/uebernehmen/", clerk.take_over, name="clerk_take_over"),
    path("arbeit/vorgaenge/<uuid:application_id>/zurueckgeben/", clerk.hand_back, name="clerk_hand_back"),
    path("arbeit/vorgaenge/<uuid:application_id>/rueckfrage/", clerk.ask, name="clerk_ask"),
    path("arbeit/vorgaenge/<uuid:application_id>/zuruecknahme/", clerk.withdraw, name="clerk_withdraw"),
    path("arbeit/vorgaenge/<uuid:application_id>/entscheiden/", clerk_decisions.decide, name="clerk_decide"),
    path("arbeit/vorgaenge/<uuid:application_id>/bescheid/", clerk_decisions.check, name="clerk_check"),
    path(
        "arbeit/vorgaenge/<uuid:application_id>/bescheid.pdf",
        clerk_decisions.letter_preview,
        name="clerk_letter_preview",
    ),
    path("arbeit/vorgaenge/<uuid:application_id>/versenden/", clerk_decisions.sign, name="clerk_sign"),
    path("arbeit/verwaltung/leistungen/", clerk_services.index, name="clerk_services"),
    path("arbeit/verwaltung/leistungen/neu/", clerk_services.create, name="clerk_service_new"),
    path(
        "arbeit/verwaltung/leistungen/vorlage/<slug:key>/", clerk_services.offer_template, name="clerk_offer_template"
    ),
    path("arbeit/verwaltung/leistungen/<uuid:service_id>/", clerk_services.edit, name="clerk_service"),
    path(
        "arbeit/verwaltung/leistungen/<uuid:service_id>/vorschau/", clerk_services.preview, name="clerk_service_preview"
    ),
    path(
        "arbeit/verwaltung/leistungen/<uuid:service_id>/veroeffentlichen/",
        clerk_services.publish,
        name="clerk_service_publish",
    ),
    path(
        "arbeit/verwaltung/leistungen/<uuid:service_id>/zurueckziehen/",
        clerk_services.withdraw,
        name="clerk_service_withdraw",
    ),
    path("arbeit/verwaltung/formulare/neu/", clerk_services.import_form, name="clerk_form_import"),
    path("arbeit/verwaltung/formulare/<uuid:form_version_id>/", clerk_services.show_form, name="clerk_form"),
    path("arbeit/verwaltung/codelisten/neu/", clerk_services.import_code_list, name="clerk_code_list_import"),
]
