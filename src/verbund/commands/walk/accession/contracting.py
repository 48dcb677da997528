"""The contract (Beitrittsvertrag) on its pages: assembled from clauses, refused with gaps, decided on, signed.

The parties decide on a hash that a person reads off the page; the walk reads it there too and nowhere else.
"""

import re
from datetime import date
from functools import partial
from typing import Final

from verbund.commands.demo.papers import pdf
from verbund.commands.texts import _
from verbund.commands.walk.papers import paper
from verbund.commands.walk.reading import UUID
from verbund.commands.walk.report import equal, true
from verbund.commands.walk.visitor import FilledForm, Page

from .alliance import CANDIDATE_NAME, CARRIERS
from .entering import HEAD
from .ground import Ground, filled, told

SHARE_CENTS: Final = 50_000
_LIBRARY: Final = "/arbeit/klauseln/"
_START_SET: Final = 10  # clauses
_VALUES: Final = {"payment_days": "30", "notice_months": "24", "audit_body": "das Rechnungsprüfungsamt des Landkreises"}
_LEFT_OUT: Final = "joint_decision"  # § 167b (3) no. 4
_GAPS: Final = ("§ 167b Abs. 3 Nr. 4 KV M-V", "{payment_days}", "{chair}", "wer den Vorsitz")


