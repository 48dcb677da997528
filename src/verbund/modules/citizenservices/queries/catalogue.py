"""What a citizen can settle here: services by topic, and a search that forgives."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID

from verbund.modules.citizenservices.models import OnlineService, ServiceState
from verbund.modules.citizenservices.models.form import LegalReference
from verbund.modules.citizenservices.models.offers import LetterTexts, RequiredAttachment
from verbund.modules.citizenservices.policies import Permission, visible_services
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

from .forms import in_use


class ServiceNotFound(NotFound):
    """There is no such service for this actor."""


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """A service in a list."""

    id: UUID
    slug: str
    title: str
    summary: str
    topic: str


@dataclass(frozen=True, slots=True)
class Topic:
    """Services that belong together, by title."""

    name: str
    services: tuple[ServiceCard, ...]


@dataclass(frozen=True, slots=True)
class ServicePage:
    """Everything a service page says. `steps` is the number of pages with questions."""

    id: UUID
    slug: str
    title: str
    topic: str
    summary: str
    description: str
    audience: str
    needed: tuple[str, ...]
    files: tuple[str, ...]
    fee_cents: int
    fee_text: str
    promised_days: int
    steps: int
    references: tuple[LegalReference, ...]
    is_published: bool


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """A service as its editors see it; `version` is to be given back on a change."""

    id: UUID
    slug: str
    title: str
    topic: str
    summary: str
    description: str
    audience: str
    needed: tuple[str, ...]
    attachments: tuple[RequiredAttachment, ...]
    search_words: tuple[str, ...]
    form_version_id: UUID
    unit: str
    file_plan_position: str
    promised_days: int
    fee_cents: int
    fee_text: str
    ledger: str
    product: str
    account: str
    payment_days: int
    retention_years: int
    letters: LetterTexts
    requires_sign_off: bool
    state: str
    state_label: str
    version: int


def topics(actor: Actor) -> list[Topic]:
    """The published services by topic, both in alphabetical order. Raises policy.Denied."""
    policy.require(actor, Permission.FIND_SERVICE)
    by_topic: dict[str, list[ServiceCard]] = {}
    for service in _published(actor):
        by_topic.setdefault(service.card.topic, []).append(service.card)
    return [
        Topic(name, tuple(sorted(cards, key=lambda c: _plain(c.title))))
        for name, cards in sorted(by_topic.items(), key=lambda item: _plain(item[0]))
    ]


def find_services(actor: Actor, text: str, *, limit: int = 20) -> list[ServiceCard]:
    """The services that fit a search, the best first.

    Umlauts may be spelled either way, parts of words count, synonyms are found, one slip of the pen in a longer word is
    forgiven. Raises policy.Denied.
    """
    policy.require(actor, Permission.FIND_SERVICE)
    words = _words(text)[:12]
    if not words:
        return []
    scored = []
    for service in _published(actor):
        points = [service.points(word) for word in words]
        hits = sum(1 for p in points if p)
        if hits and (hits == len(words) or hits * 2 >= len(words)):
            scored.append((-hits, -sum(points), _plain(service.card.title), service.card))
    return [card for *_key, card in sorted(scored, key=lambda row: row[:3])[:limit]]


def service(actor: Actor, slug: str) -> ServicePage:
    """The page of one service. Raises ServiceNotFound, policy.Denied."""
    policy.require(actor, Permission.FIND_SERVICE)
    found = visible_services(actor).filter(slug=slug).select_related("form_version").first()
    if found is None:
        raise ServiceNotFound
    form = in_use(found.form_version_id, found)
    return ServicePage(
        id=found.id,
        slug=found.slug,
        title=found.title,
        topic=found.topic,
        summary=found.summary,
        description=found.description,
        audience=found.audience,
        needed=tuple(found.needed),
        files=tuple(
            dict.fromkeys(f.label for f in form.definition.fields() if f.is_file and f.asked and f.cardinality.required)
        ),
        fee_cents=found.fee_cents,
        fee_text=found.fee_text,
        promised_days=found.promised_days,
        steps=len(form.steps),
        references=tuple(form.definition.all_references()),
        is_published=found.is_published,
    )


def service_settings(actor: Actor, service_id: UUID) -> ServiceSettings:
    """A service for its editors. Raises ServiceNotFound, policy.Denied."""
    policy.require(actor, Permission.CONFIGURE_SERVICE)
    found = visible_services(actor).filter(pk=service_id).first()
    if found is None:
        raise ServiceNotFound
    return _settings(found)


def services(actor: Actor) -> list[ServiceSettings]:
    """Every service for its editors, by title. Raises policy.Denied."""
    policy.require(actor, Permission.CONFIGURE_SERVICE)
    return [_settings(s) for s in visible_services(actor).order_by("title", "id")[:1000]]


def _settings(found: OnlineService) -> ServiceSettings:
    return ServiceSettings(
        id=found.id,
        slug=found.slug,
        title=found.title,
        topic=found.topic,
        summary=found.summary,
        description=found.description,
        audience=found.audience,
        needed=tuple(found.needed),
        attachments=tuple(found.attachments),
        search_words=tuple(found.search_words),
        form_version_id=found.form_version_id,
        unit=found.unit,
        file_plan_position=found.file_plan_position,
        promised_days=found.promised_days,
        fee_cents=found.fee_cents,
        fee_text=found.fee_text,
        ledger=found.ledger,
        product=found.product,
        account=found.account,
        payment_days=found.payment_days,
        retention_years=found.retention_years,
        letters=found.letters,
        requires_sign_off=found.requires_sign_off,
        state=found.state,
        state_label=str(ServiceState(found.state).label),
        version=found.version,
    )


# ---- Search
# -----------------------------------------------------------------------------------------------------------

_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_ACCENTS: Final = str.maketrans("áàâéèêíìîóòôúùûçñ", "aaaeeeiiiooouuucn")
_FILLERS: Final = frozenset(
    re.split(
        r"\s",
        "ein eine einen einem einer der die das den dem des fuer und oder in im am an auf zu zum zur von mit ich "
        "moechte will antrag beantragen mein meine meinen the a an for to and of",
    )
)


def _plain(text: str) -> str:
    return text.casefold().translate(_UMLAUTS).translate(_ACCENTS)


def _words(text: str) -> list[str]:
    words = re.findall(r"[^\W_]+", _plain(text[:300]))
    kept = [w for w in words if w not in _FILLERS and len(w) > 1]
    return kept or words


@dataclass(frozen=True, slots=True)
class _Searched:
    card: ServiceCard
    title: tuple[str, ...]
    named: tuple[str, ...]
    told: tuple[str, ...]

    def points(self, word: str) -> int:
        """How well a word fits: in the title, among the search words, in the summary; exactly, as a part, or nearly."""
        for weight, words in ((8, self.title), (6, self.named), (2, self.told)):
            if word in words:
                return weight * 3
            if len(word) >= 3 and any(word in w or (len(w) >= 4 and w in word) for w in words):
                return weight * 2
        if len(word) >= 5:
            for weight, words in ((8, self.title), (6, self.named)):
                if any(_nearly(word, w) for w in words):
                    return weight
        return 0


def _nearly(word: str, other: str) -> bool:
    """Whether the words differ by a slip: half of their three-letter parts agree."""
    if abs(len(word) - len(other)) > 3:
        return False
    a, b = _parts(word), _parts(other)
    return 2 * len(a & b) >= len(a | b)


@lru_cache(maxsize=20_000)
def _parts(word: str) -> frozenset[str]:
    padded = f"  {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def _published(actor: Actor) -> list[_Searched]:
    rows = (
        visible_services(actor)
        .filter(state=ServiceState.PUBLISHED)
        .values_list("id", "slug", "title", "summary", "topic", "search_words")
    )
    return [
        _Searched(ServiceCard(i, slug, title, summary, topic), *_searched(title, tuple(words), f"{summary} {topic}"))
        for i, slug, title, summary, topic, words in rows
    ]


@lru_cache(maxsize=2_000)
def _searched(title: str, named: tuple[str, ...], told: str) -> tuple[tuple[str, ...], ...]:
    return tuple(_words(title)), tuple(w for phrase in named for w in _words(phrase)), tuple(_words(told))
