"""Addresses of the face itself."""

from django.urls import path

from verbund.platform.ui import views

app_name = "ui"

urlpatterns = [
    path("farben.css", views.colours, name="colours"),
    path("willkommen/", views.landing, name="landing"),
    path("sprache/", views.language, name="language"),
    path("impressum/", views.imprint, name="imprint"),
    path("datenschutz/", views.privacy, name="privacy"),
    path("barrierefreiheit/", views.accessibility, name="accessibility"),
]
