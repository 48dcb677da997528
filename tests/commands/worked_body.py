"""A body in which every room has something: people, applications with case, decision, letter and claim, citizens, a
session; run as a script against the database of the environment."""

import os
from datetime import date

import django


def main() -> None:
    django.setup()
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    from verbund.modules.budget import queries as books
    from verbund.modules.citizenservices import services
    from verbund.modules.citizenservices.tests import factories
    from verbund.platform.identity import services as identity
    from verbund.platform.identity.actor import Actor
    from verbund.platform.identity.local.models import CitizenAccount, Session
    from verbund.platform.identity.models import Person
    from verbund.platform.identity.roles import Role
    from verbund.platform.tenancy import acting_for, new_id

    now = factories.NOW
    with acting_for("alpha"):
        actor = Actor.system("alpha", "test")
        eva = identity.create_person(
            actor, email="eva@alpha.example", display_name="Eva Eich", role=Role.CLERK, valid_from=now, now=now
        )
        identity.set_initial_password(actor, person_id=eva.id, password="ein-sehr-langes-Kennwort", now=now)
        factories.town()
        clerk = factories.clerk()
        for number in range(3):
            ref = factories.submit(email=f"frieda{number}@example.org")
            version = factories.taken(ref, clerk)
            decided = services.decide_application(
                clerk, application_id=ref.id, outcome="granted", reason="", expected_version=version, now=now
            )
            services.note_delivery(
                actor,
                origin=f"citizenservices.application:{ref.id}",
                letter_id=decided.letter_id,
                document_id=decided.letter_document_id,
                delivered_at=now,
                now=now,
            )
        factories.submit(email="still-open@example.org")
        assert decided.claim_id is not None
        claim = books.claim(actor, decided.claim_id)
        services.note_settlement(
            actor,
            origin=f"citizenservices.application:{ref.id}",
            claim_id=decided.claim_id,
            settled_on=date(2026, 11, 25),
            now=now,
        )
        assert claim.cents
        CitizenAccount.objects.create(
            id=new_id(),
            email="c@example.org",
            name='Carla "Komma, Zeile\n"',
            password="md5$secret$hash",
            created_at=now,
        )
        CitizenAccount.objects.create(id=new_id(), email="", name="", password="", created_at=now)
        Session.objects.create(
            id=new_id(), key="k" * 64, data="secret-session", created_at=now, last_seen_at=now, expires_at=now
        )
        assert Person.objects.get(pk=eva.id).password


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")
    main()
