"""Writes: the library of clauses from which contracts are assembled; each version is reviewed by another person."""

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import (
    PLACEHOLDER,
    ClauseKind,
    ClauseReview,
    ContractClause,
    has_controls,
    normalised,
)
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.queries.clauses import start_set
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, new_id
from verbund.platform.tenancy.clock import LEGAL_ZONE


class BadClause(Invalid):
    """What was entered for a clause cannot be taken."""


class ClauseConflict(Conflict):
    """The clause as it stands forbids the step."""


class ClauseChanged(ClauseConflict):
    """Somebody else has written a version since this one was begun; `changes` says who and what."""

    def __init__(self, latest: ContractClause) -> None:
        super().__init__(_("Somebody else has just changed this clause. Look at the new version first."))
        self.changes = (
            gettext("Version %(number)s by %(name)s, %(at)s: %(title)s")
            % {
                "number": latest.number,
                "name": latest.author_name,
                "at": f"{latest.recorded_at.astimezone(LEGAL_ZONE):%d.%m.%Y, %H:%M}",
                "title": latest.title,
            },
        )


@transaction.atomic
def write_clause(
    actor: Actor,
    *,
    code: str,
    title: str,
    text: str,
    kinds: Sequence[str],
    now: datetime,
    source: str = "",
    expected_number: int | None = None,
) -> int:
    """Write a clause (Vertragsklausel), or a further version of it. Returns the version's number.

    `expected_number` is the version the writer started from, 0 for a new clause; None does not ask.

    Raises:
        policy.Denied, BadClause, ClauseConflict (nothing has changed), ClauseChanged (somebody else was quicker).
    """
    policy.require(actor, Permission.WRITE_CLAUSES)
    assert actor.id is not None
    code, title, text, source = code.strip(), normalised(title), normalised(text), " ".join(source.split())
    errors: dict[str, str | Promise] = {}
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", code):
        errors["code"] = _("The code has small letters, digits and underscores and begins with a letter.")
    if not 2 <= len(title) <= 200 or "\n" in title:
        errors["title"] = _("Enter a title of 2 to 200 characters.")
    if not 10 <= len(text) <= 20_000:
        errors["text"] = _("Enter the text of the clause, 10 to 20,000 characters.")
    elif re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        errors["text"] = _("A placeholder is a name in braces, like {candidate}. Check the braces.")
    elif has_controls(text) or has_controls(title):
        errors["text"] = _("The text contains characters that cannot be shown. Enter it anew.")
    if not kinds or not set(kinds) <= set(ClauseKind.values):
        errors["kinds"] = _("Say which content the clause covers.")
    if len(source) > 300 or has_controls(source):
        errors["source"] = _("Name the provision in at most 300 characters.")
    if errors:
        raise BadClause(errors)
    latest = ContractClause.objects.filter(code=code).order_by("-number").first()
    if latest and expected_number is not None and latest.number != expected_number:
        raise ClauseChanged(latest)
    if latest and (latest.title, latest.text, latest.kinds, latest.source) == (title, text, sorted(set(kinds)), source):
        raise ClauseConflict(_("The clause reads like this already. Change it before you save a new version."))
    clause = ContractClause(
        id=new_id(),
        code=code,
        number=latest.number + 1 if latest else 1,
        title=title,
        text=text,
        kinds=sorted(set(kinds)),
        source=source,
        author_id=actor.id,
        author_name=actor.name,
        recorded_at=now,
    )
    try:
        with transaction.atomic():
            clause.save(force_insert=True)
    except IntegrityError as error:
        raise ClauseChanged(ContractClause.objects.filter(code=code).order_by("-number")[0]) from error
    audit.record(
        actor,
        "membership.clause.written",
        "membership.clause",
        clause.id,
        after={"code": code, "number": clause.number},
    )
    return clause.number


@transaction.atomic
def load_start_clauses(actor: Actor, *, now: datetime) -> int:
    """Put the start set (Startbestand) into the library as drafts; codes already there stay. Returns how many.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.WRITE_CLAUSES)
    known = set(ContractClause.objects.values_list("code", flat=True))
    new = [clause for clause in start_set() if clause["code"] not in known]
    for clause in new:
        write_clause(
            actor,
            code=clause["code"],
            title=clause["title"],
            text=clause["text"],
            kinds=clause["kinds"],
            source=clause["source"],
            now=now,
        )
    return len(new)


@transaction.atomic
def review_clause(actor: Actor, *, code: str, number: int, now: datetime, note: str = "") -> None:
    """Find a version of a clause good (Prüfung): another person than its author.

    Raises:
        policy.Denied, NotFound, ClauseConflict (one's own, or reviewed already).
    """
    policy.require(actor, Permission.REVIEW_CLAUSES)
    assert actor.id is not None
    clause = ContractClause.objects.filter(code=code, number=number).first()
    if clause is None:
        raise NotFound
    if clause.author_id == actor.id:
        raise ClauseConflict(_("You have written this version yourself. Ask another person to review it."))
    if ClauseReview.objects.filter(clause=clause).exists():
        raise ClauseConflict(_("This version has been reviewed already."))
    review = ClauseReview(
        id=new_id(),
        clause=clause,
        author_id=clause.author_id,
        reviewer_id=actor.id,
        reviewer_name=actor.name,
        note=note.strip()[:1000],
        recorded_at=now,
    )
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError as error:
        raise ClauseConflict(_("This version has been reviewed already.")) from error
    audit.record(
        actor, "membership.clause.reviewed", "membership.clause", clause.id, after={"code": code, "number": number}
    )
