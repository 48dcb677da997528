"""What all parts of the accession stand on: who sits at which desk, one act filed on its page, one attempt refused."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from email import message_from_string
from typing import Final

from verbund.commands.walk.people import sign_in
from verbund.commands.walk.reading import UUID, state
from verbund.commands.walk.report import Report, Step, equal, true
from verbund.commands.walk.site import Site
from verbund.commands.walk.visitor import FilledForm, Page, Untrue, Visitor, folded

from .alliance import CANDIDATE, Alliance

JOB_SECONDS: Final = 60.0


@dataclass
class Ground:
    """The running installation with the furnished alliance, and what the parts found out for each other."""

    alliance: Alliance
    site: Site
    report: Report
    path: str = ""  # of the accession's page
    version_sha256: str = ""  # of the text that counts
    yearly_cents: int = 0
    refusals: list[str] = field(default_factory=list)

    @property
    def member_id(self) -> str:
        """The candidate's id in the alliance's list of members."""
        return str(self.alliance.members[CANDIDATE])

    def manager(self) -> Visitor:
        """The desk of the alliance's management."""
        return self.site.desk("alliance_manager")[0]

    def page(self) -> Page:
        """The accession's page, as it is now."""
        return self.manager().get(self.path)

    def act(self, action: str, on: date, *, by: Visitor | None = None, expect: int = 200, **fields: str) -> Page:
        """File one act of the accession on its own page."""
        visitor = by or self.manager()
        page = visitor.get(f"{self.path}{action}/")
        true(page.path.endswith(f"/{action}/"), f"{action} is not possible: {'; '.join(told(page))}")
        page = visitor.submit(filled(page.form(having=["on"]), on=on.isoformat(), **fields), expect=expect)
        if expect == 200:
            equal(f"the page after {action}", page.path, self.path)
        return page

    def consent(self, slug: str, on: date, sha256: str, *, by: Visitor | None = None) -> None:
        """File a carrier's consent to the version with this hash."""
        page = self.act(
            "record_consent",
            on,
            by=by,
            party_id=str(self.alliance.members[slug]),
            version_sha256=sha256,
            organ="Vertretungskörperschaft",
            votes_for="20",
            votes_against="1",
            abstentions="0",
        )
        true(sha256 in page.text, f"{page.path} does not name the version {sha256}")

    def decisions(self) -> dict[str, str]:
        """What each party has decided on the version that counts, as the accession's page says it."""
        page = self.page()
        rows = page.main.xpath(".//table[.//td[@data-label='Entscheidung']]/tbody/tr")
        true(rows, f"{page.path}: no table of decisions")
        return {
            " ".join(row.xpath("string(th/text())").split()): " ".join(row.xpath("string(td[1])").split())
            for row in rows
        }

    def straight(self, action: str) -> Page:
        """Post to an act that no page offers, as a tab that was left open or a tool would."""
        return self.posted(f"{self.path}{action}/", self.alliance.days.effect)

    def posted(self, path: str, on: date, *, expect: int = 200) -> Page:
        """Post a day to a page that does not offer its form now."""
        form = self.manager().get("/arbeit/beitritte/neu/").form(having=["on"]).fill("on", on.isoformat())
        form.target = f"{self.manager().base}{path}"
        return self.manager().submit(form, expect=expect)

    def refused(self, what: str, attempt: Callable[[], Page], *, because: str, also: tuple[str, ...] = ()) -> None:
        """An attempt that the house must refuse, with its reason, and that changes nothing on any of these pages.

        Raises:
            Untrue: it was not refused, for another reason, or something has changed.
        """
        before = self._standing(also)
        answers = told(attempt())
        true(any(re.search(because, text) for text in answers), f"{what}: not refused because of {because}: {answers}")
        after = self._standing(also)
        changed = [path for path in before if before[path] != after[path]]
        true(not changed, f"{what}: refused, and yet changed: {changed}")
        self.refusals.append(what)

    def _standing(self, also: tuple[str, ...]) -> dict[str, str]:
        pages = (self.path, "/arbeit/traeger/", f"/arbeit/mitglieder/{self.member_id}/", *also)
        return {path: main_text(self.manager().get(path)) for path in pages}

    def wait(self, visitor: Visitor, path: str, there: Callable[[Page], object], what: str) -> Page:
        """Reload a page until the worker has done its part."""
        end = time.monotonic() + JOB_SECONDS
        while True:
            page = visitor.get(path)
            if there(page):
                return page
            if time.monotonic() > end:
                raise Untrue(f"{path}: {what} did not come within {JOB_SECONDS:.0f} s: {page.text[:600]}")
            time.sleep(0.1)

    def invitation(self, email: str, site: Site) -> str:
        """The link in the invitation that went to an address; it leads to the host of `site`."""
        found: list[str] = []

        def there(_page: Page) -> bool:
            found.extend(invitation_in(site.mails(), email))
            return bool(found)

        self.wait(self.manager(), "/arbeit/traeger/", there, f"the invitation of {email}")
        true(f"//{site.town.host}:{site.port}/" in found[-1], f"the invitation leads to {found[-1]}")
        return found[-1]

    def first_sign_in(self, key: str, site: Site) -> str:
        """Follow the invitation, choose a password, sign in, set the second factor up."""
        email, password = site.town.emails[key], site.town.password
        link = self.invitation(email, site)
        visitor = site.citizen()
        page = visitor.get(link)
        page = visitor.submit(filled(page.form(having=["password", "again"]), password=password, again=password))
        equal("the page after choosing a password", page.path, "/anmelden/")
        visitor.get(link, expect=410)  # an invitation is good once
        how = sign_in(visitor, email=email, password=password)
        site.visitors[key] = visitor
        return how

    def standing_is(self, step: Step, expected: str) -> None:
        """The state on the accession's page, noted as evidence."""
        found = state(self.page())
        equal("the state of the accession", found, expected)
        step.found(state=found)


