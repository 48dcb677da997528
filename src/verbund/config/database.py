"""The database settings out of the environment: an address per role, nothing guessed."""

import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

OWNER_MODE = "VERBUND_AS_OWNER"


def database(environ: "os._Environ[str] | dict[str, str]") -> dict[str, Any]:
    """The `default` entry of DATABASES.

    `DATABASE_URL` is the address for web and worker (role verbund_app), `VERBUND_OWNER_DATABASE_URL` the one for
    migrations; a process that sets VERBUND_AS_OWNER uses the second. Without an address the settings can be read
    (checks, messages) but nothing connects.
    """
    as_owner = bool(environ.get(OWNER_MODE))
    url = environ.get("VERBUND_OWNER_DATABASE_URL" if as_owner else "DATABASE_URL", "")
    parts = urlsplit(url)
    query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
    options: dict[str, Any] = {"server_side_binding": True, "connect_timeout": 10}
    for key in ("sslmode", "sslrootcert", "application_name"):
        if key in query:
            options[key] = query[key]
    if not as_owner:
        from verbund.platform.tenancy.pool import clean

        options["pool"] = {
            "min_size": int(environ.get("VERBUND_POOL_MIN", "1")),
            "max_size": int(environ.get("VERBUND_POOL_MAX", "10")),
            "reset": clean,
            "timeout": 10,
            "max_lifetime": 1800,
        }
    return {
        "ENGINE": "verbund.platform.tenancy.backend",
        "NAME": unquote(parts.path.lstrip("/")) or "verbund",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or query.get("port", "")),
        "OPTIONS": options,
        "BODY_ROLES": not as_owner,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "DISABLE_SERVER_SIDE_CURSORS": False,
        "TEST": {"MIGRATE": False},
    }
