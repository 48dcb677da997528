"""Addresses of membership."""

from django.urls import path

from . import views

app_name = "membership"

urlpatterns = [
    path("arbeit/mitglieder/", views.members, name="members"),
    path("arbeit/mitglieder/<uuid:member_id>/", views.member, name="member"),
    path("arbeit/mitglieder/<uuid:member_id>/raeume/", views.switch, name="switch_rooms"),
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
