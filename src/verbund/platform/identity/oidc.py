"""OpenID Connect: the authorization code flow with PKCE, state and nonce,
for the staff's and the citizens' identity providers.

Settings (one dictionary for all bodies, or one per schema name):

    VERBUND_STAFF_OIDC   = {"issuer": …, "client_id": …, "client_secret": …, "label": …, "proves_second_factor": true,
                            "second_factor_acr": [], "second_factor_amr": ["mfa"], "max_age": 43200, "hosts": []}
    VERBUND_CITIZEN_OIDC = {…, "trust_claim": "trust_level", "trust_levels": {"STORK-QAA-Level-3": "substantial", …}}

A second factor counts when the ID token says so by `acr` or `amr`; whoever says nothing is taken for the weakest, and
the house asks for a factor of its own. A sign-in at the provider older than `max_age` seconds has to be made anew
there (0: however old). Only the issuer's host and `hosts` are spoken to.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx
import structlog
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.conf import settings
from django.core.cache import cache
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from verbund.platform.tenancy import current_body

from .local.models import CitizenAccount
from .models import normal_name

log = structlog.get_logger("verbund.oidc")

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
TIMEOUT: Final = 10.0
LEEWAY_SECONDS: Final = 60
_METADATA_SECONDS: Final = 600
_SPOKEN_TO: Final = frozenset({"token_endpoint", "jwks_uri", "userinfo_endpoint"})


class ProviderFailed(Exception):  # noqa: N818 - reads as the answer
    """The identity provider did not answer, or with something that cannot be trusted. The reason is for the log."""


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider as the settings name it."""

    issuer: str
    client_id: str
    client_secret: str
    label: str
    scope: str = "openid profile email"
    proves_second_factor: bool = True
    second_factor_acr: frozenset[str] = frozenset()
    second_factor_amr: frozenset[str] = frozenset({"mfa"})
    max_age: int = 0
    hosts: frozenset[str] = frozenset()
    trust_claim: str = ""
    trust_levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says is there."""

    issuer: str
    subject: str
    name: str
    email: str
    email_verified: bool
    trust_level: str
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Where to send the browser, and what the session must keep until it comes back."""

    url: str
    state: dict[str, str]


def staff_provider() -> Provider | None:
    """The provider for staff in the present body, if one is set."""
    return _provider(getattr(settings, "VERBUND_STAFF_OIDC", {}))


def citizen_provider() -> Provider | None:
    """The provider for citizens in the present body, if one is set."""
    return _provider(getattr(settings, "VERBUND_CITIZEN_OIDC", {}))


def begin(provider: Provider, *, redirect_uri: str) -> Start:
    """Begin the flow.

    Raises:
        ProviderFailed: its metadata cannot be had.
    """
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    asked: dict[str, str] = {}
    if provider.max_age:
        asked["max_age"] = str(provider.max_age)
    if provider.second_factor_acr and provider.proves_second_factor:
        asked["acr_values"] = " ".join(sorted(provider.second_factor_acr))
    with _client(provider, redirect_uri) as client:
        url, state = client.create_authorization_url(
            _metadata(provider)["authorization_endpoint"],
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **asked,
        )
    return Start(url, {"state": state, "nonce": nonce, "verifier": verifier, "redirect_uri": redirect_uri})


def finish(provider: Provider, *, kept: Mapping[str, str], params: Mapping[str, str]) -> Identity:
    """Exchange the code and check the ID token: signature, issuer, audience, time,
    nonce (OpenID Connect Core 1.0, 3.1.3.7).

    Raises:
        ProviderFailed: anything does not fit.
    """
    if not kept.get("state") or not secrets.compare_digest(kept["state"].encode(), params.get("state", "").encode()):
        raise ProviderFailed("state does not fit")
    if params.get("error") or not params.get("code"):
        raise ProviderFailed(f"provider answered {params.get('error', 'without a code')[:100]}")
    if params.get("iss", provider.issuer) != provider.issuer:  # RFC 9207
        raise ProviderFailed("answer of another issuer")
    metadata = _metadata(provider)
    try:
        with _client(provider, kept["redirect_uri"]) as client:
            token = client.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=params["code"],
                code_verifier=kept["verifier"],
            )
            claims = _checked(provider, metadata, token["id_token"], kept["nonce"])
            strong = _is_strong(provider, claims)  # by the signed token, whatever else is told
            if metadata.get("userinfo_endpoint") and not ("name" in claims or "email" in claims):
                more = client.get(metadata["userinfo_endpoint"]).raise_for_status().json()
                if more.get("sub") != claims["sub"]:
                    raise ProviderFailed("userinfo of another subject")
                claims = {**more, **claims}
    except ProviderFailed:
        raise
    except Exception as error:  # authlib, httpx and joserfc have no common base; all of it means: not signed in
        raise ProviderFailed(f"{type(error).__name__}: {error}") from error
    return _identity(provider, claims, strong)


