"""A visitor: reads pages as a browser without scripts does, fills forms in, keeps cookies and follows what the house
answers."""

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html
from lxml.html import FormElement, HtmlElement

_BLANKS: Final = re.compile(r"\s+")

Upload = tuple[str, bytes, str]  # filename, content, media type


class Untrue(Exception):  # noqa: N818 - reads as the answer
    """Something on the way is not as it must be; the message says what was expected and what was found."""


class _Loopback(httpx.HTTPTransport):
    """Sends every request to 127.0.0.1 and leaves the name of the host in its header: names of bodies need no name
    server."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        there = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(there)


@dataclass(frozen=True)
class Page:
    """A page as it was answered; `seconds` of the server and the way there together."""

    url: str
    status: int
    document: HtmlElement
    content: bytes
    media_type: str
    headers: Mapping[str, str]
    seconds: float

    @property
    def path(self) -> str:
        """Path of the page behind all redirects."""
        return urlsplit(self.url).path

    @property
    def text(self) -> str:
        """What stands on the page, blanks folded; parts of different elements are always parted."""
        return folded(" ".join(map(str, self.document.itertext()))) if self.media_type == "text/html" else ""

    @property
    def main(self) -> HtmlElement:
        """The main part of the page, without header, navigation and footer."""
        found = self.document.xpath("//main")
        return found[0] if found else self.document

    @property
    def heading(self) -> str:
        """The page's first heading."""
        found = self.document.xpath("//h1")
        return folded(found[0].text_content()) if found else ""

    def links(self, pattern: str) -> list[str]:
        """Addresses of the links (and of embedded documents) that match a regular expression, each once, in order."""
        wanted = re.compile(pattern)
        found = self.document.xpath("//a/@href | //iframe/@src | //object/@data")
        return [h for h in dict.fromkeys(urljoin(self.url, str(f)) for f in found) if wanted.search(h)]

    def link(self, pattern: str) -> str:
        """The first such link.

        Raises:
            Untrue: there is none.
        """
        found = self.links(pattern)
        if not found:
            raise Untrue(f"{self.path}: no link {pattern} on the page “{self.heading}”")
        return found[0]

    def forms(self) -> list[FormElement]:
        """The forms of the main part."""
        return list(self.main.xpath(".//form"))

    def form(self, *, action: str = "", having: Iterable[str] = ()) -> "FilledForm":
        """The first form whose action matches `action` and that has all the fields `having`.

        Raises:
            Untrue: there is none.
        """
        for form in self.forms():
            target = urljoin(self.url, form.get("action") or self.url)
            if re.search(action, target) and set(having) <= set(form.inputs.keys()):
                return FilledForm(self, form, target)
        offered = ", ".join(f"{f.get('action') or 'here'} {sorted(k for k in f.inputs if k)}" for f in self.forms())
        raise Untrue(f"{self.path}: no form {action} with {list(having)} on “{self.heading}”; there are: {offered}")

    def errors(self) -> list[str]:
        """The messages of the error summary and at the fields."""
        found = self.document.xpath(
            "//*[contains(@class,'vb-error-summary')]//li | //*[contains(@class,'kern-error')] | //*[@role='alert']"
        )
        return list(dict.fromkeys(folded(e.text_content()) for e in found if folded(e.text_content())))


