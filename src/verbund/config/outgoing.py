"""Whom the house speaks to (ausgehende Verbindungen): the hosts that its settings name, and nobody else.

Web and worker ask no name service for any other host, whoever in them wants to: a forged address in a file, a hole in
a part. A second wall belongs on the network (docs/operations/outgoing.md).
"""

import ipaddress
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

AMAZON: Final = ".amazonaws.com"  # where S3 is, unless an endpoint is named
LOCAL: Final = frozenset({"", "localhost"})


class HostNotNamed(PermissionError):  # noqa: N818 - reads as the answer
    """Something wanted to reach a host that no setting names."""


def hosts() -> frozenset[str]:
    """The hosts of the settings; one that begins with a point stands for all below it."""
    found: list[str | None] = [settings.DATABASES["default"].get("HOST")]
    found += os.environ.get("VERBUND_OUTGOING_HOSTS", "").replace(",", " ").split()
    if "smtp" in settings.EMAIL_BACKEND:
        found.append(settings.EMAIL_HOST)
    if settings.VERBUND_CLAMD and not settings.VERBUND_CLAMD.startswith(("/", "unix:")):
        found.append(settings.VERBUND_CLAMD.rpartition(":")[0])
    if settings.VERBUND_FILES_BACKEND != "local":
        endpoint = str(settings.VERBUND_S3.get("endpoint_url", ""))
        found.append(urlsplit(endpoint).hostname if endpoint else AMAZON)
    for value in (settings.VERBUND_STAFF_OIDC, settings.VERBUND_CITIZEN_OIDC):
        found += _of_providers(value)
    return frozenset(_plain(host) for host in found if host and not host.startswith("/"))


def _of_providers(value: Mapping[str, Any]) -> Iterable[str | None]:
    """The hosts of one provider, or of one for each body."""
    for provider in [value] if "issuer" in value else value.values():
        yield urlsplit(str(provider["issuer"])).hostname
        yield from map(str, provider.get("hosts", ()))


def is_named(host: str, named: frozenset[str]) -> bool:
    """Whether a name or an address may be looked up."""
    plain = _plain(host)
    if plain in LOCAL or plain in named:
        return True
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return any(one.startswith(".") and plain.endswith(one) for one in named)
    return address.is_loopback or address.is_unspecified


def enforce() -> None:
    """From here on refuse every other host, for as long as the process lives.

    Raises (later, where it happens):
        HostNotNamed
    """
    named = hosts()

    def judge(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.getaddrinfo", "socket.gethostbyname") and arguments and arguments[0] is not None:
            host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
            if not is_named(host, named):
                raise HostNotNamed(f"{host[:200]} is named by no setting (VERBUND_OUTGOING_HOSTS)")

    sys.addaudithook(judge)


def _plain(host: str) -> str:
    return host.strip("[] ").lower().rstrip(".")
