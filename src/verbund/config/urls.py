"""Addresses of the installation: every room's pages under the body's own host."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
