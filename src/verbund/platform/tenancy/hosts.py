"""Hosts (Rechnernamen): under which names bodies are reached, asked by those who plan a new one."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from .models import Body, Host


def taken_hosts(hosts: Iterable[str]) -> list[str]:
    """Those of the host names under which a body is reached already."""
    return sorted(Host.objects.filter(domain__in=list(hosts)).values_list("domain", flat=True))


def taken_names(schema_name: str, slug: str) -> bool:
    """Whether a body has the schema or the short name already."""
    return bool(Body.objects.filter(Q(schema_name=schema_name) | Q(slug=slug)).exists())


def main_host(body_id: UUID) -> str:
    """The host name under which a body is reached first; empty when there is none."""
    host = Host.objects.filter(tenant_id=body_id).order_by("-is_primary", "domain").first()
    return str(host.domain) if host else ""