@dataclass
class FilledForm:
    """A form on a page with what was filled in."""

    page: Page
    element: FormElement
    target: str
    values: dict[str, list[str]] = field(default_factory=dict)
    uploads: dict[str, list[Upload]] = field(default_factory=dict)
    button: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        areas = {str(name) for name in self.element.xpath(".//textarea/@name")}
        for name, value in self.element.form_values():
            # A browser drops the line break that follows the opening tag of a textarea.
            text = str(value).removeprefix("\r").removeprefix("\n") if name in areas else str(value)
            self.values.setdefault(str(name), []).append(text)

    def names(self) -> list[str]:
        """The names of the fields, in order."""
        return [str(name) for name in dict.fromkeys(self.element.xpath(".//@name"))]

    def fill(self, name: str, *values: str) -> "FilledForm":
        """Type, choose or tick.

        Raises:
            Untrue: the form has no such field, or a choice does not offer the value.
        """
        inputs = self.element.xpath(".//*[@name=$name]", name=name)
        if not inputs:
            raise Untrue(f"{self.page.path}: the form has no field {name}; it has {self.names()}")
        offered = choices(inputs)
        for value in values:
            if offered is not None and value not in offered:
                raise Untrue(f"{self.page.path}: {name} does not offer {value!r}, only {sorted(offered)[:20]}")
        self.values[name] = list(values)
        return self

    def attach(self, name: str, *files: Upload) -> "FilledForm":
        """Choose files.

        Raises:
            Untrue: the form has no such file field.
        """
        if not self.element.xpath(".//input[@type='file'][@name=$name]", name=name):
            raise Untrue(f"{self.page.path}: the form has no file field {name}")
        self.uploads[name] = list(files)
        self.values.pop(name, None)
        return self

    def press(self, name: str, value: str | None = None) -> "FilledForm":
        """Choose the button with this name (and value) to submit with.

        Raises:
            Untrue: there is no such button.
        """
        buttons = self.element.xpath(".//button[@name=$name] | .//input[@type='submit'][@name=$name]", name=name)
        for button in buttons:
            if value is None or button.get("value", "") == value:
                self.button = (name, button.get("value", ""))
                self.target = urljoin(self.page.url, button.get("formaction") or self.target)
                return self
        raise Untrue(f"{self.page.path}: no button {name}={value}")


def choices(inputs: list[Any]) -> set[str] | None:
    """The values that a select, radio buttons or checkboxes offer; None where anything may be typed."""
    offered: set[str] = set()
    for element in inputs:
        if element.tag == "select":
            offered.update(option.get("value", folded(option.text_content())) for option in element.xpath(".//option"))
        elif element.tag == "input" and element.get("type") in ("radio", "checkbox"):
            offered.add(element.get("value", "on"))
        else:
            return None
    return offered


class Visitor:
    """Somebody with a browser of their own, on the host of one body."""

    def __init__(self, host: str, port: int) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.host, self.port = host, port
        self.base = f"http://{host}:{port}"
        self._client = httpx.Client(transport=_Loopback(), timeout=30.0, follow_redirects=True, max_redirects=8)
        self._client.headers.update({"Accept-Language": "de", "User-Agent": "verbund-walk"})
        self.pages = 0

    def close(self) -> None:
        """Close the browser."""
        self._client.close()

    def get(self, address: str, *, expect: int = 200) -> Page:
        """Open a page.

        Raises:
            Untrue: another status than expected.
        """
        return self._page(lambda: self._client.get(urljoin(self.base, address)), expect)

    def submit(self, form: FilledForm, *, expect: int = 200) -> Page:
        """Send a form as a browser does and follow the answer.

        Raises:
            Untrue: another status than expected; what the page complains about stands in the message.
        """
        data: dict[str, list[str]] = {name: list(values) for name, values in form.values.items()}
        if form.button:
            data.setdefault(form.button[0], []).append(form.button[1])
        method = (form.element.method or "GET").upper()
        if method == "GET":
            return self._page(lambda: self._client.get(form.target, params=data), expect)
        if (form.element.get("enctype") or "") == "multipart/form-data":
            files: list[tuple[str, Any]] = [(n, (None, v)) for n, values in data.items() for v in values]
            files += [(name, upload) for name, uploads in form.uploads.items() for upload in uploads]
            return self._page(lambda: self._client.post(form.target, files=files), expect)
        if form.uploads:
            raise Untrue(f"{form.page.path}: a form with files must be sent as multipart/form-data")
        return self._page(lambda: self._client.post(form.target, data=data), expect)

    def _page(self, ask: Callable[[], httpx.Response], expect: int) -> Page:
        begun = time.perf_counter()
        answer = ask()
        seconds = time.perf_counter() - begun
        self.pages += 1
        media_type = answer.headers.get("content-type", "").split(";")[0]
        source = answer.text if media_type == "text/html" and answer.text.strip() else "<html><body></body></html>"
        page = Page(
            url=str(answer.url),
            status=answer.status_code,
            document=html.document_fromstring(source),
            content=answer.content,
            media_type=media_type,
            headers=answer.headers,
            seconds=seconds,
        )
        if answer.status_code != expect:
            told = "; ".join(page.errors()) or page.heading or page.text[:200]
            raise Untrue(f"{page.path}: {answer.status_code} instead of {expect}: {told}")
        return page


def folded(text: str) -> str:
    """A text with its blanks folded."""
    return _BLANKS.sub(" ", text).strip()
