"""A citizen without a mouse: everything with Tab, arrows, Space and Enter."""

from typing import Any

from playwright.sync_api import FileChooser, Page
from playwright.sync_api import TimeoutError as NothingCame

from verbund.modules.citizenservices.services import RehearsedAnswer

MOST_KEYS = 250  # presses of Tab on one page; more is a trap

_FOCUSED = """() => {
  const e = document.activeElement;
  const box = e.getBoundingClientRect();
  const style = getComputedStyle(e);
  return {
    tag: e.tagName, type: e.type || '', name: e.name || '', value: e.value || '', href: e.href || '',
    text: (e.innerText || '').trim(), checked: !!e.checked, width: box.width, height: box.height,
    outlined: style.outlineStyle !== 'none' || style.boxShadow !== 'none' || style.textDecorationLine !== 'none'
      || style.borderStyle !== 'none',
  };
}"""


def focused(page: Page) -> dict[str, Any]:
    """What has the focus."""
    found: dict[str, Any] = page.evaluate(_FOCUSED)
    return found


def tab_to(page: Page, *, text: str = "", name: str = "", value: str = "") -> dict[str, Any]:
    """Press Tab until the element with this text (of a link or button), or name and value, has the focus."""
    for _key in range(MOST_KEYS):
        page.keyboard.press("Tab")
        found = focused(page)
        if (text and text in found["text"] and found["tag"] in ("A", "BUTTON")) or (
            name and found["name"] == name and (not value or found["value"] == value)
        ):
            assert found["outlined"], f"the focus on {found} cannot be seen"
            return found
    raise AssertionError(f"{page.url}: {text or name} cannot be reached by Tab")


def enter(page: Page) -> None:
    """Press Enter and wait for the page that follows."""
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")


def fill_page(page: Page, answers: dict[str, RehearsedAnswer]) -> set[str]:
    """Walk through the page with Tab, give each question its answer, go on with Enter; returns what was answered."""
    given: set[str] = set()
    for _key in range(MOST_KEYS):
        page.keyboard.press("Tab")
        at = focused(page)
        if at["tag"] == "BUTTON" and at["name"] == "action" and at["value"] == "next":
            enter(page)
            return given
        answer = _answer_for(at, answers)
        if answer is not None and answer.path not in given:
            _give(page, at, answer)
            given.add(answer.path)
    raise AssertionError(f"{page.url}: the button that leads on cannot be reached by Tab")


def _answer_for(at: dict[str, Any], answers: dict[str, RehearsedAnswer]) -> RehearsedAnswer | None:
    return answers.get(at["name"]) or (answers.get(f"{at['name']}.0") if at["type"] == "file" else None)


def _file_chooser(page: Page) -> FileChooser:
    """The dialog that the focused field opens; pressed once more, as a person does when nothing comes."""
    page.on("filechooser", _nothing)  # from now on dialogs are the test's, not the browser's
    for _press in range(3):
        try:
            with page.expect_file_chooser(timeout=10_000) as chooser:
                page.keyboard.press("Space")
        except NothingCame:
            continue
        return chooser.value
    raise AssertionError("no dialog to choose a file opens")


def _nothing(_chooser: FileChooser) -> None:
    """Somebody listens."""


def _give(page: Page, at: dict[str, Any], answer: RehearsedAnswer) -> None:
    if answer.file is not None:
        _file_chooser(page).set_files(
            {"name": answer.file.filename, "mimeType": answer.file.media_type, "buffer": answer.file.content}
        )
    elif at["type"] == "radio":
        page.keyboard.press("Space")
        for _key in range(30):
            if focused(page)["value"] == answer.value:
                return
            page.keyboard.press("ArrowDown")
        raise AssertionError(f"{answer.path}: no radio button {answer.value}")
    elif at["tag"] == "SELECT":
        for _key in range(400):
            if focused(page)["value"] == answer.value:
                return
            page.keyboard.press("ArrowDown")
        raise AssertionError(f"{answer.path}: the list has no {answer.value}")
    else:
        page.keyboard.press("Control+a")
        page.keyboard.type(answer.typed)