def _checked(provider: Provider, metadata: Mapping[str, Any], id_token: str, nonce: str) -> dict[str, Any]:
    try:
        decoded = jwt.decode(id_token, _keys(metadata), algorithms=ALGORITHMS)
    except (JoseError, ValueError):
        decoded = jwt.decode(id_token, _keys(metadata, fresh=True), algorithms=ALGORITHMS)  # keys may have been rolled
    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    rules.validate(decoded.claims)
    claims = dict(decoded.claims)
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != provider.client_id:
        raise ProviderFailed("token was made for another client")
    _check_age(provider, claims)
    return claims


def _check_age(provider: Provider, claims: Mapping[str, Any]) -> None:
    """Hold the provider to `max_age` (OpenID Connect Core 1.0, 3.1.2.1)."""
    if not provider.max_age:
        return
    proved = claims.get("auth_time")
    if not isinstance(proved, int) or isinstance(proved, bool):
        raise ProviderFailed("token does not say when the person signed in")
    if proved + provider.max_age + LEEWAY_SECONDS < time.time():
        raise ProviderFailed("the person signed in too long ago")


def _is_strong(provider: Provider, claims: Mapping[str, Any]) -> bool:
    """Whether the provider says that more than one factor was used (OpenID Connect Core 1.0, 2; RFC 8176)."""
    if not provider.proves_second_factor:
        return False
    methods = claims.get("amr")
    named = {m for m in methods if isinstance(m, str)} if isinstance(methods, list) else set()
    return claims.get("acr") in provider.second_factor_acr or bool(named & provider.second_factor_amr)


def _identity(provider: Provider, claims: Mapping[str, Any], strong: bool) -> Identity:
    name = str(claims.get("name") or " ".join(str(claims.get(k, "")) for k in ("given_name", "family_name")))
    subject, email = str(claims["sub"]), str(claims.get("email", ""))
    if not 0 < len(subject) <= 255 or not subject.isprintable():
        raise ProviderFailed("unusable subject")
    level = CitizenAccount.TrustLevel.BASIC.value
    if provider.trust_claim:
        stated = str(claims.get(provider.trust_claim, ""))
        level = provider.trust_levels.get(stated, CitizenAccount.TrustLevel.NONE.value)
    if level not in CitizenAccount.TrustLevel.values:
        level = CitizenAccount.TrustLevel.NONE.value
    return Identity(
        issuer=provider.issuer,
        subject=subject,
        name=normal_name(name)[:200],
        email=email if email.isprintable() and len(email) <= 254 else "",
        email_verified=claims.get("email_verified") in (True, "true"),
        trust_level=level,
        second_factor=strong,
    )


def _provider(value: Mapping[str, Any]) -> Provider | None:
    if value and "issuer" not in value:
        value = value.get(current_body().schema_name, {})
    if not value:
        return None
    return Provider(
        issuer=str(value["issuer"]),
        client_id=str(value["client_id"]),
        client_secret=str(value.get("client_secret", "")),
        label=str(value.get("label", "OpenID Connect")),
        scope=str(value.get("scope", "openid profile email")),
        proves_second_factor=bool(value.get("proves_second_factor", True)),
        second_factor_acr=frozenset(map(str, value.get("second_factor_acr", ()))),
        second_factor_amr=frozenset(map(str, value.get("second_factor_amr", ("mfa",)))),
        max_age=int(value.get("max_age", getattr(settings, "VERBUND_SESSION_HOURS", 12) * 3600)),
        hosts=frozenset(str(host).lower() for host in value.get("hosts", ())),
        trust_claim=str(value.get("trust_claim", "")),
        trust_levels=dict(value.get("trust_levels", {})),
    )


def _client(provider: Provider, redirect_uri: str) -> OAuth2Client:
    return OAuth2Client(
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        scope=provider.scope,
        redirect_uri=redirect_uri,
        timeout=TIMEOUT,
        trust_env=False,
    )


def _metadata(provider: Provider) -> dict[str, Any]:
    found = _fetched(provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise ProviderFailed("metadata of another issuer")
    for key in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(found.get(key), str):
            raise ProviderFailed(f"metadata without {key}")
    known = {urlsplit(provider.issuer).hostname, *provider.hosts}
    for key, address in found.items():
        if key in _SPOKEN_TO and urlsplit(str(address)).hostname not in known:
            raise ProviderFailed(f"{key} is on a host that the settings do not name")
    return found


def _keys(metadata: Mapping[str, Any], *, fresh: bool = False) -> KeySet:
    return KeySet.import_key_set(cast(KeySetSerialization, _fetched(str(metadata["jwks_uri"]), fresh=fresh)))


def _fetched(url: str, *, fresh: bool = False) -> dict[str, Any]:
    kept: dict[str, Any] | None = None if fresh else cache.get(f"oidc {url}")
    if kept is not None:
        return kept
    try:
        answer = httpx.get(url, timeout=TIMEOUT, trust_env=False).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise ProviderFailed(f"{type(error).__name__}: {error}") from error
    if not isinstance(answer, dict):
        raise ProviderFailed("not an object")
    cache.set(f"oidc {url}", answer, _METADATA_SECONDS)
    return answer
