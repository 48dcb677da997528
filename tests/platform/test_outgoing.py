"""Web and worker reach the hosts of their settings, and nobody else (ASVS 5.0, 13.2.4 and 13.2.5)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from verbund.config import outgoing


def test_the_hosts_are_those_of_the_settings(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATABASES = {"default": {"HOST": "db.example.org"}}
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "Mail.Example.org"
    settings.VERBUND_CLAMD = "scanner.example.org:3310"
    settings.VERBUND_FILES_BACKEND, settings.VERBUND_S3 = "s3", {"endpoint_url": "https://s3.example.org:9000"}
    settings.VERBUND_STAFF_OIDC = {"issuer": "https://login.example.org/realms/a", "hosts": ["keys.example.org"]}
    settings.VERBUND_CITIZEN_OIDC = {
        "alpha": {"issuer": "https://id.example.org"},
        "beta": {"issuer": "https://b.example"},
    }
    monkeypatch.setenv("VERBUND_OUTGOING_HOSTS", "stamp.example.org, .intern.example")
    assert outgoing.hosts() == {
        "db.example.org",
        "mail.example.org",
        "scanner.example.org",
        "s3.example.org",
        "login.example.org",
        "keys.example.org",
        "id.example.org",
        "b.example",
        "stamp.example.org",
        ".intern.example",
    }


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("db.example.org", True),
        ("DB.Example.org.", True),
        ("a.intern.example", True),
        ("intern.example", False),
        ("evil-intern.example", False),
        ("db.example.org.evil.example", False),
        ("evil.example", False),
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("0.0.0.0", True),
        ("169.254.169.254", False),
        ("10.0.0.1", False),
        ("0x7f000001", False),
    ],
)
def test_a_host_is_named_or_not(host: str, named: bool) -> None:
    assert outgoing.is_named(host, frozenset({"db.example.org", ".intern.example"})) is named


ASK = """
import django, socket, urllib.request
django.setup()
from verbund.config import outgoing
outgoing.enforce()
import httpx
for ask in (
    lambda: httpx.get("http://evil.example.org/", trust_env=False),
    lambda: urllib.request.urlopen("http://169.254.169.254/latest/meta-data"),
    lambda: socket.create_connection(("evil.example.org", 80)),
):
    try:
        ask()
    except BaseException as error:
        found = error
        while found and not isinstance(found, outgoing.HostNotNamed):
            found = found.__cause__ or found.__context__
        print(type(found).__name__)
print(socket.getaddrinfo("localhost", 80)[0][4][1])
"""


def test_a_process_that_has_closed_the_door_opens_it_for_nobody(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={
            **os.environ,
            "VERBUND_SECRET_KEY": "x" * 60,
            "VERBUND_VAR": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["HostNotNamed"] * 3 + ["80"], done.stderr


@pytest.mark.parametrize(
    ("host", "given", "tls"),
    [
        ("mail.example.org", "", True),
        ("mail.example.org", "0", False),
        ("localhost", "", False),
        ("localhost", "1", True),
    ],
)
def test_mail_goes_encrypted_unless_the_server_is_this_machine(
    tmp_path: Path, host: str, given: str, tls: bool
) -> None:
    environment = {
        **os.environ,
        "VERBUND_SMTP_HOST": host,
        "VERBUND_SECRET_KEY": "x" * 60,
        "VERBUND_VAR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    environment.pop("VERBUND_SMTP_TLS", None)
    if given:
        environment["VERBUND_SMTP_TLS"] = given
    said = subprocess.run(
        [sys.executable, "-c", "from verbund.config import settings; print(settings.EMAIL_USE_TLS)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == str(tls)
