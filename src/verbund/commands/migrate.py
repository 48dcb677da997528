"""`verbund migrate`: the tables of `public` and of every body, one body after the other, as the owner.

A body whose migration fails is named; the others go on, the command ends with 1, and called again it goes on where it
ended.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from . import installation
from .texts import _


def main(argv: Sequence[str]) -> int:
    """`verbund migrate [--body SCHEMA]`; 1 when a body could not be migrated."""
    parser = argparse.ArgumentParser(prog="verbund migrate", description=_("Bring the tables to this release."))
    parser.add_argument("--body", metavar="SCHEMA", help=_("only this body (after `public`)"))
    chosen = parser.parse_args(argv)
    installation.enter(owner=True)
    return 0 if migrate(chosen.body) else 1


def migrate(only: str | None = None) -> bool:
    """Migrate and print one line per schema with the seconds it took; whether all went well.

    Raises:
        Unready: for a body that does not exist.
    """
    from verbund.platform.tenancy import bodies
    from verbund.platform.tenancy.models import Body

    begun = time.monotonic()
    bodies.migrate_public()
    print(f"  {'public':<56} {time.monotonic() - begun:6.2f} s", flush=True)
    names = list(Body.objects.order_by("schema_name").values_list("schema_name", flat=True))
    if only is not None:
        if only not in names:
            raise installation.Unready(_("There is no body with the schema {schema}.").format(schema=only))
        names = [only]
    failed = []
    for number, done in enumerate(bodies.migrate_bodies(names), 1):
        place = f"{number}/{len(names)}"
        if done.error:
            failed.append(done.schema_name)
            print(
                f"  {done.schema_name:<46} {place:>9} {done.seconds:6.2f} s  {done.error}", file=sys.stderr, flush=True
            )
        else:
            print(f"  {done.schema_name:<46} {place:>9} {done.seconds:6.2f} s", flush=True)
    if failed:
        print(
            _("Not migrated: {names}. Mend the cause and call `verbund migrate` again; the others are done.").format(
                names=", ".join(failed)
            ),
            file=sys.stderr,
        )
    return not failed
