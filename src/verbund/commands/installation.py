"""Which installation a process belongs to: its folder, its secret key, its PostgreSQL.

With DATABASE_URL (web and worker) and VERBUND_OWNER_DATABASE_URL (migrations) the server is one's own. Without them a
process starts or joins the embedded server below VERBUND_VAR and hands the two addresses to its children in the
environment.
"""

import ctypes
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import Any, Final

from .texts import _

SOURCE: Final = Path(__file__).resolve().parents[1]
ROOT: Final = Path(os.environ.get("VERBUND_ROOT", SOURCE.parents[1]))
_PR_SET_PDEATHSIG: Final = 1
_held: list[Any] = []


class Unready(Exception):  # noqa: N818 - says what is missing
    """Something is missing; the message is one line that says what to do. Ends the command with exit code 2."""


def var() -> Path:
    """The folder of everything that changes: VERBUND_VAR, or `var` beside the sources.

    Raises:
        Unready: when it cannot be made or written to.
    """
    folder = Path(os.environ.get("VERBUND_VAR", ROOT / "var")).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unready(
            _("The folder {folder} cannot be made ({reason}). Set VERBUND_VAR to a folder you may write to.").format(
                folder=folder, reason=error.strerror
            )
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Unready(_("The folder {folder} is not writable. Set VERBUND_VAR to one that is.").format(folder=folder))
    os.environ["VERBUND_VAR"] = str(folder)
    return folder


def secret_key() -> None:
    """Put the secret key into the environment: VERBUND_SECRET_KEY, or the file `secret-key`.

    Only the embedded installation makes that file itself.

    Raises:
        Unready: with a server of one's own and no key.
    """
    if os.environ.get("VERBUND_SECRET_KEY"):
        return
    file = var() / "secret-key"
    if not file.exists():
        if not is_embedded():
            raise Unready(
                _("There is no secret key: set VERBUND_SECRET_KEY, or write one into {file} (mode 600).").format(
                    file=file
                )
            )
        unfinished = file.with_name(f".secret-key.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(64))
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(unfinished, file)  # the first of several processes wins, and nobody reads half a key
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
    os.environ["VERBUND_SECRET_KEY"] = file.read_text().strip()


def is_embedded() -> bool:
    """Whether this process uses the embedded server (also when its parent handed the addresses down)."""
    return bool(os.environ.get("VERBUND_EMBEDDED")) or not (
        os.environ.get("DATABASE_URL") or os.environ.get("VERBUND_OWNER_DATABASE_URL")
    )


def enter(*, owner: bool = False, database: bool = True) -> None:
    """Make the environment ready and set Django up, as the owner of the tables when `owner`.

    Raises:
        Unready: when something is missing.
    """
    surroundings(owner=owner, database=database)
    import django

    django.setup()


def surroundings(*, owner: bool = False, database: bool = True) -> None:
    """The environment of this process and its children, without Django.

    Raises:
        Unready: when something is missing.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
    var()
    if database:
        if is_embedded():
            _join_embedded()
        wanted = "VERBUND_OWNER_DATABASE_URL" if owner else "DATABASE_URL"
        if not os.environ.get(wanted):
            raise Unready(
                _("{name} is not set. This command needs it: see docs/operations/settings.md.").format(name=wanted)
            )
        secret_key()
    if owner:
        os.environ["VERBUND_AS_OWNER"] = "1"
    else:
        os.environ.pop("VERBUND_AS_OWNER", None)


def _join_embedded() -> None:
    os.environ.setdefault("VERBUND_HTTPS", "0")
    os.environ.setdefault("VERBUND_PUBLIC_PORT", os.environ.get("VERBUND_PORT", "8000"))
    if os.environ.get("VERBUND_EMBEDDED"):
        return  # the parent holds the server
    from verbund.platform.tenancy import embedded

    signal.signal(signal.SIGTERM, _leave)  # so that the handle is given back and the last one stops the server
    try:
        server = embedded.start(var())
    except (OSError, RuntimeError) as error:
        raise Unready(_("The embedded PostgreSQL does not start: {reason}").format(reason=error)) from error
    _held.append(server)
    os.environ.update(embedded.addresses(server))
    os.environ["VERBUND_EMBEDDED"] = "1"


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def die_with_parent(expected_parent: int | None = None) -> None:
    """Ask the kernel to end this process when its parent ends, however that happens (Linux; elsewhere nothing)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if expected_parent is not None and os.getppid() != expected_parent:
        os.kill(os.getpid(), signal.SIGTERM)
