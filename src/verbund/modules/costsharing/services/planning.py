"""The business plan, cost centres, their cost and the order in which overhead is handed down."""

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.costsharing import policies
from verbund.modules.costsharing.models import (
    BusinessPlan,
    CentreCost,
    CostCentre,
    OverheadWeight,
    PlanInvestment,
    PlanLine,
    PlanPart,
    PlanPost,
)
from verbund.modules.costsharing.policies import Permission
from verbund.platform import audit
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, local_date, new_id

from .once import write_once

LARGEST = 10**14  # cents: a thousand thousand millions of euros


class PlanNotFound(NotFound):
    """There is no such plan, line or centre for this actor."""


class PlanRefused(Invalid):
    """What was given cannot stand in a plan; nothing was written."""


class PlanIsResolved(Conflict):
    """The plan is resolved (beschlossen): a change needs a supplement."""


@transaction.atomic
def draft_plan(actor: Actor, *, year: int, now: datetime, report: str = "") -> UUID:
    """Begin the plan (Wirtschaftsplan) of a year, or a supplement (Nachtrag) that begins with the resolved figures.

    Raises:
        policy.Denied, PlanRefused (no such year), PlanIsResolved (a draft of this year is there already).
    """
    policies.require(actor, Permission.PLAN)
    if not 2000 <= year <= 2100:
        raise PlanRefused({"year": _("Give a year between 2000 and 2100.")})
    plans = list(BusinessPlan.objects.select_for_update().filter(year=year).order_by("number"))
    if any(plan.is_open for plan in plans):
        raise PlanIsResolved(_("There is a draft for this year already. Go on with it, or have it resolved first."))
    plan = BusinessPlan.objects.create(id=new_id(), year=year, number=len(plans), report=report.strip(), created_at=now)
    if plans:
        _copy(plans[-1], plan)
    audit.record(
        actor, "costsharing.plan.drafted", "costsharing.plan", plan.id, after={"year": year, "number": plan.number}
    )
    return plan.id


def _copy(old: BusinessPlan, new: BusinessPlan) -> None:
    lines, posts, investments = list(old.lines.all()), list(old.posts.all()), list(old.investments.all())
    rows: list[PlanLine | PlanPost | PlanInvestment] = [*lines, *posts, *investments]
    for row in rows:
        row.id, row.plan = new_id(), new
    PlanLine.objects.bulk_create(lines)
    PlanPost.objects.bulk_create(posts)
    PlanInvestment.objects.bulk_create(investments)


def _open_plan(actor: Actor, plan_id: UUID) -> BusinessPlan:
    plan = policies.visible_plans(actor).select_for_update().filter(id=plan_id).first()
    if plan is None:
        raise PlanNotFound(str(plan_id))
    if not plan.is_open:
        raise PlanIsResolved(_("This plan is resolved. Begin a supplement to change it."))
    return plan


def _amount(cents: int, errors: dict[str, str], field: str = "cents") -> None:
    if not 0 <= cents <= LARGEST:
        errors[field] = _("Give an amount from zero to 1,000,000,000,000 euros.")


def _text(text: str, errors: dict[str, str], field: str = "text") -> str:
    text = text.strip()
    if not text or len(text) > 200:
        errors[field] = _("Give a text of at most 200 characters.")
    return text


def _centre(code: str, errors: dict[str, str], field: str = "centre") -> CostCentre | None:
    if not code:
        return None
    centre = CostCentre.objects.filter(code=code).first()
    if centre is None:
        errors[field] = _("There is no cost centre %(code)s.") % {"code": code}
    return centre


@transaction.atomic
def add_plan_line(
    actor: Actor,
    *,
    plan_id: UUID,
    part: str,
    text: str,
    cents: int,
    now: datetime,
    centre: str = "",
    idempotency_key: UUID | None = None,
) -> UUID:
    """Add a line (Planposition) to a part of the plan; lines of the success plan name their cost centre. The same
    `idempotency_key` again adds nothing.

    Raises:
        policy.Denied, PlanNotFound, PlanIsResolved, PlanRefused.
    """
    policies.require(actor, Permission.PLAN)
    plan = _open_plan(actor, plan_id)
    errors: dict[str, str] = {}
    text = _text(text, errors)
    _amount(cents, errors)
    place = _centre(centre, errors)
    if part not in PlanPart.values:
        errors["part"] = _("Choose a part of the plan.")
    if part == PlanPart.EXPENSE and not centre:
        errors["centre"] = _("Choose the cost centre that bears this expense.")
    if errors:
        raise PlanRefused(errors)
    last = plan.lines.order_by("-position").values_list("position", flat=True).first() or 0
    line, new = write_once(
        PlanLine, idempotency_key, plan=plan, part=part, centre=place, text=text, cents=cents, position=last + 1
    )
    if new:
        audit.record(
            actor,
            "costsharing.plan.line_added",
            "costsharing.plan",
            plan.id,
            after={"part": part, "text": text, "cents": cents, "centre": centre},
        )
    return line


