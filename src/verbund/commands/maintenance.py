"""`verbund maintenance on|off`: close the house for everybody, and open it again. The processes go on running."""

import argparse
from collections.abc import Sequence

from .texts import _


def main(argv: Sequence[str]) -> int:
    """Switch the maintenance page; 0 when done."""
    parser = argparse.ArgumentParser(prog="verbund maintenance", description=_("Close the house, or open it again."))
    parser.add_argument("state", choices=("on", "off"))
    chosen = parser.parse_args(list(argv))
    from verbund.config import settings

    notice = settings.VERBUND_MAINTENANCE_FILE
    if chosen.state == "on":
        notice.parent.mkdir(parents=True, exist_ok=True)
        notice.touch()
        print(_("Every page now says that the house is closed for maintenance."))
    else:
        notice.unlink(missing_ok=True)
        print(_("The house is open again."))
    return 0