def filled(form: FilledForm, **fields: str) -> FilledForm:
    """Fill in fields by their names."""
    for name, value in fields.items():
        form.fill(name, value)
    return form


def invitation_in(mails: Sequence[str], email: str) -> list[str]:
    """The links of invitations in the e-mails to an address, the newest last."""
    return [
        link
        for mail in mails
        if email in mail
        for link in re.findall(r"https?://\S+/anmelden/einladung/[^\s>]+", _text_of(mail))
    ]


def _text_of(mail: str) -> str:
    parts = [part for part in message_from_string(mail).walk() if part.get_content_type() == "text/plain"]
    return "\n".join(bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace") for part in parts)


def told(page: Page) -> list[str]:
    """What the page says of something that did not go: messages, the summary of errors, errors at the fields; a page
    that says somebody else was quicker says nothing else."""
    found = page.document.xpath("//*[@id='messages']/*")
    if page.status == 409:
        found += page.main.xpath(".//p")
    return [*page.errors(), *(folded(message.text_content()) for message in found)]


def main_text(page: Page) -> str:
    """The main part of a page without the messages above it."""
    parts = page.main.xpath(".//text()[not(ancestor::*[@id='messages']) and not(ancestor::script)]")
    return re.sub(rf"csrf\w*|{UUID}", "", folded(" ".join(str(part) for part in parts)))


def euros(cents: int) -> str:
    """Cents as a German form takes them."""
    return f"{cents // 100},{cents % 100:02d}"


def cents_in(text: str) -> int:
    """The first amount of euros in a text, in cents.

    Raises:
        Untrue: there is none.
    """
    found = re.search(r"(-?\d{1,3}(?:\.\d{3})*),(\d\d)", text)
    if found is None:
        raise Untrue(f"no amount in “{text[:200]}”")
    return int(found[1].replace(".", "") + found[2])
