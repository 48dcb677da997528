"""Addresses of the installation: every room's pages under the body's own host."""

from django.urls import URLPattern, URLResolver, include, path

from .api import API

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("verbund.config.health_urls")),
    path("api/v1/", include((API.patterns(), "api"))),
    path("", include("verbund.platform.ui.urls")),
    path("", include("verbund.platform.identity.web.urls")),
    path("", include("verbund.modules.membership.web.urls")),
    path("", include("verbund.modules.records.web.urls")),
    path("", include("verbund.modules.budget.web.urls")),
    path("", include("verbund.modules.citizenservices.web.urls")),
    path("", include("verbund.modules.costsharing.web.urls")),
]

handler500 = "verbund.platform.ui.errors.server_error"