@transaction.atomic
def remove_plan_line(actor: Actor, *, line_id: UUID, now: datetime) -> None:
    """Take a line out of a draft. Raises policy.Denied, PlanNotFound, PlanIsResolved."""
    policies.require(actor, Permission.PLAN)
    line = PlanLine.objects.filter(id=line_id, plan__in=policies.visible_plans(actor)).first()
    if line is None:
        raise PlanNotFound(str(line_id))
    plan = _open_plan(actor, line.plan_id)
    line.delete()
    audit.record(
        actor,
        "costsharing.plan.line_removed",
        "costsharing.plan",
        plan.id,
        before={"part": line.part, "text": line.text, "cents": line.cents},
    )


@transaction.atomic
def add_post(
    actor: Actor,
    *,
    plan_id: UUID,
    title: str,
    grade: str,
    fte: Decimal,
    now: datetime,
    centre: str = "",
    idempotency_key: UUID | None = None,
) -> UUID:
    """Add a post (Stelle) to the list of posts; the same `idempotency_key` again adds nothing.

    Raises:
        policy.Denied, PlanNotFound, PlanIsResolved, PlanRefused.
    """
    policies.require(actor, Permission.PLAN)
    plan = _open_plan(actor, plan_id)
    errors: dict[str, str] = {}
    title, place = _text(title, errors, "title"), _centre(centre, errors)
    if not grade.strip() or len(grade) > 20:
        errors["grade"] = _("Give the pay grade, at most 20 characters.")
    if not Decimal(0) < fte < Decimal(10_000):
        errors["fte"] = _("Give a share of full time above zero.")
    if errors:
        raise PlanRefused(errors)
    post, new = write_once(
        PlanPost, idempotency_key, plan=plan, title=title, grade=grade.strip(), fte=fte, centre=place
    )
    if new:
        audit.record(
            actor, "costsharing.plan.post_added", "costsharing.plan", plan.id, after={"title": title, "fte": str(fte)}
        )
    return post


@transaction.atomic
def add_investment(
    actor: Actor, *, plan_id: UUID, text: str, cents: int, now: datetime, commitment_cents: int = 0
) -> UUID:
    """Add an investment (Investition) with its commitments for later years.

    Raises:
        policy.Denied, PlanNotFound, PlanIsResolved, PlanRefused.
    """
    policies.require(actor, Permission.PLAN)
    plan = _open_plan(actor, plan_id)
    errors: dict[str, str] = {}
    text = _text(text, errors)
    _amount(cents, errors)
    _amount(commitment_cents, errors, "commitment_cents")
    if errors:
        raise PlanRefused(errors)
    row = PlanInvestment.objects.create(
        id=new_id(), plan=plan, text=text, cents=cents, commitment_cents=commitment_cents
    )
    audit.record(
        actor, "costsharing.plan.investment_added", "costsharing.plan", plan.id, after={"text": text, "cents": cents}
    )
    return row.id


