"""The three bodies every test database begins with; run as a script by `conftest.py`, as the owner, to make the
template."""

import os

BODIES = (
    {"schema_name": "alliance", "slug": "verbund", "name": "Testverbund AöR", "kind": "alliance", "is_alliance": True},
    {"schema_name": "alpha", "slug": "alpha", "name": "Stadt Alphausen", "kind": "town", "ags": "13076001"},
    {"schema_name": "beta", "slug": "beta", "name": "Landkreis Betaland", "kind": "county", "ags": "13076"},
)
LETTERHEAD = {
    "street": "Am Markt 1",
    "postcode": "19999",
    "city": "Musterstadt",
    "phone": "03999 1234-0",
    "email": "rathaus@example.org",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "bank": "Beispielbank",
}


def main() -> None:
    import django

    django.setup()
    from verbund.platform.tenancy.bodies import create_body, migrate_public

    migrate_public()
    for body in BODIES:
        host = f"{body['slug']}.localhost"
        create_body(
            **body,
            hosts=[host],
            rooms=["citizenservices", "records", "budget", "membership"]
            + (["costsharing"] if body.get("is_alliance") else []),
            letterhead=LETTERHEAD,
        )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
    main()
