"""`verbund migrate`: the tables of `public` and of every body, one after the other, as the owner."""

import argparse
import time
from collections.abc import Sequence

from . import installation
from .texts import _


def main(argv: Sequence[str]) -> int:
    """`verbund migrate [--body SCHEMA]`."""
    parser = argparse.ArgumentParser(prog="verbund migrate", description=_("Bring the tables to this release."))
    parser.add_argument("--body", metavar="SCHEMA", help=_("only this body (after `public`)"))
    chosen = parser.parse_args(argv)
    installation.enter(owner=True)
    migrate(chosen.body)
    return 0


def migrate(only: str | None = None) -> None:
    """Migrate and print one line per schema with the seconds it took.

    Raises:
        Unready: for a body that does not exist.
    """
    from verbund.platform.tenancy import bodies
    from verbund.platform.tenancy.models import Body

    begun = time.monotonic()
    if only is None:
        for schema in bodies.migrate_all():
            begun = _report(schema, begun)
        return
    bodies.migrate_public()
    begun = _report("public", begun)
    if not Body.objects.filter(schema_name=only).exists():
        raise installation.Unready(_("There is no body with the schema {schema}.").format(schema=only))
    bodies.migrate_body(only)
    _report(only, begun)


def _report(schema: str, begun: float) -> float:
    ended = time.monotonic()
    print(f"  {schema:<48} {ended - begun:6.2f} s", flush=True)
    return ended
