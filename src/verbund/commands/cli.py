"""The command line `verbund`.

Exit codes: 0 done; 1 the command ran and the answer is no (a check failed, a chain is broken); 2 wrong call or
something is missing, said in one line; 130/143 ended by a signal.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from .installation import Unready, die_with_parent
from .texts import _

Main = Callable[[Sequence[str]], int]

# name -> (module below verbund.commands with `main(argv) -> int`, what it does)
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "setup": ("setup", _("make everything ready: database roles, tables of all bodies, texts, static files")),
    "serve": ("serve", _("run web and worker together until Ctrl-C")),
    "web": ("web", _("run the web server alone")),
    "worker": ("worker", _("run the worker for jobs and timed work alone")),
    "migrate": ("migrate", _("bring the tables of all bodies to this release, with the time each took")),
    "body": ("body", _("make a new body ready to work, or list the bodies")),
    "demo": ("demo", _("load the demo data")),
    "walk": ("walk", _("drive one application all the way and show the evidence")),
    "verify": ("verify", _("re-compute the hash chains of audit, journal and documents")),
    "maintenance": ("maintenance", _("close the house for maintenance, or open it again")),
    "check": ("check", _("check the configuration of this installation")),
    "manage": ("manage", _("run a command of Django, such as `manage shell`")),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    if parent := os.environ.pop("VERBUND_PARENT", None):
        die_with_parent(int(parent))
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="verbund",
        description=_("The platform of a municipal IT alliance."),
        epilog="\n".join(f"  {name:<11} {text}" for name, (_module, text) in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    module = f"{__package__}.{COMMANDS[chosen.command][0]}"
    run: Main = import_module(module).main
    try:
        return run(chosen.arguments)
    except Unready as missing:
        print(f"verbund: {missing}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


if __name__ == "__main__":
    sys.exit(main())
