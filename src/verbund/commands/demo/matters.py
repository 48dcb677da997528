"""What citizens applied for, and what became of it: through the services, with the clock as their argument."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from .books import Books
from .calendar import Calendar, office_hour, working_day
from .facts import LEDGER, DemoBody
from .papers import Words, pdf

_SPAN: Final = 170  # days before the end over which applications arrive
_FAMILY_NAME: Final = "F60000000227"
_FIRST_NAMES: Final = "F60000000228"
_QUESTIONS: Final = (
    "Bitte senden Sie uns noch eine lesbare Kopie des Nachweises.",
    "Die Angaben zum Zeitraum widersprechen sich. Welcher Tag ist gemeint?",
    "Bitte teilen Sie uns die genaue Lage mit, gern mit einer Skizze.",
)
_ANSWERS: Final = (
    "Gern, es ist der zuerst genannte Tag. Entschuldigung für das Versehen.",
    "Die Fläche liegt direkt vor dem Haus, drei Meter links vom Eingang.",
    "Der Nachweis ist leider nur als Abschrift vorhanden, sie gilt aber.",
)
_REFUSALS: Final = (
    "Die Voraussetzungen liegen nicht vor: Sie sind nach den Unterlagen nicht in dem genannten Gebiet gemeldet.",
    "Die Fläche wird im beantragten Zeitraum für Kanalbauarbeiten gebraucht. Sie können eine andere beantragen.",
)
_CONDITIONS: Final = ("", "", "", "Diese Entscheidung gilt nur zusammen mit den eingereichten Unterlagen.")


class Matters:
    """The online services of one body and the applications to them."""

    def __init__(self, body: DemoBody, actors: dict[str, Any], calendar: Calendar, books: Books) -> None:
        from verbund.platform.identity.actor import Actor

        self.body, self.actors, self.calendar, self.books = body, actors, calendar, books
        self.words = Words(body, "matters")
        self.rng = random.Random(f"{body.schema} matters")  # noqa: S311 - an example, not a secret
        self.system = Actor.system(body.schema, "verbund demo")
        self.guest = Actor.guest(body.schema, "verbund demo")
        self.services: list[tuple[UUID, bytes]] = []  # id and form
        self.standing: dict[UUID, tuple[int, bool]] = {}  # application: its acts, and whether it is undecided

    def offer(self, now: datetime) -> None:
        """Take over, adapt and publish the body's services."""
        from verbund.modules.citizenservices import queries, services

        editor = self.actors["service_editor"]
        for offer in self.body.offers:
            service = services.offer_template(
                editor,
                template=offer.template,
                now=now,
                changes={
                    "unit": offer.unit,
                    "file_plan_position": offer.file_plan_position,
                    "ledger": LEDGER,
                    "product": offer.product,
                    "account": offer.account,
                },
            )
            services.publish_service(editor, service_id=service, now=now)
            self.services.append((service, queries.service_templates()[offer.template].form))

    def plan(self) -> None:
        """Spread the applications over the last months."""
        from .facts import CITIZEN

        for number in range(self.body.applications):
            days = _SPAN * (1 - self.rng.random() ** 0.8)
            day = (self.calendar.end - timedelta(days=days)).date()
            moment = office_hour(day, self.rng.uniform(5.5, 21))
            own = number % 9 == 4 and bool(CITIZEN)
            self.calendar.at(min(moment, self.calendar.end), self._applying(number, own))

    def _applying(self, number: int, own: bool) -> Callable[[datetime], None]:
        return lambda now: self._apply(number, own, now)

    def _apply(self, number: int, own: bool, now: datetime) -> None:
        """One application from the first page to its receipt; what follows is entered in the calendar."""
        from verbund.modules.citizenservices import queries, services

        actor = self.actors["citizen"] if own else self.guest
        service, content = self.services[number % len(self.services)]
        form = services.rehearse(self.system, content=content, seed=self.rng.randrange(1_000_000), optional=0.4)
        draft = services.start_draft(actor, service_id=service, now=now - timedelta(minutes=14))
        for step in range(1, form.steps + 1):
            answers = [answer for answer in form.answers if answer.step == step]
            result = services.save_step(
                actor,
                draft=draft,
                step=step,
                values={a.path: self._named(a, own) for a in answers if a.file is None},
                uploads={a.path: self._paper(a.file, form.title, now) for a in answers if a.file},
                now=now - timedelta(minutes=10),
            )
            if result.problems:
                raise RuntimeError(f"{self.body.schema}: {form.form_id} {result.problems}")
        if not own and number % 23 == 7:
            return  # begun and left lying: a draft
        sent = services.submit_application(actor, draft=draft, now=now, email="" if own else "post@buergerin.example")
        services.send_receipt(self.system, application_id=sent.id, now=now + timedelta(seconds=4))
        self.standing[sent.id] = (1, True)
        access = queries.ApplicationAccess(sent.id, "" if own else sent.tracking_code)
        if self.rng.random() < 0.06:
            self._later(now, 1, 4, lambda at: self._withdraw(actor, access, at))
        elif self.rng.random() < 0.94:
            self._later(now, 0.5, 6, lambda at: self._take_over(actor, access, at))

    def _named(self, answer: Any, own: bool) -> str:
        """The answer, people's names out of the demo's own lists."""
        if answer.field_id == _FAMILY_NAME:
            return "Beispiel" if own else self.words.choose("last_names")
        if answer.field_id == _FIRST_NAMES:
            return "Erika" if own else self.words.choose("first_names")
        return str(answer.value)

    def _paper(self, file: Any, title: str, now: datetime) -> Any:
        """A file with something to read in it, where the question takes a PDF."""
        from verbund.modules.citizenservices import services

        if file.media_type != "application/pdf":
            return services.Upload(file.filename, file.content)
        text = f"Anlage\n\n{title}\n\n{self.words.person()}, {self.words.choose('streets')}\n{now:%d.%m.%Y}\n\n"
        return services.Upload(
            f"anlage-{self.rng.randint(100, 999)}.pdf", pdf(text + "Erfundener Nachweis zur Vorführung.\n")
        )

    def _later(self, now: datetime, least: float, most: float, deed: Callable[[datetime], None]) -> None:
        """Enter a deed some working days later, in office hours."""
        day = working_day((now + timedelta(days=self.rng.uniform(least, most))).date())
        moment = office_hour(day, self.rng.uniform(6.5, 15))
        self.calendar.at(max(moment, now + timedelta(minutes=20)), deed)

    def _withdraw(self, actor: Any, access: Any, now: datetime) -> None:
        from verbund.modules.citizenservices import services

        if self.standing[access.id][1]:
            self.standing[access.id] = (0, False)
            services.withdraw_application(actor, access=access, now=now, reason="Hat sich erledigt.")

    def _take_over(self, actor: Any, access: Any, now: datetime) -> None:
        from verbund.modules.citizenservices import services

        clerk = self._clerk(access.id)
        version, undecided = self.standing[access.id]
        if not undecided:
            return
        taken = services.take_over(clerk, application_id=access.id, expected_version=version, now=now)
        self.standing[access.id] = (taken, True)
        fate = self.rng.random()
        if fate < 0.22:
            self._later(now, 0.1, 3, lambda at: self._ask(actor, access, at))
        elif fate < 0.92:
            self._later(now, 1, 11, lambda at: self._decide(access, at))

    def _ask(self, actor: Any, access: Any, now: datetime) -> None:
        from verbund.modules.citizenservices import services

        asked = services.ask_back(
            self._clerk(access.id),
            application_id=access.id,
            question=self.rng.choice(_QUESTIONS),
            expected_version=self.standing[access.id][0],
            now=now,
        )
        self.standing[access.id] = (asked.version, True)
        if self.rng.random() < 0.7:
            self._later(now, 0.5, 6, lambda at: self._answer(actor, access, asked.id, at))

    def _answer(self, actor: Any, access: Any, question: UUID, now: datetime) -> None:
        from verbund.modules.citizenservices import services

        services.answer_question(actor, access=access, question_id=question, text=self.rng.choice(_ANSWERS), now=now)
        self.standing[access.id] = (self.standing[access.id][0] + 1, True)
        self._later(now, 0.5, 5, lambda at: self._decide(access, at))

    def _decide(self, access: Any, now: datetime) -> None:
        from verbund.modules.citizenservices import queries, services
        from verbund.modules.records import queries as records_queries
        from verbund.modules.records import services as records

        refused = self.rng.random() < 0.13
        decision = services.decide_application(
            self._clerk(access.id),
            application_id=access.id,
            outcome="refused" if refused else "granted",
            reason=self.rng.choice(_REFUSALS if refused else _CONDITIONS),
            expected_version=self.standing[access.id][0],
            now=now,
        )
        self.standing[access.id] = (decision.version, False)
        at = now + timedelta(seconds=7)
        case_id = queries.application(self.system, access.id, now=now).case_id
        records.dispatch_letter(self.system, letter_id=decision.letter_id, now=at)
        services.note_delivery(
            self.system,
            origin=records_queries.case(self.system, case_id).origin,
            letter_id=decision.letter_id,
            document_id=decision.letter_document_id,
            delivered_at=at,
            now=at,
        )
        if decision.claim_id is not None:
            self._await_payment(decision, now)

    def _await_payment(self, decision: Any, now: datetime) -> None:
        from verbund.modules.budget import queries as budget

        claim = budget.claim(self.system, decision.claim_id)
        self.books.expect_payment(decision.payment_reference, claim.cents, claim.debtor, now)

    def heard(self, report: Any, now: datetime) -> None:
        """What the statement told of our claims: paid, or come back."""
        from verbund.modules.budget import queries as budget
        from verbund.modules.citizenservices import services

        for entry in report.entries:
            for claim_id in entry.claim_ids:
                claim = budget.claim(self.system, claim_id)
                if not claim.origin:
                    continue
                if entry.cents > 0 and claim.is_settled:
                    services.note_settlement(
                        self.system, origin=claim.origin, claim_id=claim_id, settled_on=now.date(), now=now
                    )
                elif entry.cents < 0:
                    services.note_reopened_claim(
                        self.system,
                        origin=claim.origin,
                        claim_id=claim_id,
                        open_cents=claim.open_cents,
                        reason="AC04",
                        now=now,
                    )

    def _clerk(self, application: UUID) -> Any:
        return self.actors["clerk"] if application.int % 3 else self.actors["clerk2"]
