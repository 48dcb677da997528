"""Signing in, one's own access and the administration in a real browser, with axe-core on every page."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from tests.journeys.browser import assert_accessible, browser, missing, visit

from verbund.platform.identity import jobs
from verbund.platform.identity.local.models import CitizenAccount, OrgUnit, Token
from verbund.platform.identity.roles import Role
from verbund.platform.identity.services.links import issue
from verbund.platform.tenancy import acting_for, now

from .people import PASSWORD, employ
from .test_jobs import put

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(missing()), reason=missing() or "ready")]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        return


class _Server(ThreadedWSGIServer):
    """Gives its database connections back when a request is over, so that the database can be dropped."""

    def close_request(self, request: Any) -> None:
        super().close_request(request)
        connections.close_all()


@pytest.fixture
def port(real_database: str, settings: Any) -> Iterator[int]:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = False
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "verbund", "verbund_csrf"
    settings.LANGUAGE_COOKIE_NAME, settings.VERBUND_NOTICE_COOKIE_NAME = "verbund_language", "verbund_notices"
    server = _Server(("127.0.0.1", 0), _Quiet)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _authenticator(page: Any) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )


def _password(page: Any, email: str) -> None:
    page.get_by_label("E-Mail-Adresse").fill(email)
    page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()


def test_staff_sets_up_a_passkey_signs_in_with_it_and_administers(port: int) -> None:
    with acting_for("alpha"):
        for code, name in (("32", "Fachdienst Ordnung"), ("50", "Fachdienst Soziales")):
            OrgUnit.objects.create(code=code, name=name)
    employ("alpha", "anna.ahorn@example.org", "Anna Ahorn", Role.BODY_ADMIN)
    for number, name in enumerate(("Udo Ulme", "Eva Eich", "Wim Weide")):
        employ("alpha", f"p{number}@example.org", name, Role.CLERK, unit="32")
    with browser() as chromium, visit(chromium, f"http://alpha.localhost:{port}") as page:
        _authenticator(page)
        page.goto("/anmelden/?next=/arbeit/konto/")
        assert_accessible(page, "identity-sign-in")
        with page.expect_navigation():
            page.get_by_role("button", name="Anmelden", exact=True).click()
        assert_accessible(page, "identity-sign-in-errors")
        _password(page, "anna.ahorn@example.org")
        page.get_by_role("heading", name="Richten Sie Ihren zweiten Faktor ein").wait_for()
        assert_accessible(page, "identity-set-up")
        page.get_by_label("Name des Passkeys").fill("Dieser Rechner")
        page.get_by_role("button", name="Passkey einrichten").click()
        page.get_by_role("heading", name="Ihre Wiederherstellungscodes").wait_for()
        assert_accessible(page, "identity-recovery-codes")
        page.get_by_role("link", name="Ich habe die Codes aufbewahrt").click()
        page.get_by_role("heading", name="Mein Zugang").wait_for()
        assert_accessible(page, "identity-account")
        for path, name in (
            ("/arbeit/konto/zweiter-faktor/", "factors"),
            ("/arbeit/konto/zweiter-faktor/app/", "add-app"),
            ("/arbeit/konto/sitzungen/", "sessions"),
            ("/arbeit/konto/vertretung/", "absence"),
            ("/arbeit/konto/passwort/", "password"),
            ("/arbeit/verwaltung/personen/", "people"),
            ("/arbeit/verwaltung/personen/neu/", "new-person"),
            ("/arbeit/verwaltung/einheiten/", "units"),
        ):
            page.goto(path)
            assert_accessible(page, f"identity-{name}")
        page.goto("/arbeit/verwaltung/personen/")
        page.get_by_role("link", name="Udo Ulme").click()
        page.get_by_role("heading", name="Udo Ulme").wait_for()
        assert_accessible(page, "identity-person")
        page.get_by_role("link", name="Anmeldung sperren").click()
        assert_accessible(page, "identity-block")
        page.goto("/arbeit/konto/")
        page.get_by_text("Anna Ahorn").first.click()
        page.get_by_role("button", name="Abmelden").click()
        page.get_by_text("Sie haben sich abgemeldet.").wait_for()
        _password(page, "anna.ahorn@example.org")
        page.get_by_role("heading", name="Zweiter Schritt der Anmeldung").wait_for()
        assert_accessible(page, "identity-second-factor")
        page.get_by_role("button", name="Passkey verwenden").click()
        page.wait_for_url("**/arbeit/**")
        page.goto("/arbeit/konto/")
        page.get_by_role("heading", name="Mein Zugang").wait_for()


def _link() -> str:
    try:
        with acting_for("alpha"):
            return issue(Token.Kind.CITIZEN_EMAIL, CitizenAccount.objects.get().id, now=now())
    finally:
        connections.close_all()


def test_a_citizen_opens_and_uses_an_account(port: int) -> None:
    with browser() as chromium, visit(chromium, f"http://alpha.localhost:{port}") as page:
        page.goto("/konto/anmelden/")
        assert_accessible(page, "identity-citizen-sign-in")
        page.get_by_role("link", name="Konto eröffnen").click()
        assert_accessible(page, "identity-register")
        page.get_by_label("Vor- und Nachname").fill("Clara Clément")
        page.get_by_label("E-Mail-Adresse").fill("clara@example.org")
        page.get_by_role("button", name="Weiter").click()
        page.get_by_role("heading", name="Bitte bestätigen Sie Ihre E-Mail-Adresse").wait_for()
        assert_accessible(page, "identity-register-sent")
        with ThreadPoolExecutor(1) as aside:  # the browser's driver runs an event loop in this thread
            secret = aside.submit(_link).result()
        page.goto(f"/konto/bestaetigen/{secret}/")
        assert_accessible(page, "identity-confirm")
        page.get_by_label("Neues Passwort", exact=True).fill(PASSWORD)
        page.get_by_label("Neues Passwort noch einmal").fill(PASSWORD)
        page.get_by_role("button", name="Passwort setzen").click()
        _password(page, "clara@example.org")
        page.get_by_role("heading", name="Ihr Konto").wait_for()
        assert_accessible(page, "identity-citizen-account")
        page.goto("/konto/sitzungen/")
        assert_accessible(page, "identity-citizen-sessions")
        page.goto("/konto/loeschen/")
        assert_accessible(page, "identity-delete")
        page.get_by_role("button", name="Mein Konto löschen").click()
        page.get_by_role("button", name="Mein Konto behalten").wait_for()
        assert_accessible(page, "identity-deletion-requested")
        page.goto(f"/konto/bestaetigen/{secret}/")
        assert_accessible(page, "identity-spent-link")


def test_operators_look_after_the_jobs(port: int, owner_connection: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    employ("alliance", "olga.orange@example.org", "Olga Orange", Role.OPERATOR)
    job = put(owner_connection, "alpha", "failed", 9, "verbund.modules.records.subscribers.dispatch_letter")
    jobs.note_failure(job, ConnectionRefusedError())
    with browser() as chromium, visit(chromium, f"http://verbund.localhost:{port}") as page:
        page.goto("/anmelden/?next=/arbeit/betrieb/auftraege/")
        _password(page, "olga.orange@example.org")
        page.get_by_text("ConnectionRefusedError").wait_for()
        assert_accessible(page, "identity-jobs")
        page.get_by_role("button", name="Erneut versuchen").click()
        page.get_by_text("Der Auftrag wird sofort erneut versucht.").wait_for()
        page.get_by_text("Hier ist nichts").wait_for()
        assert_accessible(page, "identity-jobs-empty")
