"""Tries to take in each folder named in the arguments and tells as JSON what was said and what was left of it; run as a
script, as the owner, against the database of the environment."""

import json
import os
import sys
from pathlib import Path

import django
import psycopg


def main() -> None:
    django.setup()
    from verbund.commands.installation import Unready
    from verbund.commands.leaving.archive import Spoilt
    from verbund.commands.leaving.restoring import import_body
    from verbund.platform.tenancy import now

    address = os.environ["VERBUND_OWNER_DATABASE_URL"]
    outcomes = []
    for folder in sys.argv[1:]:
        try:
            import_body(address, Path(folder), now=now())
            said = "taken in"
        except (Spoilt, Unready) as refusal:
            said = str(refusal)
        with psycopg.connect(address) as connection:
            left = [
                row[0]
                for row in connection.execute(
                    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'"
                    " AND nspname NOT IN ('public', 'information_schema', 'alliance', 'beta')"
                    " UNION SELECT slug FROM public.tenancy_body WHERE slug NOT IN ('verbund', 'beta')"
                ).fetchall()
            ]
        outcomes.append({"said": said, "left": left})
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
    main()
