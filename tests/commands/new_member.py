"""A body that is to use services without being a carrier is entered, agreed with and provisioned by the alliance. A
script, run as web and worker run, against the database of the environment; run again it only asks once more."""

import os
from datetime import date

import django


def main() -> None:
    django.setup()
    from verbund.modules.membership import queries, services
    from verbund.modules.membership.events import FirstPerson
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for, now

    moment = now()
    with acting_for("alliance"):
        actor = Actor.system("alliance", "test")
        known = [member.id for member in queries.list_members(actor) if member.slug == "gamma"]
        if known:
            services.provision(actor, member_id=known[0], now=moment)
            return
        member = services.register_body(
            actor, name="Stadt Gamma", kind="town", ags="", ars="", slug="gamma", schema_name=None, now=moment
        )
        for code, rooms in (("FILE", {"records"}), ("DESK", {"citizenservices", "budget"})):
            services.define_service(
                actor,
                code=code,
                name=code.title(),
                description="What it contains.",
                unit="person",
                price_basis="tariff",
                rooms=rooms,
                valid_from=date(2020, 1, 1),
                now=moment,
            )
            services.agree_service(
                actor,
                member_id=member.id,
                service_code=code,
                valid_from=date(2020, 1, 1),
                as_carrier=False,
                basis="Agreement",
                now=moment,
            )
        wishes = services.Wishes(
            letterhead={"street": "Am Markt 1", "city": "Gamma"},
            people=(
                FirstPerson("ada@gamma.example", "Ada Amt", "body_admin"),
                FirstPerson("karl@gamma.example", "Karl Kasse", "treasury_clerk"),
            ),
            templates=("bewohnerparkausweis", "hundesteuer_anmeldung"),
        )
        services.plan_provisioning(actor, member_id=member.id, wishes=wishes, now=moment)
        services.provision(actor, member_id=member.id, now=moment)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
    main()
