"""The alliance's history: its founding and the real accessions, each act on its day and through its door."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any, Final
from uuid import UUID

from .board import Contract

_ORDER: Final = (
    "inquiry",
    "costs",
    "basic",
    "talks",
    "put",
    "plan",
    "candidate",
    "consents",
    "sign",
    "notice",
    "complete",
    "cleared",
    "published",
    "effect",
    "capital",
    "tasks",
    "completed",
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the history; `known` is false when the sources do not name it."""

    on: date
    known: bool

    @classmethod
    def read(cls, text: str) -> "Day":
        """From `2018-09-25`, or `2018-09-25?` for one that is assumed."""
        return cls(date.fromisoformat(text.rstrip("?")), not text.endswith("?"))


@cache
def facts() -> dict[str, Any]:
    """The data file, with what several accessions have in common written into each."""
    text = (resources.files("verbund.commands.demo") / "data" / "history.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    for entry in found["accession"]:
        for key, value in found["like"].get(entry.pop("like", ""), {}).items():
            entry.setdefault(key, value)
    return found


class History:
    """Plays the history; `members` are the ids of the bodies registered by their short names.

    With a `reviewer` the invented accession has a contract with its text.
    """

    def __init__(
        self, actor: Any, members: Mapping[str, UUID], *, with_agreements: bool = False, reviewer: Any = None
    ) -> None:
        self.actor = actor
        self.reviewer = reviewer  # of clauses; without one contracts are known by their hash only
        self.members = dict(members)
        self.with_agreements = with_agreements
        self.accessions: dict[str, UUID] = {}
        self.facts = facts()

    def play(self, until: date = date.max) -> int:
        """Every act up to and including `until`, in the order of the days. Returns how many."""
        count = 0
        for day, act in sorted(self._acts(), key=lambda pair: pair[0]):
            if day[0] <= until:
                act()
                count += 1
        return count

    def _acts(self) -> Iterator[tuple[tuple[date, int, int], Callable[[], None]]]:
        founding = self.facts["founding"]
        yield (founding["contract"], -1, 0), self._register
        yield (founding["effective"], -1, 1), self._found
        for number, entry in enumerate(self.facts["accession"]):
            case = _Case(self, entry)
            for place, name in enumerate(_ORDER):
                if name == "tasks":
                    for task, text in entry["tasks"].items():
                        day = Day.read(text)
                        yield (max(day.on, Day.read(entry["capital"]).on), place, number), case.task(task, day)
                elif name == "plan":
                    yield (Day.read(entry["put"]).on, place, number), case.plan
                else:
                    day = Day.read(entry[name])
                    yield (day.on, place, number), case.act(name, day)
            if self.with_agreements and "co_use" in entry:
                day = Day.read(entry["co_use"]["from"])
                yield (day.on, -1, number), case.co_use(day)

    def begin(self, today: date) -> None:
        """An invented accession that waits for the authority on `today`."""
        services = _doors()[1]
        facts = self.facts["ongoing"]
        first = today - timedelta(days=facts["days_ago"]["inquiry"])
        candidate = services.register_body(
            self.actor, name=facts["name"], kind=facts["kind"], ags="", ars="", slug=facts["slug"], now=clock(first)
        )
        self.members[facts["slug"]] = candidate.id
        services.add_medium(
            self.actor,
            member_id=candidate.id,
            name=self.facts["medium_name"],
            valid_from=self.facts["founding"]["contract"],
            now=clock(first),
        )
        self._know(candidate.id, facts["known"], clock(first))
        days = {name: (today - timedelta(days=ago)).isoformat() for name, ago in facts["days_ago"].items()}
        tasks = {task: (today + timedelta(days=ahead)).isoformat() for task, ahead in facts["tasks_in"].items()}
        case = _Case(
            self,
            {
                **days,
                "member": facts["slug"],
                "subject": facts["subject"],
                "label": facts["label"],
                "planned": today + timedelta(days=facts["planned_in"]),
                "tasks": tasks,
                "authority": True,
                "with_text": self.reviewer is not None,
            },
        )
        for name in _ORDER:
            if name in days:
                case.act(name, Day.read(days[name]))()
            elif name == "plan":
                case.plan()

    def _register(self) -> None:
        services = _doors()[1]
        now = clock(self.facts["founding"]["contract"])
        authority = self.facts["authority"]
        for body in [*self.facts["body"], {**authority, "kind": "state_authority"}]:
            if body["slug"] not in self.members:
                self.members[body["slug"]] = services.register_body(
                    self.actor,
                    name=body["name"],
                    kind=body["kind"],
                    ags=body.get("ags", ""),
                    ars="",
                    slug=body["slug"],
                    now=now,
                ).id
        named = {m["member"]: m["name"] for m in self.facts["medium"]}
        parties = {*self.facts["founding"]["founders"], *(a["member"] for a in self.facts["accession"])}
        for slug in sorted(parties):
            services.add_medium(
                self.actor,
                member_id=self.members[slug],
                name=named.get(slug, self.facts["medium_name"]),
                valid_from=self.facts["founding"]["contract"],
                now=now,
            )

    def _found(self) -> None:
        services = _doors()[1]
        founding = self.facts["founding"]
        services.record_founding(
            self.actor,
            shares=[
                services.Share(self.members[slug], founding["share_cents"], founding["seats"])
                for slug in founding["founders"]
            ],
            chair=self.members[founding["chair"]],
            contract_on=founding["contract"],
            effective_on=founding["effective"],
            basis=founding["basis"],
            note=founding["note"],
            now=clock(founding["effective"]),
        )

    def _know(self, member_id: UUID, known: Mapping[str, Any], now: datetime) -> None:
        """What the alliance knows of the invented town."""
        services, actor, since = _doors()[1], self.actor, known["since"]
        about = {"member_id": member_id, "now": now}
        for day, count in known["reference_days"]:
            services.record_inhabitants(
                actor, reference_date=date.fromisoformat(day), count=count, source=known["source"], **about
            )
        for kind, name, street, postcode, place, workplaces in known["facilities"]:
            services.add_facility(
                actor,
                kind=kind,
                name=name,
                street=street,
                postcode=postcode,
                place=place,
                workplaces=workplaces,
                valid_from=since,
                **about,
            )
        for kind in ("council", "head"):
            organ = services.add_organ(actor, kind=kind, name=known[kind], **about)
            for person, function in known[f"{kind}_terms"]:
                services.add_term(
                    actor, organ_id=organ, person_name=person, function=function, valid_from=since, now=now
                )
            if kind == "head":
                matter, cents, provision = known["threshold"]
                services.set_threshold(
                    actor,
                    organ_id=organ,
                    matter=matter,
                    amount_cents=cents,
                    provision=provision,
                    valid_from=since,
                    now=now,
                )
        name, function, email, phone = known["contact"]
        services.add_contact(actor, name=name, function=function, email=email, phone=phone, **about)


def clock(day: date) -> datetime:
    """Noon of that day, when it was recorded."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _doors() -> tuple[Any, Any]:
    """The room's doors; imported when Django is there."""
    from verbund.modules.membership import queries, services

    return queries, services


class _Case:
    """One accession of the history."""

    def __init__(self, history: History, entry: dict[str, Any]) -> None:
        self.history, self.entry = history, entry
        self.hash = sha256(entry["label"].encode()).hexdigest()
        self.organ = history.facts["organ"]

    def act(self, name: str, day: Day) -> Callable[[], None]:
        """The act of this name on its day."""
        return lambda: getattr(self, f"_{name}")(day)

    def _evidence(self, name: str, day: Day, other: str = "") -> Any:
        services = _doors()[1]
        notes = [self.entry.get("note", {}).get(other or name, "")]
        if not day.known:
            notes.append(self.history.facts["unknown"])
        return services.Evidence(note=" ".join(note for note in notes if note), date_known=day.known)

    def _common(self, name: str, day: Day) -> dict[str, Any]:
        return {
            "accession_id": self.history.accessions[self.entry["member"]],
            "on": day.on,
            "now": clock(day.on),
            "evidence": self._evidence(name, day),
        }

    def _inquiry(self, day: Day) -> None:
        services = _doors()[1]
        slug = self.entry["member"]
        authority = self.history.members[self.history.facts["authority"]["slug"]]
        self.history.accessions[slug] = services.open_inquiry(
            self.history.actor,
            member_id=self.history.members[slug],
            subject=self.entry["subject"],
            planned_effect_on=self.entry.get("planned"),
            authority_id=authority if self.entry.get("authority") else None,
            on=day.on,
            now=clock(day.on),
            evidence=self._evidence("inquiry", day),
        )

    def _costs(self, day: Day) -> None:
        services = _doors()[1]
        services.state_costs(self.history.actor, yearly_cents=None, **self._common("costs", day))

    def _basic(self, day: Day) -> None:
        services = _doors()[1]
        resolution = services.Resolution(self.organ)
        services.record_basic_resolution(self.history.actor, resolution=resolution, **self._common("basic", day))

    def _talks(self, day: Day) -> None:
        services = _doors()[1]
        services.begin_negotiation(self.history.actor, **self._common("talks", day))

    def _put(self, day: Day) -> None:
        services = _doors()[1]
        if self.entry.get("with_text"):
            self.hash = self._contract().put(day.on)
            return
        services.put_contract_version(
            self.history.actor, sha256=self.hash, label=self.entry["label"], **self._common("put", day)
        )

    def _contract(self) -> Contract:
        history, slug = self.history, self.entry["member"]
        return Contract(history.actor, history.reviewer, history.accessions[slug], history.members[slug])

    def plan(self) -> None:
        """The tasks the contract speaks of."""
        services = _doors()[1]
        for task, text in self.entry["tasks"].items():
            services.plan_task(
                self.history.actor,
                task=task,
                planned_on=Day.read(text).on,
                scope=self.entry["subject"],
                **self._common("plan", Day.read(self.entry["put"])),
            )

    def _resolution(self, slug: str) -> Any:
        services = _doors()[1]
        votes = self.entry.get("votes", {})
        return services.Resolution(self.organ, votes[slug], 0, 0) if slug in votes else services.Resolution(self.organ)

    def _candidate(self, day: Day) -> None:
        services = _doors()[1]
        services.record_candidate_resolution(
            self.history.actor,
            version_sha256=self.hash,
            resolution=self._resolution("candidate"),
            **self._common("candidate", day),
        )

    def _consents(self, day: Day) -> None:
        queries, services = _doors()
        slugs = {ident: slug for slug, ident in self.history.members.items()}
        for carrier in queries.carriers_on(self.history.actor, day.on):
            slug = slugs[carrier.member_id]
            common = {**self._common("consents", day), "evidence": self._evidence("consents", day, slug)}
            services.record_consent(
                self.history.actor,
                party_id=carrier.member_id,
                version_sha256=self.hash,
                resolution=self._resolution(slug),
                **common,
            )

    def _sign(self, day: Day) -> None:
        queries, services = _doors()
        view = queries.accession(self.history.actor, self.history.accessions[self.entry["member"]])
        texts = self.history.facts
        services.sign(
            self.history.actor,
            signatures=[
                services.SignatureFacts(p.member_id, texts["signatory"], texts["function"], day.on)
                for p in view.parties
            ],
            **self._common("sign", day),
        )
        if self.entry.get("with_text"):
            self._contract().keep_copy(day.on)

    def _notice(self, day: Day) -> None:
        services = _doors()[1]
        services.give_notice(self.history.actor, **self._common("notice", day))

    def _complete(self, day: Day) -> None:
        services = _doors()[1]
        services.complete_documents(self.history.actor, **self._common("complete", day))

    def _cleared(self, day: Day) -> None:
        services = _doors()[1]
        services.declare_no_objection(self.history.actor, **self._common("cleared", day))

    def _published(self, day: Day) -> None:
        queries, services = _doors()
        view = queries.accession(self.history.actor, self.history.accessions[self.entry["member"]], today=day.on)
        public = {self.history.members[m["member"]] for m in self.history.facts["medium"]}
        known = {m.id for m in queries.media_of(self.history.actor, public, day=day.on)}
        for medium in view.media:
            named = Day(day.on, day.known and medium.medium_id in known)
            services.record_publication(
                self.history.actor, medium_id=medium.medium_id, sha256=self.hash, **self._common("published", named)
            )

    def _effect(self, day: Day) -> None:
        services = _doors()[1]
        services.take_effect(self.history.actor, **self._common("effect", day))

    def _capital(self, day: Day) -> None:
        services = _doors()[1]
        services.record_capital(self.history.actor, cents=50_000, **self._common("capital", day))

    def task(self, task: str, day: Day) -> Callable[[], None]:
        """A task that passed on that day."""
        services = _doors()[1]

        def transfer() -> None:
            recorded = max(day.on, Day.read(self.entry["capital"]).on)
            common = {**self._common(task, day), "now": clock(recorded)}
            services.transfer_task(self.history.actor, task=task, **common)

        return transfer

    def _completed(self, day: Day) -> None:
        services = _doors()[1]
        services.complete_onboarding(self.history.actor, **self._common("completed", day))

    def co_use(self, day: Day) -> Callable[[], None]:
        """The use of a procedure without being a carrier."""
        services = _doors()[1]

        def agree() -> None:
            services.agree_service(
                self.history.actor,
                member_id=self.history.members[self.entry["member"]],
                service_code=self.entry["co_use"]["service"],
                valid_from=day.on,
                as_carrier=False,
                basis=self.entry["note"]["inquiry"],
                now=clock(day.on),
            )

        return agree
