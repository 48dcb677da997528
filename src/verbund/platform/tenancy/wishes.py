"""Wishes for new bodies (gewünschte Mandanten): the web and the worker own nothing and can make none; they wake whoever
can.

`verbund body prepare --watch` listens as the owner of the tables, asks the alliance what is wished for, and makes it.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q

from .models import Body, Host

CHANNEL: Final = "verbund_bodies"


def ask_for_bodies() -> None:
    """Wake the process that makes bodies, when this transaction commits; it carries nothing but the wish to be
    looked at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def body_exists(schema_name: str, host: str) -> bool:
    """Whether there is a whole body with this schema, reached under this host."""
    return bool(Host.objects.filter(domain=host, tenant__schema_name=schema_name).exists())


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