class Contracting:
    """What is done on the pages of clauses and contract; the consents are acts of the accession."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.days = ground, ground.alliance.days
        self.manager = ground.manager()
        self.superseded = ""  # the hash of the version that was changed

    def library_reviewed(self) -> None:
        """Clauses count when a second person has reviewed them."""
        with self.ground.report.step(
            _("The clauses are taken from the start set, and reviewed by a second person")
        ) as step:
            page = self.manager.get(_LIBRARY)
            page = self.manager.submit(page.form(action=r"/startbestand/$"))
            clauses = page.links(r"/klauseln/klausel/[a-z_]+/$")
            equal("clauses of the start set", len(clauses), _START_SET)
            board = self.ground.site.desk("board_member")[0]
            own = self.manager.get(clauses[0]).links(r"/pruefen/$")
            equal("reviews offered to whoever wrote the clause", own, [])
            for clause in clauses:
                page = board.get(board.get(clause).link(r"/pruefen/$"))
                page = board.submit(filled(page.form(having=["note"]), note="Gelesen (Probe)"))
                true("/pruefen/" not in page.path and not page.links(r"/pruefen/$"), f"{page.path}: {told(page)}")
            waiting = [r for r in self.manager.get(_LIBRARY).main.xpath(".//tbody/tr") if "wartet" in r.text_content()]
            equal("clauses that wait for a review", len(waiting), 0)
            step.found(clauses=len(clauses), reviewed_by="Bernd Beirat")

    def gaps_refused(self) -> None:
        """§ 167b (3) KV M-V says what the contract must hold; without it the parties do not get it to see."""
        with self.ground.report.step(
            _("A draft with gaps is not put before the parties, and says what it lacks")
        ) as step:
            form = self._drafting()
            filled(form, **{f"place_{_LEFT_OUT}": "", "value_payment_days": "", "chair": ""})
            page = self._drafted(form, 1)
            lacks = [
                " ".join(li.text_content().split()) for li in page.main.xpath(".//ul[contains(@class,'mb-lacks')]/li")
            ]
            for gap in _GAPS:
                true(any(gap in lack for lack in lacks), f"{page.path} does not say that {gap} is missing: {lacks}")
            equal("things that are missing", len(lacks), len(_GAPS))
            equal("ways offered to put it before the parties", page.links(r"/festschreiben/$"), [])
            self.ground.refused(
                _("a contract without what § 167b (3) KV M-V requires, before the parties"),
                lambda: self.ground.posted(f"{self._path}1/festschreiben/", self.days.first_version, expect=422),
                because=r"Nr\. 4",
                also=(self._path, f"{self._path}1/"),
            )
            draft = paper(self.manager.get(f"{self._path}1.pdf"))
            true("Entwurf" in draft.text, "the PDF of a draft does not say that it is one")
            step.found(page=page.path, lacks=" | ".join(lacks), pdf=draft.evidence())

    def first_version(self) -> None:
        with self.ground.report.step(_("A first version lies before the parties, a first consent")) as step:
            page = self._drafted(self._drafting(), 2)
            true(not page.main.xpath(".//ul[contains(@class,'mb-lacks')]"), f"{page.path} lacks something still")
            first = self._finalised(2, 1, self.days.first_version, falls="Es ist die erste Fassung")
            whole = paper(self.manager.get(f"{self._path}2.pdf"))
            parties = [CANDIDATE_NAME, *(name for _slug, name, *_rest in CARRIERS)]
            missing = [said for said in (*parties, "30 Tagen", "Vorsitz") if said not in whole.text]
            true(not missing, f"the PDF of the contract lacks {missing}")
            self.ground.consent("probeland", self.days.first_consent, first)
            equal("decisions on the first version", self.ground.decisions()["Landkreis Probeland"], "zugestimmt")
            self.superseded = self.ground.version_sha256 = first
            step.found(sha256=first, pdf=whole.evidence(), consented="Landkreis Probeland")

    def changed(self) -> None:
        """Whoever changes the contract sees beforehand what falls by it (M1)."""
        with self.ground.report.step(
            _("The contract is changed: the consent falls, an old decision is refused")
        ) as step:
            old = self.manager.get(f"{self.ground.path}record_consent/")  # a tab that stays open
            stale = self._drafting()  # and one at the draft
            self._drafted(filled(self._drafting(), value_payment_days="60"), 3)
            self.ground.refused(
                _("a draft on top of a version that is not the newest"),
                lambda: self.manager.submit(filled(stale, value_payment_days="90"), expect=409),
                because="Inzwischen hat jemand",
                also=(self._path,),
            )
            page = self.manager.get(f"{self._path}vergleich/?alt=2&neu=3")
            words = [" ".join(d.xpath("string()").split()) for d in page.main.xpath(".//del | .//ins")]
            equal("words that differ", [word.split()[-1] for word in words], ["30", "60"])
            second = self._finalised(3, 2, self.days.second_version, falls=r"1 Zustimmung.*Landkreis Probeland")
            true(second != self.superseded, "another text has the same hash")
            self.ground.version_sha256 = second
            found = self.ground.decisions()
            equal("decision of the county", found["Landkreis Probeland"], "einer anderen Fassung zugestimmt")
            late = filled(
                old.form(having=["party_id"]),
                party_id=str(self.ground.alliance.members["altprobe"]),
                on=self.days.consents.isoformat(),
                organ="Stadtvertretung",
            )
            self.ground.refused(
                _("consent to a version that has been changed"),
                lambda: self.manager.submit(late, expect=422),
                because=r"Fassung 1.*Fassung 2",
            )
            self.ground.refused(
                _("signatures before all have consented"),
                partial(self.ground.straight, "sign"),
                because="jetzt nicht möglich",
            )
            self.ground.refused(
                _("a signed copy before all have consented"),
                lambda: self._upload(pdf("Vertrag"), "scanned", self.days.consents, expect=422),
                because="Noch nicht alle Beteiligten",
                also=(self._path,),
            )
            step.found(
                sha256=second, differs=" / ".join(words), decisions="; ".join(f"{k}: {v}" for k, v in found.items())
            )

    def copies_kept(self) -> None:
        """The signed original (Ausfertigung) comes in, byte for byte; nothing unsigned passes for signed."""
        with self.ground.report.step(_("The signed copy comes in, and is handed out as it came")) as step:
            bare = self.manager.get(f"{self._path}3.pdf").content
            self.ground.refused(
                _("a contract that nobody has signed, as an electronically signed copy"),
                lambda: self._upload(bare, "electronic", self.days.signature, expect=422),
                because="keine elektronische Signatur",
                also=(self._path,),
            )
            scan = pdf("Vertrag über den Beitritt, von allen Beteiligten von Hand unterzeichnet (Probe)")
            page = self._upload(scan, "scanned", self.days.signature)
            equal("the page after keeping the copy", page.path, self._path)
            links = page.links(rf"/ausfertigungen/{UUID}\.pdf$")
            equal("signed copies", len(links), 1)
            true(HEAD[0] in page.text, f"{page.path} does not say who has signed")
            true(self.manager.get(links[0]).content == scan, "the copy is not handed out byte for byte")
            self.ground.refused(
                _("the same signed copy once more"),
                lambda: self._upload(scan, "scanned", self.days.signature, expect=422),
                because="liegt schon vor",
                also=(self._path,),
            )
            step.found(copy=links[0], bytes=len(scan), signatories=len(CARRIERS) + 1)

    # --- the pages

    @property
    def _path(self) -> str:
        return f"{self.ground.path}vertrag/"

    def _drafting(self) -> FilledForm:
        """The form of a version, with everything that a complete one needs."""
        form = self.manager.get(f"{self._path}neu/").form(having=["expected_number", "chair"])
        last = len(CARRIERS)
        values: dict[str, str] = {f"value_{name}": said for name, said in _VALUES.items()}
        for number, (*_head, cents, seats, _places) in enumerate(sorted(CARRIERS, key=lambda c: c[1])):
            known = (form.values[f"share_{number}"], form.values[f"seats_{number}"])
            equal(f"what the form knows of party {number}", known, ([f"{cents / 100:.2f}"], [str(seats)]))
        places = [name for name in form.names() if name.startswith("place_")]
        values |= {name: str(place) for place, name in enumerate(places, 1)}
        values["chair"] = str(self.ground.alliance.members[CARRIERS[0][0]])
        return filled(form, **values, **{f"share_{last}": f"{SHARE_CENTS // 100}", f"seats_{last}": "1"})

    def _drafted(self, form: FilledForm, number: int) -> Page:
        page = self.manager.submit(form)
        equal("the page of the drafted version", page.path, f"{self._path}{number}/")
        return page

    def _finalised(self, number: int, known_as: int, on: date, *, falls: str) -> str:
        """Put a version before the parties; the hash that stands on its page."""
        page = self.manager.get(self.manager.get(f"{self._path}{number}/").link(r"/festschreiben/$"))
        true(re.search(falls, page.text), f"{page.path} does not say what falls: {page.main.text_content()[:800]}")
        page = self.manager.submit(page.form(having=["on"]).fill("on", on.isoformat()))
        equal("the page after putting it before the parties", page.path, self._path)
        page = self.manager.get(f"{self._path}{number}/")
        true(f"Fassung {known_as}" in page.text, f"{page.path}: not known to the parties as version {known_as}")
        found = page.main.xpath("string(.//dl//code[contains(@class,'mb-hash')])").strip()
        true(re.fullmatch(r"[0-9a-f]{64}", found), f"{page.path}: no hash")
        true("ergeben genau diese Prüfsumme" in page.text, f"{page.path}: the hash is not proven")
        return str(found)

    def _upload(self, content: bytes, kind: str, on: date, *, expect: int = 200) -> Page:
        page = self.manager.get(f"{self._path}ausfertigung/")
        form = page.form(having=["kind", "name_0"]).fill("kind", kind)
        for number, title in enumerate(page.main.xpath(".//legend[contains(@class,'kern-heading-small')]/text()")):
            name, function = HEAD if str(title).strip() == CANDIDATE_NAME else (f"Person {number}", "Vertretung")
            filled(form, **{f"name_{number}": name, f"function_{number}": function, f"day_{number}": on.isoformat()})
        form.attach("file", ("Vertrag unterzeichnet.pdf", content, "application/pdf"))
        return self.manager.submit(form, expect=expect)
