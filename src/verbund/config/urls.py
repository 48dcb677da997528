"""Addresses of the installation: every room's pages under the body's own host."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = []
for _pages in (
    "verbund.config.health_urls",
    "verbund.platform.ui.urls",
    "verbund.platform.identity.web.urls",
    "verbund.modules.membership.web.urls",
    "verbund.modules.records.web.urls",
    "verbund.modules.budget.web.urls",
    "verbund.modules.citizenservices.web.urls",
):
    try:
        if find_spec(_pages):
            urlpatterns.append(path("", include(_pages)))
    except ImportError:
        continue