@transaction.atomic
def resolve_plan(actor: Actor, *, plan_id: UUID, resolved_on: date, resolution: str, now: datetime) -> str:
    """Record that the board has resolved the plan (Beschluss); its figures are frozen. Returns their SHA-256.

    Raises:
        policy.Denied, PlanNotFound, PlanIsResolved, PlanRefused (empty plan, no resolution, day in the future).
    """
    policies.require(actor, Permission.RESOLVE)
    plan = _open_plan(actor, plan_id)
    errors: dict[str, str] = {}
    if not resolution.strip() or len(resolution) > 200:
        errors["resolution"] = _("Name the resolution of the administrative board.")
    if resolved_on > local_date(now):
        errors["resolved_on"] = _("The resolution cannot lie in the future.")
    if not plan.lines.exists():
        errors[""] = _("The plan has no line yet.")
    if errors:
        raise PlanRefused(errors)
    figures = _figures(plan)
    text = json.dumps(figures, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    plan.figures, plan.sha256 = figures, hashlib.sha256(text.encode()).hexdigest()
    plan.state, plan.resolved_on, plan.resolution = BusinessPlan.State.RESOLVED, resolved_on, resolution.strip()
    plan.version += 1
    plan.save()
    audit.record(
        actor,
        "costsharing.plan.resolved",
        "costsharing.plan",
        plan.id,
        after={"sha256": plan.sha256, "resolution": plan.resolution, "resolved_on": resolved_on.isoformat()},
    )
    return plan.sha256


def _figures(plan: BusinessPlan) -> dict[str, Any]:
    return {
        "year": plan.year,
        "number": plan.number,
        "report": plan.report,
        "lines": [
            [line.part, line.centre.code if line.centre else "", line.text, line.cents]
            for line in plan.lines.select_related("centre").order_by("position")
        ],
        "posts": [
            [post.title, post.grade, str(post.fte), post.centre.code if post.centre else ""]
            for post in plan.posts.select_related("centre").order_by("title", "id")
        ],
        "investments": [[row.text, row.cents, row.commitment_cents] for row in plan.investments.order_by("text", "id")],
    }


@transaction.atomic
def define_centre(
    actor: Actor, *, code: str, name: str, now: datetime, service_code: str = "", step: int | None = None
) -> UUID:
    """Define a cost centre (Kostenstelle): for a service, or for overhead with its place in the step-down order.

    The same code again changes the name, not what it is for. Raises policy.Denied, PlanRefused.
    """
    policies.require(actor, Permission.PLAN)
    errors: dict[str, str] = {}
    code = code.strip().upper()
    if not code or len(code) > 40 or not code.replace("-", "").replace(".", "").isalnum():
        errors["code"] = _("Give a code of letters, digits, dots and hyphens.")
    name = _text(name, errors, "name")
    if bool(service_code) == (step is not None):
        errors["step"] = _("A cost centre is for a service, or for overhead with a place in the order.")
    elif step is not None and not 0 <= step <= 999:
        errors["step"] = _("The place in the order is a number from 0 to 999.")
    there = CostCentre.objects.filter(code=code).first()
    others = CostCentre.objects.exclude(code=code)
    if there and (there.service_code, there.step) != (service_code, step):
        errors["code"] = _("This cost centre exists already and is for something else.")
    elif step is not None and others.filter(step=step).exists():
        errors["step"] = _("Another cost centre has this place in the order.")
    elif service_code and others.filter(service_code=service_code).exists():
        errors["service_code"] = _("Another cost centre is for this service.")
    if errors:
        raise PlanRefused(errors)
    centre, _made = CostCentre.objects.update_or_create(
        code=code,
        defaults={"name": name},
        create_defaults={"id": new_id(), "name": name, "service_code": service_code, "step": step},
    )
    audit.record(
        actor,
        "costsharing.centre.defined",
        "costsharing.centre",
        centre.id,
        after={"code": code, "name": name, "service": service_code, "step": step},
    )
    return centre.id


@transaction.atomic
def set_overhead_weight(actor: Actor, *, year: int, giver: str, receiver: str, weight: Decimal, now: datetime) -> None:
    """Say how much of a centre's cost another one takes (Umlageschlüssel); only later ones of the order can.

    Raises:
        policy.Denied, PlanRefused.
    """
    policies.require(actor, Permission.PLAN)
    errors: dict[str, str] = {}
    one, other = _centre(giver, errors, "giver"), _centre(receiver, errors, "receiver")
    if not Decimal(0) <= weight < Decimal(10**10):
        errors["weight"] = _("Give a weight of zero or more.")
    if one is not None and one.step is None:
        errors["giver"] = _("Only a cost centre of overhead hands its cost down.")
    elif one is not None and other is not None and other.step is not None and other.step <= (one.step or 0):
        errors["receiver"] = _("Cost is handed to later cost centres only, so that it never goes round.")
    if errors or one is None or other is None:
        raise PlanRefused(errors or {"receiver": _("Choose both cost centres.")})
    OverheadWeight.objects.update_or_create(
        year=year,
        giver=one,
        receiver=other,
        defaults={"weight": weight},
        create_defaults={"id": new_id(), "weight": weight},
    )
    audit.record(
        actor,
        "costsharing.overhead.weighted",
        "costsharing.centre",
        one.id,
        after={"year": year, "receiver": receiver, "weight": str(weight)},
    )


@transaction.atomic
def record_cost(
    actor: Actor,
    *,
    centre: str,
    year: int,
    cents: int,
    text: str,
    now: datetime,
    is_income: bool = False,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Record actual cost or other income (Istkosten, sonstige Erlöse) of a centre; below zero takes an entry back.
    The same `idempotency_key` again records nothing.

    Raises:
        policy.Denied, PlanRefused.
    """
    policies.require(actor, Permission.PLAN)
    errors: dict[str, str] = {}
    text, place = _text(text, errors), _centre(centre, errors)
    if not cents or abs(cents) > LARGEST:
        errors["cents"] = _("Give an amount other than zero.")
    if not 2000 <= year <= local_date(now).year:
        errors["year"] = _("Cost is recorded for a year that has begun.")
    if errors or place is None:
        raise PlanRefused(errors or {"centre": _("Choose the cost centre.")})
    row, new = write_once(
        CentreCost,
        idempotency_key,
        centre=place,
        year=year,
        is_income=is_income,
        cents=cents,
        text=text,
        recorded_at=now,
        recorded_by=actor.name,
    )
    if new:
        audit.record(
            actor,
            "costsharing.cost.recorded",
            "costsharing.centre",
            place.id,
            after={"year": year, "cents": cents, "text": text, "income": is_income},
        )
    return row
