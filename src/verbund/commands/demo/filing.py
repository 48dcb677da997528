"""Cases that clerks opened themselves, with their papers."""

from datetime import datetime, timedelta
from typing import Any, Final

from .facts import DemoBody, texts
from .papers import Words, pdf

_KINDS: Final = ("incoming", "outgoing", "memo", "other")


def file_cases(body: DemoBody, actors: dict[str, Any], *, documents: int, now: datetime) -> int:
    """Open the body's cases over the last eighteen months and file `documents` papers in them; returns how many."""
    from django.db import transaction

    words = Words(body, "cases")
    rng = words.rng
    topics = texts()["topic"]
    shares = [documents // body.cases + (1 if n < documents % body.cases else 0) for n in range(body.cases)]
    moments = sorted(now - timedelta(days=rng.uniform(3, 540)) for _ in range(body.cases))
    filed = 0
    for number, (moment, papers) in enumerate(zip(moments, shares, strict=True)):
        topic = topics[(number + len(body.schema)) % len(topics)]
        with transaction.atomic():
            filed += _file_case(words, topic, actors, papers, moment, now)
    return filed


def _file_case(
    words: Words, topic: dict[str, Any], actors: dict[str, Any], papers: int, moment: datetime, now: datetime
) -> int:
    """One case: opened by a clerk, its papers filed by the registry."""
    from verbund.modules.records import services as records

    rng, clerk, registry = words.rng, actors["clerk"], actors["registry"]
    title = words.fill(rng.choice(topic["titles"]), moment.date())
    case = records.open_case(
        clerk,
        title=title,
        position=topic["position"],
        unit=topic["unit"],
        origin="",
        party=rng.choice(("", words.person(), words.choose("firms"))),
        now=moment,
    )
    if rng.random() < 0.6:
        records.assign_case(clerk, case_id=case.id, person=clerk.id, person_name=clerk.name, now=moment)
    at = moment
    for position in range(papers):
        at = min(at + timedelta(hours=rng.uniform(1, 200)), now)
        name = topic["documents"][position % len(topic["documents"])]
        text = words.paper(topic, f"{name}: {title}", case.reference, at.date())
        as_pdf = rng.random() < 0.65
        records.file_document(
            registry,
            case_id=case.id,
            title=name if position < len(topic["documents"]) else f"{name} ({position + 1})",
            kind=rng.choice(_KINDS),
            content=pdf(text) if as_pdf else text.encode(),
            filename=f"{name.lower().replace(' ', '-')}-{position + 1}.{'pdf' if as_pdf else 'txt'}",
            now=at,
        )
    if rng.random() < 0.4:
        records.note(clerk, case_id=case.id, text=words.fill(rng.choice(topic["sentences"]), at.date()), now=at)
    if moment < now - timedelta(days=240) and rng.random() < 0.6:
        records.close_case(clerk, case_id=case.id, now=min(at + timedelta(days=rng.randint(2, 60)), now))
    return papers
