"""Rehearsing a form (Probeausfüllung): valid answers of the house's own making, for the walk and the demo."""

from dataclasses import dataclass
from functools import lru_cache

from verbund.modules.citizenservices.gateways.xdatenfelder import read_form
from verbund.modules.citizenservices.models.checking import shown, typed
from verbund.modules.citizenservices.models.form import FormDefinition, Step
from verbund.modules.citizenservices.models.sample import SampleFile, sample_files, valid_answers
from verbund.modules.citizenservices.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class RehearsedAnswer:
    """One answer: as it is kept, as a person types it, as a reader sees it; `file` for a question that wants one."""

    path: str
    field_id: str
    step: int
    value: str
    typed: str
    shown: str
    file: SampleFile | None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A form with answers that its checks find nothing wrong with. The people in them do not exist and look like it."""

    form_id: str
    version: str
    title: str
    questions: int
    steps: int
    answers: tuple[RehearsedAnswer, ...]


def rehearse(actor: Actor, *, content: bytes, seed: int = 1, optional: float = 1.0) -> Rehearsal:
    """Read a form (XDatenfelder 3) and answer it; the same for the same seed. Nothing is stored.

    Args:
        optional: the chance of each optional question to be answered; 1 answers all of them.

    Raises:
        xml.Refused, NotXDatenfelder3, BrokenSchema: the file. policy.Denied.
    """
    policy.require(actor, Permission.IMPORT_FORM)
    definition, steps = _read(content)
    values = valid_answers(definition, seed=seed, optional=optional)
    files = {file.path: file for file in sample_files(definition, values)}
    answers = []
    for path, value in values.items():
        asked = definition.field_at(path)
        if asked is None:
            continue
        file = files.get(path)
        answers.append(
            RehearsedAnswer(
                path=path,
                field_id=asked.id,
                step=next(step.number for step in steps if step.holds(path)),
                value=value,
                typed=typed(asked, value),
                shown=file.filename if file else shown(asked, value),
                file=file,
            )
        )
    questions = sum(1 for asked in definition.fields() if asked.asked)
    return Rehearsal(definition.id, definition.version, definition.title, questions, len(steps), tuple(answers))


@lru_cache(maxsize=32)
def _read(content: bytes) -> tuple[FormDefinition, tuple[Step, ...]]:
    definition = read_form(content).definition
    return definition, definition.steps()
