"""A browser for the journeys: Debian's Chromium, driven headless, with the accessibility rules of axe-core at hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, sync_playwright

from .server import serving

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "var" / "screenshots"
WIDE = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def missing() -> str:
    """What a journey lacks here, in one line; "" when it can run."""
    if not CHROMIUM.exists():
        return f"{CHROMIUM} is missing: install Debian's package chromium"
    if not AXE.exists():
        return "axe-core is missing: run npm ci"
    return ""


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium that is closed on the way out."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def visit(started: Browser, base_url: str, *, locale: str = "de-DE", javascript: bool = True) -> Iterator[Page]:
    """A page of a fresh context (no cookies) at 1280 px; every error a page makes in the console is raised at the end.

    The policy of the pages (CSP) stays in force for the pages themselves: axe-core is evaluated by the driver.
    """
    context: BrowserContext = started.new_context(
        base_url=base_url, locale=locale, viewport=WIDE, java_script_enabled=javascript, timezone_id="Europe/Berlin"
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
        # An answer of 4xx is what a journey may well provoke; a refused script or style never is.
        serious = [line for line in complaints if "Failed to load resource" not in line]
        assert not serious, f"the browser complained: {serious}"
    finally:
        context.close()


@contextmanager
def at_work(host: str, *, email: str, password: str) -> Iterator[Page]:
    """A server on the tests' database and a browser on `host`, in which somebody has signed in with their password.

    The second factor must not be asked for.
    """
    with serving() as port, browser() as started, visit(started, f"http://{host}:{port}") as page:
        page.goto("/anmelden/")
        page.get_by_label("E-Mail").fill(email)
        page.locator("input[type=password]").fill(password)
        page.locator("main button[type=submit]").first.click()
        page.wait_for_url("**/arbeit/**")
        yield page


def assert_all_accessible(page: Page, paths: Mapping[str, str], prefix: str) -> None:
    """Every page has one heading, and is as `assert_accessible` wants it; all that is wrong is told at once."""
    wrong = {}
    for name, path in paths.items():
        page.goto(path)
        headings = page.locator("h1").count()
        try:
            assert headings == 1, f"{headings} headings"
            assert_accessible(page, f"{prefix}-{name}")
        except AssertionError as error:
            wrong[name] = str(error)
    assert wrong == {}


def findings(page: Page) -> list[dict[str, Any]]:
    """axe-core's violations on the page as it stands, each with rule, help and the places."""
    try:
        result = _judged(page)
    except Error:  # the answer to what was pressed came in the midst: the page that counts is the next one
        page.wait_for_load_state()
        result = _judged(page)
    return [
        {
            "rule": v["id"],
            "help": v["help"],
            "places": [n["html"][:160] + " " + n.get("failureSummary", "")[:240] for n in v["nodes"]],
        }
        for v in result["violations"]
    ]


def _judged(page: Page) -> dict[str, Any]:
    page.evaluate(AXE.read_text(encoding="utf-8") + "; null")
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
    )
    return found


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways; [] if it does not."""
    return list(
        page.evaluate(
            """() => {
              const width = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= width) { return []; }
              const wider = e => e.getBoundingClientRect().right > width + 1;
              const out = [...document.querySelectorAll('body *')].filter(wider);
              return out.slice(0, 5).map(e => e.outerHTML.slice(0, 160));
            }"""
        )
    )


def assert_accessible(page: Page, name: str = "") -> None:
    """No axe-core finding at 1280 and 390 px, nothing scrolls sideways at 390 px; with a name, screenshots are kept."""
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        found = findings(page)
        if name:
            screenshot(page, name)
        assert not found, f"{page.url} at {size['width']} px: {found}"
        if size is PHONE:
            wide = too_wide(page)
            assert not wide, f"{page.url} scrolls sideways at {size['width']} px: {wide}"
    page.set_viewport_size(WIDE)


def screenshot(page: Page, name: str) -> Path:
    """Keep the whole page as var/screenshots/<name>-<width>.png."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width = (page.viewport_size or WIDE)["width"]
    target = SCREENSHOTS / f"{re.sub(r'[^a-z0-9-]+', '-', name.lower())}-{width}.png"
    page.screenshot(path=str(target), full_page=True)
    return target
