"""Addresses of membership."""

from django.urls import path

from . import views

app_name = "membership"

urlpatterns = [
    path("arbeit/mitglieder/", views.members, name="members"),
    path("arbeit/mitglieder/<uuid:member_id>/", views.member, name="member"),
    path("arbeit/mitglieder/<uuid:member_id>/raeume/", views.switch, name="switch_rooms"),
]
