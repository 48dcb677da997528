"""The town gets into the alliance's list (Verzeichnis der Körperschaften): entered, then what is known of it."""

import re
import uuid
from typing import Final

from verbund.commands.texts import _
from verbund.commands.walk.reading import UUID, page_id
from verbund.commands.walk.report import equal, true

from .alliance import CANDIDATE, CANDIDATE_NAME, SPEAKER
from .ground import Ground, filled, told

AGS: Final = "13076999"
HEAD: Final = ("Martha Musterfrau", "Bürgermeisterin")
MEDIUM: Final = f"Amtsblatt {CANDIDATE_NAME}"
_COUNCIL: Final = "Stadtvertretung Neuprobe"
_CONTACT: Final = "Karl Kontakt"


class Entering:
    """What the management enters about the town, each on the page that is there for it."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.days = ground, ground.alliance.days
        self.manager = ground.manager()

    def entered(self) -> None:
        """The town itself; it is in the list then, and nowhere else."""
        with self.ground.report.step(_("The town is entered in the alliance's list of bodies")) as step:
            page = self.manager.get("/arbeit/mitglieder/")
            true(CANDIDATE_NAME not in page.text, "the town stands in the list before it was entered")
            page = self.manager.get(page.link(r"/mitglieder/neu/$"))
            form = page.form(having=["name", "kind", "ags", "slug"])
            wrong = filled(form, name=CANDIDATE_NAME, kind="town", ags="1307", slug=CANDIDATE)
            page = self.manager.submit(wrong, expect=422)
            true(any("AGS" in text or "Ziffern" in text for text in told(page)), f"{page.path}: {told(page)}")
            true(CANDIDATE_NAME not in self.manager.get("/arbeit/mitglieder/").text, "refused, and yet entered")
            self.ground.refusals.append(_("a town with half an official key"))
            page = self.manager.submit(filled(page.form(having=["name", "kind"]), ags=AGS))
            true(re.search(rf"/mitglieder/{UUID}/$", page.path), f"the town is not entered: {page.path}: {told(page)}")
            self.ground.alliance.members[CANDIDATE] = uuid.UUID(page_id(page.path))
            listed = self.manager.get("/arbeit/mitglieder/?text=Neuprobe").main.xpath(".//table/tbody/tr")
            equal("rows of the list that name the town", len(listed), 1)
            true(
                CANDIDATE_NAME not in self.manager.get("/arbeit/traeger/").text,
                "the town stands among the carriers before it has asked",
            )
            step.found(page=page.path, ags=AGS, short_name=CANDIDATE)

    def known(self) -> None:
        """Whom to call, who acts for it and since when, where it publishes, how many live there."""
        with self.ground.report.step(_("Contact, organs, inhabitants and gazette of the town are entered")) as step:
            since = self.days.founding.isoformat()
            self._enter("kontakt", name=_CONTACT, function="Hauptamt", email=f"hauptamt@{CANDIDATE}.example")
            self._enter("organ", kind="council", name=_COUNCIL)
            self._enter("organ", kind="head", name=HEAD[1])
            page = self.manager.get(f"{self._page}eintragen/amtszeit/")
            organ = str(page.main.xpath("string(.//select[@name='organ_id']/option[text()=$n]/@value)", n=HEAD[1]))
            true(organ, f"{page.path} does not offer the organ {HEAD[1]}")
            self._enter("amtszeit", organ_id=organ, person_name=HEAD[0], function=HEAD[1], valid_from=since)
            self._enter("medium", name=MEDIUM, provision="§ 12 Hauptsatzung (Probe)", valid_from=since)
            self._enter(
                "einwohner",
                reference_date=f"{self.days.effect.year - 1}-12-31",
                count="5400",
                source="Statistischer Bericht (Probe)",
            )
            text = self.manager.get(self._page).text
            missing = [said for said in (_CONTACT, _COUNCIL, HEAD[0], MEDIUM) if said not in text]
            true(not missing, f"{self._page} lacks {missing}")
            step.found(contact=_CONTACT, head=", ".join(HEAD), medium=MEDIUM, entries=6)

    def spoken_for(self) -> None:
        """Whoever speaks for the town in the alliance sees what concerns the town, and nothing of the others."""
        with self.ground.report.step(_("Whoever speaks for the town is let in, and sees the town alone")) as step:
            key = f"for {CANDIDATE}"
            admin, site = self.ground.site.desk("body_admin")[0], self.ground.site
            form = admin.get("/arbeit/verwaltung/personen/neu/").form(having=["display_name", "role", "unit"])
            email = site.town.emails[key]
            page = admin.submit(
                filled(form, display_name=SPEAKER, email=email, role="member_representative", unit=CANDIDATE)
            )
            true(SPEAKER in page.text, f"{SPEAKER} was not let in: {told(page)}")
            how = self.ground.first_sign_in(key, site)
            page = site.visitors[key].get("/arbeit/mitglieder/")
            rows = [" ".join(r.xpath("string(th)").split()) for r in page.main.xpath(".//table/tbody/tr")]
            true(len(rows) == 1 and CANDIDATE_NAME in rows[0], f"{page.path} shows {rows}")
            step.found(person=SPEAKER, signed_in=how, sees=CANDIDATE_NAME)

    @property
    def _page(self) -> str:
        return f"/arbeit/mitglieder/{self.ground.member_id}/"

    def _enter(self, entry: str, **fields: str) -> None:
        page = self.manager.get(f"{self._page}eintragen/{entry}/")
        page = self.manager.submit(filled(page.form(having=list(fields)), **fields))
        equal(f"the page after entering {entry}", page.path, self._page)
