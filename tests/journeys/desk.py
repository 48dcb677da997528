"""Somebody at a desk with a browser: opens, follows, fills in, sends - and every page on the way is looked at."""

import base64
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page

from verbund.platform.identity import totp

from .browser import assert_accessible

SECONDS = 60.0


class Desk:
    """A browser of somebody; screenshots of all pages are kept under `name`."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name
        self.seen: list[str] = []

    def look(self, what: str) -> None:
        """The page as it stands: one heading, no finding of axe-core at 1280 and 390 px, nothing scrolls sideways."""
        headings = self.page.locator("main h1").all_inner_texts()
        assert len(headings) == 1, f"{self.page.url}: {headings}"
        assert_accessible(self.page, f"beitritt-{self.name}-{len(self.seen) + 1:02d}-{what}")
        self.seen.append(self.page.url)

    def open(self, path: str, what: str) -> None:
        """Go to an address."""
        answer = self.page.goto(path)
        assert answer is not None, path
        assert answer.status == 200, f"{path}: {answer.status}"
        self.look(what)

    def follow(self, selector: str, what: str) -> None:
        """Click on a link."""
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state()
        self.look(what)

    def fill(self, **fields: str) -> "Desk":
        """Type, choose or tick in the main part of the page."""
        for name, value in fields.items():
            field = self.page.locator(f"main [name='{name}']")
            kind = field.first.evaluate("e => e.tagName + ':' + (e.type || '')")
            if kind.startswith("SELECT"):
                field.select_option(value)
            elif kind in ("INPUT:radio", "INPUT:checkbox"):
                self.page.locator(f"main [name='{name}'][value='{value}']").check()
            else:
                field.fill(value)
        return self

    def send(self, what: str, *, button: str = "main form button[type='submit']") -> None:
        """Press the button and look at the answer."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(button).first.click()
        self.look(what)

    def confirm(self, link: str, what: str) -> None:
        """Open the question that is asked once, in its dialog, and say yes."""
        self.page.locator(link).first.click()
        dialog = self.page.locator("dialog[open]")
        dialog.wait_for()
        self.look(f"{what}-question")
        with self.page.expect_navigation(wait_until="load"):
            dialog.locator("button[type='submit']").first.click()
        self.look(what)

    def says(self, text: str) -> bool:
        """Whether the main part of the page says this."""
        return text in re.sub(r"\s+", " ", self.page.locator("main").inner_text())

    def wait(self, path: str, there: Callable[["Desk"], Any], what: str) -> None:
        """Reload until the worker has done its part, then look."""
        end = time.monotonic() + SECONDS
        while True:
            self.page.goto(path)
            if there(self):
                break
            assert time.monotonic() < end, (
                f"{path}: {what} did not come: {self.page.locator('main').inner_text()[:800]}"
            )
            time.sleep(0.3)
        self.look(what)

    def first_sign_in(self, invitation: str, *, email: str, password: str) -> None:
        """Out of the invitation: a password, the sign-in, the second factor, the workspace."""
        self.open(invitation, "invitation")
        self.fill(password=password, again=password).send("sign-in")
        self.fill(email=email, password=password).send("second-factor")
        texts = [text.strip() for text in self.page.locator("main code").all_inner_texts()]
        shown = next(text for text in texts if re.fullmatch(r"(?:[A-Z2-7]{4} ?){4,}", text)).replace(" ", "")
        key = base64.b32decode(shown + "=" * (-len(shown) % 8))
        self.fill(code=totp.code_at(key, totp.step_of(datetime.now(UTC)))).send("recovery-codes")
        assert len(self.page.locator("main li code").all()) >= 10
        self.open("/arbeit/", "workspace")
