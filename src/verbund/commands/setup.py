"""`verbund setup`: everything that stands between the sources and the first page."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import installation
from .texts import _


def main(argv: Sequence[str]) -> int:
    """`verbund setup [--no-database]`; may be repeated at any time."""
    parser = argparse.ArgumentParser(
        prog="verbund setup", description=_("Make everything ready; harmless when repeated.")
    )
    parser.add_argument("--no-database", action="store_true", help=_("only texts and static files"))
    chosen = parser.parse_args(argv)
    begun = time.monotonic()
    compile_messages()
    installation.enter(owner=True, database=not chosen.no_database)
    collect_static()
    if not chosen.no_database:
        from .migrate import migrate

        print(_("Tables:"))
        if not migrate():
            return 1
    print(_("Ready after {seconds:.1f} s.").format(seconds=time.monotonic() - begun))
    return 0


def compile_messages() -> int:
    """Compile every .po below the sources whose .mo is missing or older; returns how many were compiled."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    done = 0
    for source in installation.SOURCE.glob("**/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file)
        unfinished = target.with_suffix(".mo.part")
        try:
            with unfinished.open("wb") as file:
                write_mo(file, catalogue)
        except OSError as error:
            raise installation.Unready(
                _("The texts cannot be written to {file}: {reason}").format(file=target, reason=error.strerror)
            ) from error
        unfinished.rename(target)
        done += 1
    return done


def collect_static() -> None:
    """Collect, hash and compress the static files, unless nothing has changed since the last time."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    state = _state_of([path for finder in get_finders() for path in _paths(finder)])
    target = Path(settings.STATIC_ROOT)
    stamp = target / ".state"
    if stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=False)
    if not (target / "staticfiles.json").exists():
        raise installation.Unready(_("The static files could not be collected; see the lines above."))
    stamp.write_text(state)


def _paths(finder: object) -> list[Path]:
    listed = finder.list(["CVS", ".*", "*~"])  # type: ignore[attr-defined]
    return [Path(storage.path(name)) for name, storage in listed]


def _state_of(paths: list[Path]) -> str:
    lines = []
    for path in sorted(paths):
        facts = path.stat()
        lines.append(f"{path} {facts.st_size} {facts.st_mtime_ns}")
    return "\n".join([sys.version, *lines])
