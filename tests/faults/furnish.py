"""Found a town that can be killed: bodies, people, books and one published service; run as a script, prints JSON."""

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime


def main() -> None:
    from verbund.commands import installation

    installation.enter(owner=True)
    from verbund.commands.body import as_app
    from verbund.commands.walk import town as towns
    from verbund.platform.tenancy.bodies import migrate_public

    migrate_public()
    towns.make_bodies()
    as_app()
    town = towns.furnish(towns.TOWN["schema_name"], password=os.environ["FAULTS_PASSWORD"], now=datetime.now(UTC))
    sys.stdout.write(json.dumps({"town": asdict(town), "slug": _offer(town.schema_name, town.ledger)}) + "\n")


def _offer(schema_name: str, ledger: str) -> str:
    from verbund.modules.citizenservices import queries, services
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for

    with acting_for(schema_name):
        actor = Actor.system(schema_name, "faults")
        now = datetime.now(UTC)
        changes = {"unit": "32", "file_plan_position": "32.10.10", "ledger": ledger, "product": "12301"}
        ident = services.offer_template(
            actor, template="bewohnerparkausweis", now=now, changes={**changes, "account": "4311"}
        )
        services.publish_service(actor, service_id=ident, now=now)
        return queries.service_settings(actor, ident).slug


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
    main()
