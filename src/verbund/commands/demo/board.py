"""The board of the demo: rules, a meeting with its minutes, one that lies ahead, and a written procedure that runs; and
the contract of the invented accession, in two versions. All of it is made up."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID


@cache
def texts() -> dict[str, Any]:
    """The words and figures of the data file."""
    return tomllib.loads((resources.files("verbund.commands.demo") / "data" / "board.toml").read_text("utf-8"))


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


class Contract:
    """The contract of an accession: two versions out of reviewed clauses, the second one is signed."""

    def __init__(self, actor: Any, reviewer: Any, accession_id: UUID, candidate: UUID) -> None:
        self.actor, self.reviewer = actor, reviewer
        self.accession_id, self.candidate = accession_id, candidate
        self.texts = texts()["contract"]

    def put(self, day: date) -> str:
        """Both versions, the second one on `day`. Returns its hash."""
        from verbund.modules.membership import queries, services

        first = day - timedelta(days=self.texts["first_days_before"])
        services.load_start_clauses(self.actor, now=_noon(first))
        for clause in queries.offered_clauses(self.actor):
            services.review_clause(self.reviewer, code=clause.code, number=clause.number, now=_noon(first))
        before = self._version(first, "_first")
        for carrier in queries.carriers_on(self.actor, first)[: self.texts["consents_to_the_first"]]:
            services.record_consent(
                self.actor,
                accession_id=self.accession_id,
                party_id=carrier.member_id,
                version_sha256=before,
                resolution=services.Resolution(texts()["organ"]),
                on=first + timedelta(days=9),
                now=_noon(first + timedelta(days=9)),
            )
        return self._version(day, "")

    def _version(self, day: date, which: str) -> str:
        from verbund.modules.membership import queries, services

        carriers = queries.carriers_on(self.actor, day)
        capital = queries.capital_on(self.actor, day)
        assert capital is not None
        parties = [services.ContractParty(c.member_id, c.share_cents, c.seats) for c in carriers]
        parties.append(services.ContractParty(self.candidate, 50_000, 1))
        ref = services.draft_contract(
            self.actor,
            accession_id=self.accession_id,
            clauses=[c.code for c in queries.offered_clauses(self.actor)],
            data=services.ContractData(
                parties=tuple(parties),
                chair=capital.chair_id,
                tasks=tuple(self.texts[f"tasks{which}"]),
                values=self.texts[f"values{which}"],
            ),
            now=_noon(day),
        )
        services.finalise_contract(
            self.actor, accession_id=self.accession_id, number=ref.number, on=day, now=_noon(day)
        )
        return ref.sha256

    def keep_copy(self, day: date) -> None:
        """The scan of the signed contract."""
        from verbund.modules.membership import queries, services

        services.record_signed_copy(
            self.actor,
            accession_id=self.accession_id,
            content=queries.contract_pdf(self.actor, self.accession_id, 2),
            filename=self.texts["filename"],
            kind="scanned",
            signatories=[
                services.Signatory(self.candidate, self.texts["signatory"], self.texts["function"], day),
            ],
            now=_noon(day),
        )


class Board:
    """The meetings of the board around `today`."""

    def __init__(self, actor: Any, today: date) -> None:
        self.actor, self.today, self.texts = actor, today, texts()

    def hold(self, rules_from: date) -> int:
        """Rules, meetings, votes. Returns how many meetings."""
        self._rules(rules_from)
        for facts in self.texts["meeting"]:
            self._meeting(facts)
        return len(self.texts["meeting"])

    def _rules(self, valid_from: date) -> None:
        from verbund.modules.membership import services

        over_half, two_thirds = services.Fraction(1, 2, True), services.Fraction(2, 3, False)
        for matter, majority in (("ordinary", over_half), ("reserved", two_thirds)):
            rule = services.VotingRule(
                matter=matter, quorum=over_half, majority=majority, written_allowed=matter == "ordinary"
            )
            services.set_board_rule(
                self.actor, rule=rule, valid_from=valid_from, source=self.texts["source"], now=_noon(valid_from)
            )

    def _meeting(self, facts: dict[str, Any]) -> None:
        from verbund.modules.membership import services

        day = self.today + timedelta(days=facts["in_days"])
        called = min(day - timedelta(days=21), self.today)
        place = self.texts["place"] if facts["form"] == "meeting" else ""
        meeting = services.call_meeting(self.actor, held_on=day, form=facts["form"], place=place, now=_noon(called))
        for motion in facts["motion"]:
            ident = services.table_motion(
                self.actor,
                meeting_id=meeting,
                title=motion["title"],
                text=motion["text"],
                matter=motion["matter"],
                now=_noon(called),
            )
            self._vote(ident, motion, day, min(day, self.today))
            if facts["closed"]:
                services.close_vote(self.actor, motion_id=ident, now=_noon(day))
        if facts["closed"]:
            services.close_meeting(self.actor, meeting_id=meeting, now=_noon(day))

    def _vote(self, motion: UUID, facts: dict[str, Any], held_on: date, day: date) -> None:
        from verbund.modules.membership import queries, services

        people = iter(self.texts["people"])
        carriers = queries.carriers_on(self.actor, held_on)
        choices = ["no" if n < facts["against"] else "yes" for n in range(len(carriers))]
        choices = choices[1:] + choices[:1]  # somebody in the middle of the alphabet votes against
        for carrier, choice in _first(zip(carriers, choices, strict=True), facts["instructions"]):
            services.record_instruction(
                self.actor,
                motion_id=motion,
                member_id=carrier.member_id,
                choice=choice,
                organ=self.texts["organ"],
                resolution="",
                on=day - timedelta(days=3),
                now=_noon(day - timedelta(days=2)),
            )
        if "excluded" in facts:
            services.exclude_from_vote(
                self.actor,
                motion_id=motion,
                member_id=carriers[-1].member_id,
                person_name=next(people),
                reason=facts["excluded"],
                now=_noon(day),
            )
            carriers, choices = carriers[:-1], choices[:-1]
        ballots = [
            services.BallotFacts(carrier.member_id, next(people), choice)
            for carrier, choice in _first(zip(carriers, choices, strict=True), facts["votes"])
            for _seat in range(carrier.seats)
        ]
        if ballots:
            services.cast_ballots(self.actor, motion_id=motion, ballots=ballots, now=_noon(day))


def _first(pairs: Any, count: int) -> Iterator[Any]:
    """The first of them, or all with a negative count."""
    for number, pair in enumerate(pairs):
        if 0 <= count <= number:
            return
        yield pair
