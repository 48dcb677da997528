"""Is the process alive, is it ready? Answered on every host name, in one word, without a body."""

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_cache_control

from verbund.platform.identity.routes import public_page

log = structlog.get_logger("verbund.health")


@public_page("says no more than that the process answers")
def healthz(request: HttpRequest) -> HttpResponseBase:
    """The process lives."""
    return _answer("ok", 200)


@public_page("says no more than ready or not; the reason stands in the log")
def readyz(request: HttpRequest) -> HttpResponseBase:
    """Database reachable, tables of this release, files can be stored."""
    reason = not_ready()
    if reason:
        log.warning("not ready", reason=reason)
        return _answer("not ready", 503)
    return _answer("ready", 200)


def not_ready() -> str:
    """Why this process should get no requests; empty when it should."""
    connection: Any = connections["default"]
    try:
        connection.set_schema_to_public()
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM public.django_migrations")
            applied = set(cursor.fetchall())
    except DatabaseError as error:
        return f"database: {type(error).__name__}"
    finally:
        connection.close()
    missing = _migrations_of_public() - applied
    if missing:
        return f"migrations: {len(missing)} missing"
    return _files_not_writable()


@lru_cache(maxsize=1)
def _migrations_of_public() -> frozenset[tuple[str, str]]:
    """What this release expects in `public` (django-tenants enters every app's migrations there)."""
    loader = MigrationLoader(None)
    return frozenset(loader.graph.nodes)


def _files_not_writable() -> str:
    if settings.VERBUND_FILES_BACKEND != "local":
        return ""
    root = Path(settings.VERBUND_FILES_ROOT)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".ready-", dir=root)
        os.close(descriptor)
        Path(name).unlink()
    except OSError as error:
        return f"files: {error.strerror}"
    return ""


def _answer(word: str, status: int) -> HttpResponse:
    response = HttpResponse(word + "\n", status=status, content_type="text/plain; charset=utf-8")
    patch_cache_control(response, no_store=True)
    return response
