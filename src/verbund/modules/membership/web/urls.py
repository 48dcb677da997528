"""Addresses of membership."""

from django.urls import path

from . import views

app_name = "membership"

urlpatterns = [
    path("arbeit/mitglieder/", views.members, name="members"),
    path("arbeit/mitglieder/neu/", views.register, name="register"),
    path("arbeit/mitglieder/<uuid:member_id>/", views.member, name="member"),
    path("arbeit/mitglieder/<uuid:member_id>/eintragen/<slug:entry>/", views.enter, name="enter"),
    path("arbeit/mitglieder/<uuid:member_id>/beenden/<slug:entry>/<uuid:entry_id>/", views.end, name="end"),
    path("arbeit/mitglieder/<uuid:member_id>/raeume/", views.switch, name="switch_rooms"),
    path("arbeit/katalog/", views.catalogue, name="catalogue"),
    path("arbeit/katalog/neu/", views.define_service, name="define_service"),
    path("arbeit/katalog/<str:code>/", views.service, name="service"),
    path("arbeit/katalog/<str:code>/fassung/", views.change_service, name="change_service"),
    path("arbeit/katalog/<str:code>/beenden/", views.end_service, name="end_service"),
    path("arbeit/vereinbarungen/", views.agreements, name="agreements"),
    path("arbeit/vereinbarungen/uebersicht/", views.matrix, name="matrix"),
    path("arbeit/vereinbarungen/neu/", views.agree, name="agree"),
    path("arbeit/vereinbarungen/koerperschaft/<uuid:member_id>/", views.body_agreements, name="body_agreements"),
    path("arbeit/vereinbarungen/<uuid:agreement_id>/", views.agreement, name="agreement"),
    path("arbeit/vereinbarungen/<uuid:agreement_id>/aendern/", views.change_agreement, name="change_agreement"),
    path("arbeit/vereinbarungen/<uuid:agreement_id>/beenden/", views.end_agreement, name="end_agreement"),
    path("arbeit/beitritte/", views.accessions, name="accessions"),
    path("arbeit/beitritte/neu/", views.open_accession, name="open_accession"),
    path("arbeit/beitritte/<uuid:accession_id>/", views.accession, name="accession"),
    path("arbeit/beitritte/<uuid:accession_id>/<slug:action>/", views.act, name="act"),
    path("arbeit/traeger/", views.carriers, name="carriers"),
    path("arbeit/fristen/", views.deadlines, name="deadlines"),
    path("arbeit/fristen/abonnieren/", views.subscribe, name="subscribe_calendar"),
    path("arbeit/fristen/abbestellen/", views.unsubscribe, name="revoke_calendar"),
    path("arbeit/fristen/<str:token>.ics", views.calendar_feed, name="calendar_feed"),
    path("arbeit/jahr/", views.this_year, name="this_year"),
    path("arbeit/jahr/<int:year>/", views.year, name="year"),
]
