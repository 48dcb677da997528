"""Staff at their desks: signing in with password and second factor, as the pages ask for it."""

import base64
import re
from datetime import UTC, datetime
from typing import Final

from verbund.platform.identity import totp

from .report import true
from .visitor import Page, Visitor

_KEY: Final = re.compile(r"(?:[A-Z2-7]{4} ?){4,}")


def sign_in(visitor: Visitor, *, email: str, password: str) -> str:
    """Sign in at the workspace; sets up an authenticator app when the house asks for one. Returns how, in words.

    Raises:
        Untrue: the pages do not lead into the workspace.
    """
    refused = visitor.get("/arbeit/")
    true("/anmelden/" in refused.url, f"/arbeit/ was shown to a stranger: {refused.url}")
    page = visitor.get("/anmelden/?next=/arbeit/")
    page = visitor.submit(page.form(having=["email", "password"]).fill("email", email).fill("password", password))
    if not page.path.startswith("/anmelden/einrichten/"):
        true(page.path.startswith("/arbeit/"), f"{email} is not signed in: {page.path} “{page.heading}”")
        return "password"
    page = visitor.submit(page.form(having=["kind", "code"]).fill("code", _code(page)))
    codes = len(page.main.xpath(".//li//code"))
    true(codes >= 10, f"{page.path}: no recovery codes after setting up the second factor")
    page = visitor.get("/arbeit/")
    true(page.path.startswith("/arbeit/"), f"{email} is not signed in: {page.path}")
    return f"password + authenticator app ({codes} recovery codes)"


def _code(page: Page) -> str:
    """What the authenticator app would show for the key on the page."""
    texts = [str(t) for t in page.main.xpath(".//code//text()")]
    found = [t for t in texts if _KEY.fullmatch(t.strip())]
    true(found, f"{page.path}: no key for the authenticator app on the page")
    key = base64.b32decode(found[0].replace(" ", "") + "=" * (-len(found[0].replace(" ", "")) % 8))
    return totp.code_at(key, totp.step_of(datetime.now(UTC)))
