"""Reading facts off pages: codes, references, amounts, states."""

import csv
import hashlib
import io
import re
from email import message_from_string
from email.header import decode_header, make_header
from typing import Any, Final

from .filling import guided
from .report import true
from .visitor import Page, Visitor

UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
DOCUMENT: Final = rf"/arbeit/akten/dokument/{UUID}/$"
_CODE: Final = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){6}\b")


def page_id(text: str) -> str:
    """The last UUID in an address."""
    found = re.findall(UUID, text)
    true(found, f"no id in {text}")
    return str(found[-1])


def code_on(page: Page) -> str:
    found = _CODE.search(page.text)
    true(found, f"{page.path}: no code on the page")
    assert found is not None
    return found[0]


def stands_in(text: str, page: str) -> bool:
    return " ".join(text.split()) in page


def guided_values(page: Page) -> dict[str, list[str]]:
    values = guided(page).values
    return {name: [value.replace("\r\n", "\n") for value in several] for name, several in values.items()}


def state(page: Page) -> str:
    found = page.main.xpath(".//*[contains(@class,'kern-badge')]")
    return " ".join(found[0].text_content().split()) if found else "?"


def subject_of(mail: str) -> str:
    return str(make_header(decode_header(message_from_string(mail).get("Subject", ""))))


def grouped(reference: str) -> str:
    return " ".join(reference[i : i + 4] for i in range(0, len(reference), 4))


def cell(row: Any, place: int) -> str:
    text = " ".join(row.xpath("./td")[place].text_content().split())
    return re.sub(r"[^\d,-]", "", text) or "0"


def sentence(page: Page, place: str) -> str:
    found = page.main.xpath(".//*[@id=$id]", id=place.lstrip("#"))
    return " ".join(found[0].text_content().split()) if found else ""


def table(page: Page) -> list[list[str]]:
    text = page.content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1:]


def cents(text: str) -> int:
    return int(text.lstrip("'").replace(".", "").replace(",", ""))


def digests_in(visitor: Visitor, page: Page) -> dict[str, str]:
    """The documents a clerk's page leads to: SHA-256 of their contents -> address of the document's page."""
    return {hashlib.sha256(visitor.get(f"{url}inhalt/").content).hexdigest(): url for url in page.links(DOCUMENT)}
