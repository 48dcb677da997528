"""Sign-in through an identity provider, against a provider that runs on the loopback."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.cache import cache
from oidc_provider_mock import User, run_server_in_thread

from verbund.platform.identity import oidc, services
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import CitizenAccount
from verbund.platform.identity.models import Person
from verbund.platform.tenancy import acting_for, now

from .people import employ
from .test_citizens import is_signed_in as citizen_is_signed_in
from .test_staff_sign_in import is_signed_in

pytestmark = pytest.mark.django_db

USERS = [
    User(sub="eva", claims={"name": "Eva Eich", "email": "eva.eich@example.org", "email_verified": True}),
    User(sub="mallory", claims={"name": "Eva Eich", "email": "eva.eich@example.org", "email_verified": False}),
    User(
        sub="clara",
        claims={
            "name": "Clara Clément",
            "email": "clara@example.org",
            "email_verified": True,
            "trust_level": "STORK-QAA-Level-3",
        },
    ),
    User(sub="dora", claims={"given_name": "Dora", "family_name": "Dahl", "trust_level": "unheard-of"}),
]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with run_server_in_thread(user_claims=USERS, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(autouse=True)
def _providers(issuer: str, settings: Any) -> None:
    cache.clear()
    settings.VERBUND_STAFF_OIDC = {"issuer": issuer, "client_id": "staff", "client_secret": "s", "label": "AD"}
    settings.VERBUND_CITIZEN_OIDC = {
        "issuer": issuer,
        "client_id": "citizens",
        "client_secret": "s",
        "label": "BundID",
        "trust_claim": "trust_level",
        "trust_levels": {"STORK-QAA-Level-1": "basic", "STORK-QAA-Level-3": "substantial", "STORK-QAA-Level-4": "high"},
    }


def through(client: Any, start: str, subject: str, spoil: Callable[[str], str] = lambda path: path) -> Any:
    """Go to the provider, agree there as `subject`, and come back."""
    away = client.get(start)
    assert away.status_code == 302
    with httpx.Client(trust_env=False) as browser:
        page = browser.get(away["Location"])
        assert page.status_code == 200
        back = browser.post(away["Location"], data={"sub": subject})
    parts = urlsplit(back.headers["location"])
    assert parts.hostname == "alpha.localhost"
    return client.get(spoil(f"{parts.path}?{parts.query}"))


def test_a_known_person_is_linked_by_the_confirmed_address_and_recognised_by_the_subject(client_of: Any) -> None:
    person = employ("alpha", password=None)
    client = client_of("alpha")
    answer = through(client, "/anmelden/dienst/?next=/arbeit/eingang/", "eva")
    assert answer["Location"] == "/arbeit/eingang/"
    assert is_signed_in(client)
    with acting_for("alpha"):
        assert Person.objects.get(pk=person).oidc_subject == "eva"
        Person.objects.filter(pk=person).update(email="anders@example.org")
    again = client_of("alpha")
    through(again, "/anmelden/dienst/", "eva")
    assert is_signed_in(again)


def test_the_provider_counts_as_second_factor_unless_the_settings_say_no(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = True
    employ("alpha", password=None)
    client = client_of("alpha")
    through(client, "/anmelden/dienst/", "eva")
    assert is_signed_in(client)
    settings.VERBUND_STAFF_OIDC = {**settings.VERBUND_STAFF_OIDC, "proves_second_factor": False}
    other = client_of("alpha")
    assert through(other, "/anmelden/dienst/", "eva")["Location"] == "/anmelden/einrichten/"
    assert not is_signed_in(other)


@pytest.mark.parametrize("subject", ["mallory", "clara"])
def test_an_unconfirmed_address_or_an_unknown_subject_has_no_access(client_of: Any, subject: str) -> None:
    person = employ("alpha", password=None)
    client = client_of("alpha")
    answer = through(client, "/anmelden/dienst/", subject)
    assert answer["Location"] == "/anmelden/"
    assert "Sie haben keinen Zugang zu diesem Haus." in client.get("/anmelden/").content.decode()
    assert not is_signed_in(client)
    with acting_for("alpha"):
        assert Person.objects.get(pk=person).oidc_subject == ""


def test_a_new_citizen_gets_an_account_with_the_trust_level_and_keeps_it(client_of: Any) -> None:
    client, again = client_of("alpha"), client_of("alpha")
    assert through(client, "/konto/dienst/", "clara")["Location"] == "/konto/"
    assert citizen_is_signed_in(client)
    assert "substanziell" in client.get("/konto/").content.decode()
    through(again, "/konto/dienst/", "clara")
    assert citizen_is_signed_in(again)
    with acting_for("alpha"):
        account = CitizenAccount.objects.get()
        assert (account.name, account.email, account.trust_level) == (
            "Clara Clément",
            "clara@example.org",
            "substantial",
        )


def test_a_level_that_the_settings_do_not_know_proves_nothing(client_of: Any) -> None:
    through(client_of("alpha"), "/konto/dienst/", "dora")
    with acting_for("alpha"):
        account = CitizenAccount.objects.get()
        assert (account.name, account.email, account.trust_level) == ("Dora Dahl", "", "none")


def test_a_new_level_is_taken_over_upwards_and_downwards(alpha: Any, guest: Actor, issuer: str) -> None:
    for level in ("high", "basic"):
        account = services.oidc_citizen(
            guest, identity=oidc.Identity(issuer, "clara", "Clara Clément", "", False, level), now=now()
        )
        assert CitizenAccount.objects.get(pk=account.pk).trust_level == level


def test_the_address_of_a_password_account_does_not_lead_into_it(alpha: Any, guest: Actor, issuer: str) -> None:
    own = CitizenAccount.objects.create(
        id="00000000-0000-7000-8000-000000000001", email="clara@example.org", name="Clara", created_at=now()
    )
    account = services.oidc_citizen(
        guest, identity=oidc.Identity(issuer, "other", "Mallory", "clara@example.org", True, "basic"), now=now()
    )
    assert account.pk != own.pk
    assert account.email == ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: re.sub(r"state=[^&]+", "state=forged", path),
        lambda path: re.sub(r"code=[^&]+", "code=forged", path),
        lambda path: path.split("?")[0],
        lambda path: path.split("?")[0] + "?error=access_denied&state=" + parse_qs(urlsplit(path).query)["state"][0],
    ],
    ids=["state", "code", "nothing", "denied"],
)
def test_an_answer_that_does_not_fit_signs_nobody_in(client_of: Any, spoil: Callable[[str], str]) -> None:
    employ("alpha", password=None)
    client = client_of("alpha")
    answer = through(client, "/anmelden/dienst/", "eva", spoil)
    assert answer["Location"] == "/anmelden/"
    assert "ist nicht gelungen" in client.get("/anmelden/").content.decode()
    assert not is_signed_in(client)


def test_an_answer_brought_by_another_browser_or_twice_signs_nobody_in(client_of: Any) -> None:
    employ("alpha", password=None)
    victim, thief = client_of("alpha"), client_of("alpha")
    kept: list[str] = []

    def keep(path: str) -> str:
        kept.append(path)
        return path

    through(thief, "/anmelden/dienst/", "eva", keep)
    victim.get(kept[0])
    assert not is_signed_in(victim)
    thief.post("/abmelden/")
    thief.get(kept[0])
    assert not is_signed_in(thief)


def test_a_token_with_another_nonce_audience_or_issuer_is_refused(issuer: str, alpha: Any, settings: Any) -> None:
    provider = oidc.staff_provider()
    assert provider is not None
    start = oidc.begin(provider, redirect_uri="http://alpha.localhost/anmelden/dienst/zurueck/")
    with httpx.Client(trust_env=False) as browser:
        back = browser.post(start.url, data={"sub": "eva"})
    params = {k: v[0] for k, v in parse_qs(urlsplit(back.headers["location"]).query).items()}
    with pytest.raises(oidc.ProviderFailed, match="nonce"):
        oidc.finish(provider, kept={**start.state, "nonce": "other"}, params=params)
    settings.VERBUND_STAFF_OIDC = {**settings.VERBUND_STAFF_OIDC, "issuer": issuer + "/"}
    wrong = oidc.staff_provider()
    assert wrong is not None
    with pytest.raises(oidc.ProviderFailed):
        oidc.begin(wrong, redirect_uri="http://alpha.localhost/")


def test_a_provider_that_is_down_is_said_in_words(client_of: Any, settings: Any) -> None:
    settings.VERBUND_STAFF_OIDC = {"issuer": "http://127.0.0.1:9", "client_id": "x", "label": "AD"}
    client = client_of("alpha")
    assert client.get("/anmelden/dienst/")["Location"] == "/anmelden/"
    assert "ist nicht gelungen" in client.get("/anmelden/").content.decode()


def test_without_a_provider_in_the_settings_there_is_no_button(client_of: Any, settings: Any) -> None:
    assert "Mit AD anmelden" in client_of("alpha").get("/anmelden/").content.decode()
    assert "Mit BundID anmelden" in client_of("alpha").get("/konto/anmelden/").content.decode()
    settings.VERBUND_STAFF_OIDC = {"beta": settings.VERBUND_STAFF_OIDC}
    settings.VERBUND_CITIZEN_OIDC = {}
    assert "Mit AD anmelden" not in client_of("alpha").get("/anmelden/").content.decode()
    assert "Mit AD anmelden" in client_of("beta").get("/anmelden/").content.decode()
    assert "Mit BundID anmelden" not in client_of("alpha").get("/konto/anmelden/").content.decode()
