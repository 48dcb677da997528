"""The procedure of the accession (Beitrittsverfahren) from the inquiry to the effect, each act filed on its page."""

import re
from datetime import date, timedelta
from functools import partial
from typing import Final

from django.utils import translation

from verbund.commands.texts import _
from verbund.commands.walk.reading import UUID
from verbund.commands.walk.report import equal, true
from verbund.commands.walk.visitor import Page
from verbund.platform.ui.templatetags.ui import local_date

from .alliance import AUTHORITY, CANDIDATE, CANDIDATE_NAME, CARRIERS, NAMES, SERVICES
from .contracting import SHARE_CENTS
from .entering import HEAD
from .ground import Ground, cents_in, filled, told

_COUNCIL: Final = "Stadtvertretung"
_TASKS: Final = ("core_it", "online_services")


class Procedure:
    """The acts in their order; each method is a step of the report."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.days = ground, ground.alliance.days
        self.manager = ground.manager()

    def inquiry(self) -> None:
        with self.ground.report.step(_("The town inquires, the alliance opens the accession")) as step:
            page = self.manager.get("/arbeit/beitritte/neu/")
            form = page.form(having=["member_id", "subject"]).fill("member_id", self.ground.member_id)
            authority = self._option(page, "authority_id", AUTHORITY)
            page = self.manager.submit(
                filled(
                    form,
                    subject="Gesamter IT-Betrieb der Kernverwaltung und Online-Dienste",
                    on=self.days.inquiry.isoformat(),
                    planned_effect_on=self.days.effect.isoformat(),
                    authority_id=authority,
                )
            )
            true(re.search(rf"/beitritte/{UUID}/$", page.path), f"no accession: {page.path}: {told(page)}")
            self.ground.path = page.path
            missing = [slug for slug, name, *_rest in CARRIERS if name not in self.manager.get("/arbeit/traeger/").text]
            true(not missing, f"the map of carriers lacks {missing}")
            self.ground.standing_is(step, "Anfrage")
            step.found(accession=page.path, on=self.days.inquiry.isoformat(), carriers=len(CARRIERS))

    def costs_stated(self) -> None:
        with self.ground.report.step(_("The statement of costs is filed, the council decides on principle")) as step:
            cents = self.ground.yearly_cents
            self.ground.act(
                "state_costs",
                self.days.costs,
                euro=f"{cents / 100:.2f}",
                document=f"Modellrechnung {CANDIDATE_NAME}",
            )
            speaker = self.ground.site.desk(f"for {CANDIDATE}")[0]
            self.ground.act(
                "record_basic_resolution",
                self.days.basic_resolution,
                by=speaker,
                organ=_COUNCIL,
                votes_for="15",
                votes_against="2",
                abstentions="1",
                document="Beschluss 12/2026",
            )
            self.ground.act("begin_negotiation", self.days.negotiation)
            for task in _TASKS:
                self.ground.act("plan_task", self.days.negotiation, task=task, planned_on=self.days.effect.isoformat())
            stated = self.facts(self.ground.page()).get("Kosten im Jahr", "")
            equal("the yearly cost on the accession's page", cents_in(stated), cents)
            self.ground.standing_is(step, "Verhandlung")
            step.found(yearly_cents=cents, votes="15:2:1", planned_tasks=len(_TASKS))

    def consents(self) -> None:
        with self.ground.report.step(_("Every carrier and the town consent to the identical version")) as step:
            text = self.ground.version_sha256
            speaker = self.ground.site.desk("for altprobe")[0]
            page = speaker.get(f"{self.ground.path}record_consent/")
            offered = self._options(page, "party_id")
            equal("bodies a representative decides for", offered, [str(self.ground.alliance.members["altprobe"])])
            self.ground.consent("altprobe", self.days.consents, text, by=speaker)
            self.ground.consent("probeland", self.days.consents, text)
            self.ground.consent("probe-umland", self.days.consents, text)
            self.ground.refused(
                _("signatures before the town itself has resolved"),
                lambda: self.ground.straight("sign"),
                because="jetzt nicht möglich",
            )
            own = self.ground.site.desk(f"for {CANDIDATE}")[0]
            page = self.ground.act(
                "record_candidate_resolution",
                self.days.consents,
                by=own,
                organ=_COUNCIL,
                votes_for="18",
                votes_against="0",
                abstentions="0",
                party_id=self.ground.member_id,
            )
            found = self.ground.decisions()
            equal("decisions", set(found.values()), {"zugestimmt"})
            equal("parties", set(found), set(NAMES.values()))
            self.ground.standing_is(step, "Alle haben zugestimmt")
            step.found(parties=len(found), sha256=text)

    def signed_and_noticed(self) -> None:
        with self.ground.report.step(
            _("Signatures of all parties, notice to the authority, documents complete")
        ) as step:
            page = self.manager.get(f"{self.ground.path}sign/")
            names = [name for name in page.form(having=["on"]).names() if name.startswith("name_")]
            equal("signatures asked for", len(names), len(CARRIERS) + 1)
            parties = [
                " ".join(label.split())
                for label in page.main.xpath(".//legend[contains(@class,'kern-heading-small')]/text()")
            ]
            equal("parties asked to sign", sorted(parties), sorted(NAMES.values()))
            signed: dict[str, str] = {}
            for number, party in enumerate(parties):
                name, function = HEAD if party == CANDIDATE_NAME else (f"Person {number + 1}", "Vertretungsberechtigt")
                signed |= {f"name_{number}": name, f"function_{number}": function}
                signed[f"day_{number}"] = self.days.signature.isoformat()
            somebody = {**signed, f"name_{parties.index(CANDIDATE_NAME)}": "Jemand Anderes"}
            self.ground.refused(
                _("the signature of somebody who is not the town's head"),
                lambda: self._try("sign", self.days.signature, **somebody),
                because="Amtszeit",
            )
            self.ground.act("sign", self.days.signature, by=None, expect=200, **signed)
            self.ground.standing_is(step, "Unterzeichnet")
            self.ground.act(
                "give_notice", self.days.notice, documents="Vertrag\nBeschlüsse aller Beteiligten\nSatzung im Entwurf"
            )
            self.ground.act("complete_documents", self.days.complete)
            self.ground.standing_is(step, "Unterlagen vollständig")
            step.found(
                signed_on=self.days.signature.isoformat(),
                signatures=len(names),
                documents_complete=self.days.complete.isoformat(),
                period_ends=self._period_end().isoformat(),
            )

    def waiting(self) -> None:
        """Nothing may be executed before the authority's period is over (M2, § 77 (1) KV M-V)."""
        with self.ground.report.step(_("Before clearance nothing is executed")) as step:
            ends = self._period_end()
            page = self.manager.get(f"{self.ground.path}establish_clearance/")
            early = page.form(having=["on"]).fill("on", ends.isoformat())
            self.ground.refused(
                _("clearance on the last day of the authority's period"),
                lambda: self.manager.submit(early, expect=422),
                because=f"bis zum Ende des {ends:%d.%m.%Y}",
            )
            for action, what in (
                ("record_capital", _("payment of the share capital before clearance")),
                ("take_effect", _("effect before clearance")),
                ("transfer_task", _("transfer of a task before clearance")),
            ):
                self.ground.refused(what, partial(self.ground.straight, action), because="jetzt nicht möglich")
            step.found(refused=self.ground.refusals[-4:], period_ends=ends.isoformat())

    def cleared(self) -> None:
        with self.ground.report.step(_("The authority's two months pass without objection")) as step:
            first = self._period_end() + timedelta(days=1)
            self.ground.act("establish_clearance", first)
            self.ground.standing_is(step, "Frist ohne Beanstandung abgelaufen")
            page = self.ground.page()
            facts = self.facts(page)
            true(
                _in_words(first) in facts.get("Rechtshandlungen möglich ab", ""),
                f"legal acts are possible from: {facts}",
            )
            self.first_day = first
            step.found(cleared_on=first.isoformat(), provision="§ 77 Abs. 1 KV M-V")

    def agreed(self) -> None:
        with self.ground.report.step(
            _("The services are agreed with the town, from the effect on, as a carrier")
        ) as step:
            for code, *_rest in SERVICES:
                page = self.manager.get("/arbeit/vereinbarungen/neu/")
                form = page.form(having=["member_id", "service_code"])
                page = self.manager.submit(
                    filled(
                        form,
                        member_id=self.ground.member_id,
                        service_code=code,
                        valid_from=self.days.effect.isoformat(),
                        role="carrier",
                        basis="Anlage 2 zum Beitrittsvertrag (Probe)",
                    )
                )
                true(re.search(rf"/vereinbarungen/{UUID}/$", page.path), f"{code} is not agreed: {told(page)}")
            page = self.manager.get(f"/arbeit/vereinbarungen/koerperschaft/{self.ground.member_id}/")
            missing = [name for _code, name, *_rest in SERVICES if name not in page.text]
            true(not missing, f"{page.path} lacks {missing}")
            step.found(services=len(SERVICES), valid_from=self.days.effect.isoformat(), page=page.path)

    def published(self, superseded: str) -> None:
        """In every medium; `superseded` is the hash of the version that was changed."""
        with self.ground.report.step(_("Published in the media of all parties")) as step:
            page = self.manager.get(f"{self.ground.path}record_publication/")
            media = self._options(page, "medium_id")
            equal("media to publish in", len(media), len(CARRIERS) + 1)
            wrong = filled(
                page.form(having=["medium_id"]),
                on=self.first_day.isoformat(),
                medium_id=media[0],
                sha256=superseded,
            )
            self.ground.refused(
                _("publication of another text than the one consented to"),
                lambda: self.manager.submit(wrong, expect=422),
                because="Prüfsummen",
            )
            for number, medium in enumerate(media):
                if number == 1:
                    self.ground.refused(
                        _("effect before every medium has published"),
                        lambda: self._try("take_effect", self.days.effect),
                        because="Bekanntmachung vor",
                    )
                self.ground.act(
                    "record_publication", self.first_day, medium_id=medium, sha256=self.ground.version_sha256
                )
            self.ground.standing_is(step, "Bekannt gemacht")
            step.found(media=len(media), published_on=self.first_day.isoformat())

    def in_effect(self) -> None:
        with self.ground.report.step(_("The accession takes effect: the town is a carrier")) as step:
            before = self.manager.get("/arbeit/traeger/").text
            true(CANDIDATE_NAME not in before, "the town stands among the carriers before the effect")
            self.ground.act("take_effect", self.days.effect)
            self.ground.standing_is(step, "Wirksam")
            page = self.manager.get("/arbeit/traeger/")
            true(CANDIDATE_NAME in page.text, f"the town is not among the carriers: {page.text[:400]}")
            total = sum(cents for _slug, _name, _kind, cents, _seats, _places in CARRIERS) + SHARE_CENTS
            shown = f"{total / 100:,.2f}".translate(str.maketrans(",.", ".,"))
            true(shown in page.text, f"the share capital is not {shown} on {page.path}")
            step.found(effective_on=self.days.effect.isoformat(), carriers=len(CARRIERS) + 1, share_capital=shown)

    def capital_and_tasks(self) -> None:
        with self.ground.report.step(
            _("The share is paid, the tasks pass to the alliance, the accession is complete")
        ) as step:
            self.ground.refused(
                _("another amount of share capital than agreed"),
                lambda: self._try("record_capital", self.days.effect, euro="400"),
                because="500",
            )
            self.ground.act("record_capital", self.days.effect, euro="500", document="Kontoauszug der Kasse")
            self.ground.standing_is(step, "Stammeinlage eingezahlt")
            self.ground.act("transfer_task", self.days.effect, task=_TASKS[0])
            self.ground.refused(
                _("completion while a planned task has not passed"),
                lambda: self._try("complete_onboarding", self.days.effect),
                because="Online-Dienste",
            )
            self.ground.act("transfer_task", self.days.effect, task=_TASKS[1])
            self.ground.act("complete_onboarding", self.days.effect)
            self.ground.standing_is(step, "Abgeschlossen")
            acts = self.ground.page().main.xpath("count(.//details//li[contains(@class,'vb-timeline__item')])")
            step.found(share_cents=SHARE_CENTS, tasks=len(_TASKS), acts_in_history=int(acts))

    # --- reading and filing

    def _try(self, action: str, on: date, **fields: str) -> Page:
        return self.ground.act(action, on, by=None, expect=422, **fields)

    def _period_end(self) -> date:
        """Two months after the documents were complete, worked out without the house."""
        day = self.days.complete
        year, month = divmod(day.year * 12 + day.month + 1, 12)
        for number in range(day.day, 27, -1):
            try:
                return date(year, month + 1, number)
            except ValueError:
                continue
        return date(year, month + 1, day.day)

    @staticmethod
    def facts(page: Page) -> dict[str, str]:
        """The facts above the timeline."""
        found = page.main.xpath(".//dl[contains(@class,'vb-facts')]/div")
        return {" ".join(d.xpath("string(dt)").split()): " ".join(d.xpath("string(dd)").split()) for d in found}

    @staticmethod
    def _options(page: Page, name: str) -> list[str]:
        return [str(v) for v in page.main.xpath(".//select[@name=$name]/option/@value", name=name) if v]

    @staticmethod
    def _option(page: Page, name: str, label: str) -> str:
        found = page.main.xpath(
            ".//select[@name=$name]/option[normalize-space()=$label]/@value", name=name, label=label
        )
        true(found, f"{page.path}: {name} does not offer “{label}”")
        return str(found[0])


def _in_words(day: date) -> str:
    """A day as German pages write it."""
    with translation.override("de"):
        return local_date(day)
