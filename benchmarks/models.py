"""Model cases (Mustervorgänge): opened through the services, with papers, and then multiplied by plain SQL."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from verbund.commands.demo.facts import body_named, texts
from verbund.commands.demo.papers import Words, pdf

WORD: Final = "Gartenlaube"  # stands in the first document of every case that the clerk sees, and nowhere else
SELDOM: Final = "Kranichrast"  # stands in that of one case of a hundred
TEMPLATE: Final = "hundesteuer_anmeldung"


def open_models(
    schema_name: str, *, seen: int, others: int, units: frozenset[str], now: datetime, brief: bool = False
) -> None:
    """Open `seen` cases in `units` and `others` in other units, each with two documents of real prose.

    Must be called as the role of the web, outside of any body.

    Args:
        brief: documents of a single sentence instead of a whole letter.
    """
    from verbund.modules.records import services as records
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for

    words = Words(body_named("ludwigslust"), "benchmarks")
    topics = texts()["topic"]
    chosen = [t for t in topics if t["unit"] in units], [t for t in topics if t["unit"] not in units]
    with acting_for(schema_name):
        actor = Actor.system(schema_name, "benchmarks")
        for number in range(seen + others):
            own = number < seen
            topic = chosen[0 if own else 1][number % len(chosen[0 if own else 1])]
            at = now - timedelta(minutes=2 * (seen + others - number))
            title = words.fill(words.rng.choice(topic["titles"]), at.date())
            records.open_case(
                actor,
                title=title,
                position=topic["position"],
                unit=topic["unit"],
                origin="",
                party=words.rng.choice((words.person(), words.choose("firms"))),
                now=at,
                documents=_papers(words, topic, title, _marks(number) if own else "", at, brief),
            )


def _marks(number: int) -> str:
    """The words by which the case is found."""
    return f"{WORD} und {SELDOM}" if number % 100 == 0 else WORD


def _papers(
    words: Words, topic: dict[str, Any], title: str, marks: str, at: datetime, brief: bool
) -> Callable[[Any], list[Any]]:
    from verbund.modules.records import services as records

    found = []
    for number, name in enumerate(topic["documents"][:2]):
        if brief:
            text = words.fill(words.rng.choice(topic["sentences"]), at.date())
        else:
            text = words.paper(topic, f"{name}: {title}", "siehe Vorgang", at.date())
        if marks and number == 0:
            text += f"\nDie Unterlagen zu {marks} liegen bei."
        content = pdf(text) if number == 0 else text.encode()
        ending = "pdf" if number == 0 else "txt"
        kind = "incoming" if number == 0 else "memo"
        found.append(records.NewDocument(name, kind, content, f"{name.lower().replace(' ', '-')}.{ending}"))
    return lambda _case: found
