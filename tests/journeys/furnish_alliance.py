"""Furnish the alliance for the journeys of an accession; run as a script in the surroundings of the live installation,
prints JSON."""

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime


def main(schema_name: str) -> None:
    import django

    django.setup()
    from verbund.commands.walk.accession.alliance import furnish

    alliance = furnish(schema_name, password=os.environ["JOURNEY_PASSWORD"], now=datetime.now(UTC))
    sys.stdout.write(json.dumps(asdict(alliance), default=str) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
    main(sys.argv[1])
