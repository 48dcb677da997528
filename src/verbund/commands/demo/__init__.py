"""`verbund demo`: an alliance with six bodies at work for two years, loaded through the services, then served.

Everything in it is invented but the bodies' names and keys. The second factor is not enforced in the demo.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from verbund.commands import installation, serve, setup, web
from verbund.commands.texts import _


def main(argv: Sequence[str]) -> int:
    """`verbund demo [--no-serve] [--reset] [--host H] [--port P] …`."""
    parser = argparse.ArgumentParser(prog="verbund demo", description=_("Load the demo data and serve them."))
    parser.add_argument("--no-serve", action="store_true", help=_("only load"))
    parser.add_argument("--reset", action="store_true", help=_("delete the demo first and load it anew"))
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    web.add_arguments(parser)
    chosen = parser.parse_args(argv)
    os.environ["VERBUND_DEMO"] = "1"
    if chosen.load:
        return _load_each()
    begun = time.monotonic()
    if chosen.reset:
        from .resetting import reset

        installation.surroundings(owner=True)
        reset()
    setup.main([])
    from .running import load_all

    if load_all():
        print(_("Demo loaded after {seconds:.0f} s.").format(seconds=time.monotonic() - begun))
    print_sign_ins(chosen.port)
    if chosen.no_serve:
        return 0
    os.environ.pop("VERBUND_AS_OWNER", None)
    return serve.main(
        [
            *("--host", chosen.host, "--port", str(chosen.port)),
            *("--workers", str(chosen.workers), "--threads", str(chosen.threads)),
        ]
    )


def _load_each() -> int:
    """Load the bodies whose schemas come in by stdin, one a line; progress goes to stdout, one word a line."""
    from .facts import bodies, body_named

    installation.enter()
    from .loading import load, prepare_settings

    prepare_settings()
    for line in sys.stdin:
        body = body_named(line.strip())
        begun = time.monotonic()

        def say(what: str, begun: float = begun) -> None:
            print(f"{what} {time.monotonic() - begun:.1f}", flush=True)

        if body.is_alliance:
            from .founding import register

            register(body, bodies())
        counts = load(body, say)
        print("done " + " ".join(f"{name}={number}" for name, number in counts.items()), flush=True)
    return 0


def print_sign_ins(port: int) -> None:
    """Addresses, sign-ins and the warning that this is a demo."""
    from .facts import CITIZEN, PASSWORD, bodies

    line = "=" * 78
    print(f"\n{line}")
    print(_("DEMO. Invented people and matters, one known password, no second factor: never for real data."))
    print(line)
    print(_("Password of every sign-in below: {password}").format(password=PASSWORD))
    for body in bodies():
        print(f"\n{body.name}   http://{body.host}:{port}/")
        if not body.is_alliance:
            print(_("  citizen            {email}   (/konto/anmelden/)").format(email=CITIZEN))
        print(_("  workspace          /anmelden/"))
        for colleague in body.colleagues:
            print(f"    {colleague.role:<24} {colleague.email:<44} {colleague.name}")
    print(flush=True)
    sys.stdout.flush()
