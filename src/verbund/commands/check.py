"""`verbund check`: is this installation configured as one that holds citizens' data must be?

Each line says what was looked at. `FAIL` ends with exit code 1; `note` is something to decide knowingly.
"""

import argparse
import os
import smtplib
import socket
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from . import installation
from .texts import _

OK: Final = "ok"
NOTE: Final = "note"
FAIL: Final = "FAIL"
Answer = tuple[str, str]

OLDEST_SERVER: Final = 150000
_HERE: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_ROLE = """
SELECT current_user, r.rolsuper, r.rolcreaterole OR r.rolcreatedb, r.rolbypassrls, r.rolinherit,
       (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid),
       (SELECT count(*) FROM pg_auth_members m JOIN pg_roles b ON b.oid = m.roleid
         WHERE m.member = r.oid AND b.rolname NOT LIKE 'body\\_%'),
       current_setting('server_version_num')::int, current_setting('server_version'),
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), inet_server_addr() IS NULL
  FROM pg_roles r WHERE r.rolname = current_user
"""


def main(argv: Sequence[str]) -> int:
    """`verbund check`."""
    parser = argparse.ArgumentParser(prog="verbund check", description=_("Check this installation's configuration."))
    parser.parse_args(argv)
    installation.enter()
    failed = False
    for look in (database, owner, tables, secret_key, https, second_factor, mail, files, scanner, folders, hosts):
        for state, text in _safely(look):
            print(f"  {state:<5} {text}", flush=True)
            failed = failed or state == FAIL
    print(_("There is something to mend.") if failed else _("Nothing stands against running this installation."))
    return 1 if failed else 0


def _safely(look: Callable[[], Iterator[Answer]]) -> Iterator[Answer]:
    import psycopg

    try:
        yield from look()
    except (OSError, psycopg.Error) as error:
        yield FAIL, f"{look.__name__}: {error}"


def database() -> Iterator[Answer]:
    """The login role of web and worker: no superuser, no owner, member of the bodies' roles only."""
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5) as connection:
        row = connection.execute(_ROLE).fetchone()
    assert row is not None
    name, superuser, may_create, bypasses, inherits, owned, foreign, number, version, encrypted, local = row
    yield OK if number >= OLDEST_SERVER else FAIL, _("PostgreSQL {version} (15 or newer)").format(version=version)
    faults = [
        text
        for wrong, text in (
            (superuser, _("is a superuser")),
            (may_create, _("may make roles or databases")),
            (bypasses, _("bypasses row security")),
            (inherits, _("inherits the rights of its roles")),
            (owned, _("owns tables")),
            (foreign, _("is a member of roles that are no body's")),
        )
        if wrong
    ]
    yield (
        FAIL if faults else OK,
        _("login role {name}").format(name=name) + (": " + ", ".join(faults) if faults else ""),
    )
    if not (encrypted or local):
        yield FAIL, _("the connection to the database is not encrypted: add sslmode=verify-full to DATABASE_URL")


def owner() -> Iterator[Answer]:
    """The owner's address: needed for updates, harmful where web and worker can read it."""
    address = os.environ.get("VERBUND_OWNER_DATABASE_URL")
    if not address:
        yield OK, _("the owner's address is not known to this process")
        return
    if not installation.is_embedded():
        yield NOTE, _("VERBUND_OWNER_DATABASE_URL is set: keep it out of the environment of web and worker")
    import psycopg

    with psycopg.connect(address, connect_timeout=5) as connection:
        row = connection.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row is not None
    yield FAIL if row[1] else OK, _("owner {name}").format(name=row[0]) + (": " + _("is a superuser") if row[1] else "")


def tables() -> Iterator[Answer]:
    """Tables of this release; files can be stored."""
    from verbund.config.health import not_ready

    reason = not_ready()
    yield (
        (FAIL, _("not ready: {reason} (run `verbund migrate`)").format(reason=reason))
        if reason
        else (OK, _("tables of this release"))
    )


def secret_key() -> Iterator[Answer]:
    """Length of the key, and who can read the file."""
    if len(os.environ["VERBUND_SECRET_KEY"]) < 50:
        yield FAIL, _("the secret key is shorter than 50 characters")
    else:
        yield OK, _("secret key")
    file = installation.var() / "secret-key"
    if file.exists() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield FAIL, _("others may read {file}: chmod 600").format(file=file)


