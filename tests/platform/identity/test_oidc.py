"""Sign-in through an identity provider, against a provider that runs on the loopback."""

import re
import time
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

NOW = int(time.time())
EVA = {"name": "Eva Eich", "email": "eva.eich@example.org", "email_verified": True, "auth_time": NOW}
USERS = [
    User(sub="eva", claims={**EVA, "amr": ["pwd", "otp", "mfa"]}),
    User(sub="eva by password", claims={**EVA, "amr": ["pwd"]}),
    User(sub="eva who says nothing", claims=EVA),
    User(sub="eva by level", claims={**EVA, "acr": "urn:example:two"}),
    User(sub="eva of yesterday", claims={**EVA, "amr": ["mfa"], "auth_time": NOW - 86_400}),
    User(
        sub="mallory",
        claims={"name": "Eva Eich", "email": "eva.eich@example.org", "email_verified": False, "auth_time": NOW},
    ),
    User(
        sub="clara",
        claims={
            "name": "Clara Clément",
            "email": "clara@example.org",
            "email_verified": True,
            "trust_level": "STORK-QAA-Level-3",
            "auth_time": NOW,
        },
    ),
    User(
        sub="dora", claims={"given_name": "Dora", "family_name": "Dahl", "trust_level": "unheard-of", "auth_time": NOW}
    ),
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


def test_a_second_factor_at_the_provider_counts_when_its_token_says_so(client_of: Any, settings: Any) -> None:
    """By `amr` or `acr` of the signed token; who says nothing is taken for the weakest (ASVS 5.0, 6.8.4)."""
    settings.VERBUND_REQUIRE_SECOND_FACTOR = True
    settings.VERBUND_STAFF_OIDC = {**settings.VERBUND_STAFF_OIDC, "second_factor_acr": ["urn:example:two"]}
    person = employ("alpha", password=None)
    for subject, strong in (
        ("eva", True),
        ("eva by level", True),
        ("eva by password", False),
        ("eva who says nothing", False),
    ):
        with acting_for("alpha"):
            Person.objects.filter(pk=person).update(oidc_subject="", oidc_issuer="")
        client = client_of("alpha")
        answer = through(client, "/anmelden/dienst/", subject)
        assert (answer["Location"], is_signed_in(client)) == (
            "/arbeit/" if strong else "/anmelden/einrichten/",
            strong,
        ), subject
    settings.VERBUND_STAFF_OIDC = {**settings.VERBUND_STAFF_OIDC, "proves_second_factor": False}
    with acting_for("alpha"):
        Person.objects.filter(pk=person).update(oidc_subject="", oidc_issuer="")
    other = client_of("alpha")
    assert through(other, "/anmelden/dienst/", "eva")["Location"] == "/anmelden/einrichten/"


def test_a_sign_in_of_yesterday_is_made_anew_at_the_provider(client_of: Any, settings: Any) -> None:
    """`max_age` is asked for, and the token's `auth_time` is held to it (OpenID Connect Core 1.0, 3.1.2.1)."""
    employ("alpha", password=None)
    asked = parse_qs(urlsplit(client_of("alpha").get("/anmelden/dienst/")["Location"]).query)
    assert asked["max_age"] == [str(settings.VERBUND_SESSION_HOURS * 3600)]
    client = client_of("alpha")
    assert through(client, "/anmelden/dienst/", "eva of yesterday")["Location"] == "/anmelden/"
    assert not is_signed_in(client)
    settings.VERBUND_STAFF_OIDC = {**settings.VERBUND_STAFF_OIDC, "max_age": 0}
    client = client_of("alpha")
    assert "max_age" not in parse_qs(urlsplit(client.get("/anmelden/dienst/")["Location"]).query)
    through(client, "/anmelden/dienst/", "eva of yesterday")
    assert is_signed_in(client)


@pytest.mark.parametrize("said", [{}, {"auth_time": None}, {"auth_time": "today"}, {"auth_time": True}])
def test_a_token_that_does_not_say_when_is_taken_for_too_old(said: dict[str, Any]) -> None:
    provider = oidc.Provider("https://login.example.org", "staff", "s", "AD", max_age=3600)
    oidc._check_age(provider, {"auth_time": int(time.time()) - 3600})
    with pytest.raises(oidc.ProviderFailed, match="does not say when"):
        oidc._check_age(provider, said)


def test_a_provider_whose_keys_lie_on_a_host_nobody_named_is_not_believed(
    alpha: Any, settings: Any, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = oidc._fetched

    def forged(url: str, *, fresh: bool = False) -> dict[str, Any]:
        found = real(url, fresh=fresh)
        return {**found, "jwks_uri": "http://keys.evil.example.org/jwks"} if url.endswith("configuration") else found

    monkeypatch.setattr(oidc, "_fetched", forged)
    for hosts, believed in (([], False), (["keys.evil.example.org"], True)):
        settings.VERBUND_STAFF_OIDC = {**settings.VERBUND_STAFF_OIDC, "hosts": hosts}
        provider = oidc.staff_provider()
        assert provider is not None
        if believed:
            assert oidc.begin(provider, redirect_uri="http://alpha.localhost/").url
        else:
            with pytest.raises(oidc.ProviderFailed, match="jwks_uri is on a host"):
                oidc.begin(provider, redirect_uri="http://alpha.localhost/")


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
