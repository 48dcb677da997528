"""`verbund manage`: Django's own commands, with the environment of this installation."""

import argparse
import os
from collections.abc import Sequence

from . import installation
from .texts import _


def main(argv: Sequence[str]) -> int:
    """`verbund manage [--owner] COMMAND …`; without --owner as the role of web and worker."""
    parser = argparse.ArgumentParser(prog="verbund manage", add_help=False)
    parser.add_argument("--owner", action="store_true", help=_("as the owner of the tables"))
    chosen, rest = parser.parse_known_args(argv)
    installation.surroundings(owner=chosen.owner)
    from django.core.management import execute_from_command_line

    os.environ.setdefault("PYTHONWARNINGS", "default")
    execute_from_command_line(["verbund manage", *rest])
    return 0