def https() -> Iterator[Answer]:
    """Encrypted to the browser."""
    from django.conf import settings

    if settings.DEMO:
        yield NOTE, _("this is a demo: never for real data")
    if settings.SECURE:
        yield OK, _("HTTPS is enforced")
        if settings.SECURE_PROXY_SSL_HEADER is None:
            yield (
                NOTE,
                _("no proxy is trusted (VERBUND_BEHIND_PROXY): right only if nothing stands before the web server"),
            )
    else:
        yield NOTE if installation.is_embedded() else FAIL, _("HTTPS is not enforced (VERBUND_HTTPS)")


def second_factor() -> Iterator[Answer]:
    """Staff sign in with two factors."""
    from django.conf import settings

    required = settings.VERBUND_REQUIRE_SECOND_FACTOR
    state = OK if required else NOTE if settings.DEMO else FAIL
    yield state, _("second factor for staff is required") if required else _("second factor for staff is not required")


def mail() -> Iterator[Answer]:
    """Mail leaves the house, or is written to a folder on purpose."""
    from django.conf import settings

    if "smtp" not in settings.EMAIL_BACKEND:
        yield (
            NOTE,
            _("mail is not sent, but written below {folder} (VERBUND_EMAIL_BACKEND)").format(
                folder=settings.EMAIL_FILE_PATH
            ),
        )
        return
    try:
        with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=5) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        yield (
            FAIL,
            _("mail server {host}:{port}: {reason}").format(
                host=settings.EMAIL_HOST, port=settings.EMAIL_PORT, reason=error
            ),
        )
    else:
        yield OK, _("mail server {host}:{port}").format(host=settings.EMAIL_HOST, port=settings.EMAIL_PORT)
    if not settings.EMAIL_USE_TLS and settings.EMAIL_HOST not in _HERE:
        yield FAIL, _("mail leaves this machine unencrypted: VERBUND_SMTP_TLS=1")
    if "@localhost" in settings.DEFAULT_FROM_EMAIL:
        yield FAIL, _("VERBUND_MAIL_FROM is not set")


def files() -> Iterator[Answer]:
    """Where contents lie."""
    from django.conf import settings

    if settings.VERBUND_FILES_BACKEND == "local":
        yield OK, _("contents below {folder}").format(folder=settings.VERBUND_FILES_ROOT)
        return
    missing = [key for key in ("bucket_name",) if not settings.VERBUND_S3.get(key)]
    yield FAIL if missing else OK, _("contents in S3") + (": VERBUND_S3_BUCKET_NAME" if missing else "")


def scanner() -> Iterator[Answer]:
    """Virus scanner."""
    from django.conf import settings

    address = settings.VERBUND_CLAMD
    if not address:
        yield NOTE, _("uploads are not scanned for viruses (VERBUND_CLAMD)")
        return
    if not address.startswith(("/", "unix:")) and address.rpartition(":")[0].strip("[]") not in _HERE:
        yield FAIL, _("uploads go to the virus scanner unencrypted: use its socket, or a tunnel to this machine")
    with _connected(address) as connection:
        connection.sendall(b"zPING\0")
        answer = connection.recv(16)
    yield OK if answer.startswith(b"PONG") else FAIL, _("virus scanner {address}").format(address=address)


def _connected(address: str) -> socket.socket:
    if address.startswith(("/", "unix:")):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(5)
        connection.connect(address.removeprefix("unix:"))
        return connection
    host, _separator, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def folders() -> Iterator[Answer]:
    """Nobody else may read what lies in the folder."""
    folder = installation.var()
    open_to = [
        str(path)
        for path in (folder / "files", folder / "mail", folder / "secret-key")
        if path.exists() and Path(path).stat().st_mode & stat.S_IRWXO and folder.stat().st_mode & stat.S_IXOTH
    ]
    yield (
        NOTE if open_to else OK,
        _("others may read {paths}: chmod o-rwx").format(paths=", ".join(open_to)) if open_to else str(folder),
    )


def hosts() -> Iterator[Answer]:
    """Bodies and their host names."""
    from django.conf import settings

    from verbund.platform.tenancy.models import Body, Host

    named: dict[Any, list[str]] = {}
    for tenant, domain in Host.objects.values_list("tenant_id", "domain"):
        named.setdefault(tenant, []).append(domain)
    for body in Body.objects.order_by("name"):
        domains = named.get(body.id, [])
        if not domains:
            yield FAIL, _("{name} has no host name").format(name=body.name)
        elif not settings.DEMO and not installation.is_embedded() and all(d.endswith(".localhost") for d in domains):
            yield (
                FAIL,
                _("{name} can be reached on this machine only: {hosts}").format(
                    name=body.name, hosts=", ".join(domains)
                ),
            )
    if not Body.objects.filter(is_alliance=True).exists():
        yield FAIL, _("there is no alliance yet: verbund body add --kind alliance")
    else:
        yield OK, _("{number} bodies").format(number=Body.objects.count())
