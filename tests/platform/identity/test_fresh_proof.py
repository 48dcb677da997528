"""What an unlocked screen is not enough for, and cookies that only this host can set (ASVS 5.0, 3.3 and 7.5.2)."""

from typing import Any

import pytest

from verbund.platform.identity.local.models import CitizenAccount, Session
from verbund.platform.identity.local.sessions import SessionStore
from verbund.platform.identity.recognition import PROVED
from verbund.platform.tenancy import acting_for

from .people import PASSWORD, employ, sign_in
from .test_citizens import enter, open_account
from .test_citizens import is_signed_in as citizen_is_signed_in
from .test_staff_sign_in import is_signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False


def age_the_proofs() -> Any:
    """Let a quarter of an hour pass since everybody's last proof; the id of the session that was opened last."""
    with acting_for("alpha"):
        store = SessionStore()
        for row in Session.objects.exclude(subject=None):
            data = store.decode(row.data)
            data[PROVED] -= 901
            Session.objects.filter(pk=row.pk).update(data=store.encode(data))
        return Session.objects.exclude(subject=None).order_by("-created_at")[0].pk


def test_every_cookie_belongs_to_this_host_alone(client_of: Any, settings: Any) -> None:
    """`__Host-` (RFC 6265bis, 4.1.3.2): Secure, for all paths, for no other host."""
    employ("alpha")
    settings.SESSION_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = client_of("alpha")
    client.post("/sprache/", {"language": "en", "next": "/"})
    client.get("/anmelden/")
    sign_in(client)
    client.post("/arbeit/konto/sitzungen/andere/beenden/")
    assert len(client.cookies) == 4, sorted(client.cookies)
    for name, cookie in client.cookies.items():
        assert name.startswith("__Host-"), name
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", ""), name
        assert cookie["samesite"] == "Lax", name


def test_an_unlocked_screen_is_not_enough_to_end_other_sessions(client_of: Any) -> None:
    employ("alpha")
    here, there = client_of("alpha"), client_of("alpha")
    sign_in(here)
    sign_in(there)
    other = age_the_proofs()
    for path in ("andere/beenden/", f"{other}/beenden/"):
        answer = here.post(f"/arbeit/konto/sitzungen/{path}")
        assert answer["Location"] == "/arbeit/konto/bestaetigen/?next=%2Farbeit%2Fkonto%2Fsitzungen%2F"
    assert is_signed_in(there)
    proved = here.post("/arbeit/konto/bestaetigen/?next=/arbeit/konto/sitzungen/", {"password": PASSWORD})
    assert proved["Location"] == "/arbeit/konto/sitzungen/"
    here.post("/arbeit/konto/sitzungen/andere/beenden/")
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)


def test_a_citizen_proves_it_by_the_password_too(client_of: Any, told: list[Any]) -> None:
    here, there = client_of("alpha"), client_of("alpha")
    open_account(here)
    enter(here)
    enter(there)
    other = age_the_proofs()
    asked = here.post(f"/konto/sitzungen/{other}/beenden/")
    assert asked["Location"] == "/konto/passwort/bestaetigen/?next=%2Fkonto%2Fsitzungen%2F"
    assert citizen_is_signed_in(there)
    wrong = here.post(asked["Location"], {"password": "falsch"})
    assert wrong.status_code == 422
    assert here.post(f"/konto/sitzungen/{other}/beenden/").status_code == 302
    assert citizen_is_signed_in(there)
    assert here.post(asked["Location"], {"password": PASSWORD})["Location"] == "/konto/sitzungen/"
    here.post(f"/konto/sitzungen/{other}/beenden/")
    assert (citizen_is_signed_in(here), citizen_is_signed_in(there)) == (True, False)


def test_a_citizen_of_a_provider_signs_in_there_anew(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    open_account(client)
    enter(client)
    with acting_for("alpha"):
        kept = CitizenAccount.objects.get()
        CitizenAccount.objects.update(password="")
        from verbund.platform.identity.recognition import MARK, mark_of

        kept.refresh_from_db()
        for row in Session.objects.filter(subject=kept.pk):
            data = SessionStore().decode(row.data)
            Session.objects.filter(pk=row.pk).update(data=SessionStore().encode({**data, MARK: mark_of(kept)}))
    assert citizen_is_signed_in(client)
    answer = client.get("/konto/passwort/bestaetigen/")
    assert answer["Location"] == "/konto/anmelden/?next=%2Fkonto%2Fsitzungen%2F"
    assert not citizen_is_signed_in(client)
