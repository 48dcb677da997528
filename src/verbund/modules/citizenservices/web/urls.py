"""Addresses of the room: the portal, and the clerks' pages."""

from .clerk_urls import urlpatterns as clerk_pages
from .portal_urls import urlpatterns as portal_pages

urlpatterns = [*portal_pages, *clerk_pages]
