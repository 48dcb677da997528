"""`verbund check` tells an installation as it should be from one that should not run."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def check(cluster: Any, template_database: str, tmp_path: Path) -> Iterator[Check]:
    name = f"verbund_test_run_{os.getpid()}_check"
    cluster.copy(template_database, name)

    def run(user: str = "verbund_app", **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "verbund.commands.cli", "check"],
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("VERBUND_")},
                "DATABASE_URL": cluster.url(name, user),
                "VERBUND_SECRET_KEY": "k" * 60,
                "VERBUND_VAR": str(tmp_path),
                "LANGUAGE": "en",
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                **more,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    cluster.drop(name)


def test_the_documented_roles_pass_and_localhost_does_not(check: Check) -> None:
    done = check(VERBUND_BEHIND_PROXY="1")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "ok login role verbund_app" in lines, done.stdout + done.stderr
    assert "ok tables of this release" in lines
    assert "ok HTTPS is enforced" in lines
    assert "ok second factor for staff is required" in lines
    assert [line for line in lines if line.startswith("FAIL")] == [
        "FAIL Landkreis Betaland can be reached on this machine only: beta.localhost",
        "FAIL Stadt Alphausen can be reached on this machine only: alpha.localhost",
        "FAIL Testverbund AöR can be reached on this machine only: verbund.localhost",
    ]
    assert done.returncode == 1


def test_a_superuser_and_the_owner_are_refused_as_login_role(check: Check) -> None:
    assert "FAIL  login role postgres: is a superuser" in check("postgres").stdout
    owner = check("verbund_owner").stdout
    assert "FAIL  login role verbund_owner: may make roles or databases" in owner
    assert "owns tables" in owner


def test_what_weakens_an_installation_is_named(check: Check) -> None:
    done = check(VERBUND_HTTPS="0", VERBUND_REQUIRE_SECOND_FACTOR="0", VERBUND_SECRET_KEY="short")
    for line in (
        "FAIL  HTTPS is not enforced (VERBUND_HTTPS)",
        "FAIL  second factor for staff is not required",
        "FAIL  the secret key is shorter than 50 characters",
    ):
        assert line in done.stdout


def test_what_leaves_the_machine_unencrypted_is_named(check: Check) -> None:
    done = check(
        VERBUND_EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        VERBUND_SMTP_HOST="192.0.2.1",
        VERBUND_SMTP_TLS="0",
        VERBUND_CLAMD="192.0.2.1:3310",
    )
    for line in (
        "FAIL  mail leaves this machine unencrypted: VERBUND_SMTP_TLS=1",
        "FAIL  uploads go to the virus scanner unencrypted: use its socket, or a tunnel to this machine",
    ):
        assert line in done.stdout
