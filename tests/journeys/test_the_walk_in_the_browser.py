"""The walk in a real browser: the citizen by keyboard alone, the clerk from the inbox to the delivered decision."""

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page

from verbund.commands.walk.reading import page_id
from verbund.commands.walk.report import Report
from verbund.commands.walk.visitor import Visitor

from . import keyboard
from .browser import assert_accessible, browser, missing, visit
from .conftest import Live

if TYPE_CHECKING:
    from verbund.commands.walk.journey import Walk
    from verbund.commands.walk.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def walk(site: "Site") -> "Walk":
    """A walk whose service is published and found; the browser does the rest."""
    from verbund.commands.walk.journey import Walk

    walk = Walk(site, Report(quiet=True))
    site.walks += 1
    walk.import_and_publish()
    walk.find()
    return walk


def sit_down(page: Page, site: "Site", role: str) -> None:
    """Give the browser the session of the colleague with this role."""
    desk, _how = site.desk(role)
    take_session(page, desk)


def take_session(page: Page, visitor: Visitor) -> None:
    page.context.add_cookies(
        [{"name": c.name, "value": c.value or "", "url": visitor.base} for c in visitor._client.cookies.jar]
    )


def test_citizen_by_keyboard_then_clerk_then_a_second_clerk(live: Live, walk: "Walk", chromium: Browser) -> None:
    tracking, application = apply_by_keyboard(live, walk, chromium)
    with visit(chromium, live.url) as clerk, visit(chromium, live.url) as head:
        sit_down(clerk, walk.site, "clerk")
        sit_down(head, walk.site, "head_of_unit")
        case = f"/arbeit/vorgaenge/{application}/"
        clerk.goto("/arbeit/eingang/")
        assert_accessible(clerk, "walk-inbox")
        clerk.locator(f"a[href='{case}']").first.click()
        assert_accessible(clerk, "walk-case-new")

        # Two at once: the second is told who was first, and nothing is changed.
        head.goto(case)
        clerk.locator("form[action$='/uebernehmen/'] button").first.click()
        clerk.wait_for_url(f"**{case}")
        head.locator("form[action$='/uebernehmen/'] button").first.click()
        head.wait_for_load_state()
        assert "Selma Sachbearbeitung" in head.locator("main").inner_text()
        assert_accessible(head, "walk-second-clerk")
        clerk.reload()
        assert "Selma Sachbearbeitung" in clerk.locator("main").inner_text()

        clerk.goto(f"{case}rueckfrage/")
        assert_accessible(clerk, "walk-ask")
        clerk.fill("textarea[name='text']", "Bitte senden Sie uns die Rückseite der Bescheinigung.")
        clerk.locator("main form button[type='submit']").first.click()
        clerk.wait_for_url(f"**{case}")

        answer_in_the_portal(live, chromium, tracking, application)

        clerk.goto(f"{case}entscheiden/")
        assert_accessible(clerk, "walk-decide")
        clerk.check("input[name='outcome'][value='granted']")
        clerk.locator("main form button[type='submit']").first.click()
        clerk.wait_for_url("**/bescheid/")
        assert_accessible(clerk, "walk-check-the-letter")

        # The same page in a second tab: only one of the two signs.
        second_tab = clerk.context.new_page()
        second_tab.goto(clerk.url)
        clerk.locator("form[action$='/versenden/'] button").click()
        clerk.wait_for_url(f"**{case}")
        second_tab.locator("form[action$='/versenden/'] button").click()
        second_tab.wait_for_load_state()
        assert_accessible(second_tab, "walk-second-tab")
        assert "Jemand war schneller" in second_tab.locator("main").inner_text()
        second_tab.close()
        wait_for(clerk, case, "Kassenzeichen")
        assert_accessible(clerk, "walk-case-decided")
    with visit(chromium, live.url) as citizen:
        open_status(citizen, tracking, application)
        wait_for(citizen, f"/stand/{application}/", "bezahlen")
        assert_accessible(citizen, "walk-status-delivered")
        letters = citizen.locator("a[href*='/dokument/']")
        assert letters.count() >= 2


def apply_by_keyboard(live: Live, walk: "Walk", chromium: Browser) -> tuple[str, str]:
    """From the search to the sent application, with no other device than the keyboard."""
    from verbund.modules.citizenservices.services import rehearse
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for

    with acting_for(live.town.facts()):
        form = rehearse(Actor.system(live.town.schema_name, "journey"), content=walk.content, optional=0.0)
    answers = {answer.path: answer for answer in form.answers}
    with visit(chromium, live.url) as page:
        page.goto("/")
        assert_accessible(page, "walk-start")
        keyboard.tab_to(page, name="q")
        page.keyboard.type("Parkausweis")
        keyboard.enter(page)
        assert_accessible(page, "walk-found")
        keyboard.tab_to(page, text=walk.title)
        keyboard.enter(page)
        assert_accessible(page, "walk-service")
        keyboard.tab_to(page, text="Antrag beginnen")
        keyboard.enter(page)
        given: set[str] = set()
        for number in range(1, form.steps + 1):
            assert page.url.endswith(f"/{number}/"), page.url
            assert_accessible(page, f"walk-step-{number}")
            given |= keyboard.fill_page(page, answers)
        assert given == set(answers)
        assert page.url.endswith("/pruefen/"), page.url
        assert_accessible(page, "walk-check")
        keyboard.tab_to(page, name="delivery")
        page.keyboard.press("Space")
        keyboard.tab_to(page, text="Antrag senden")
        keyboard.enter(page)
        assert "/antrag/gesendet/" in page.url, page.locator("main").inner_text()
        assert_accessible(page, "walk-sent")
        code = page.locator(".cs-code__signs").inner_text().strip()
        assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){6}", code)
        return code, page_id(page.url)


def open_status(page: Page, tracking: str, application: str) -> None:
    page.goto("/stand/")
    keyboard.tab_to(page, name="code")
    page.keyboard.type(tracking)
    keyboard.enter(page)
    assert page.url.endswith(f"/stand/{application}/")


def answer_in_the_portal(live: Live, chromium: Browser, tracking: str, application: str) -> None:
    """The citizen opens the status with the code and answers, by keyboard."""
    with visit(chromium, live.url) as page:
        page.goto("/stand/")
        assert_accessible(page, "walk-enter-code")
        open_status(page, tracking, application)
        assert_accessible(page, "walk-status-question")
        keyboard.tab_to(page, text="Frage beantworten")
        keyboard.enter(page)
        assert_accessible(page, "walk-answer")
        keyboard.tab_to(page, name="text")
        page.keyboard.type("Die Rückseite ist leer, es steht nichts darauf.")
        keyboard.tab_to(page, text="senden")
        keyboard.enter(page)
        assert page.url.endswith(f"/stand/{application}/"), page.locator("main").inner_text()


def wait_for(page: Page, path: str, text: str, seconds: float = 20.0) -> None:
    """Reload until a job has done its part."""
    end = time.monotonic() + seconds
    while True:
        page.goto(path)
        said = page.locator("main").inner_text()
        if text in said:
            return
        assert time.monotonic() < end, f"{path}: {text} did not come: {said[:600]}"
        time.sleep(0.2)
