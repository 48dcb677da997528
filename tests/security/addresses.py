"""The addresses of the installation, read from the URL configuration, with real things behind them.

Whoever adds an address with a new kind of thing in it adds that thing to `world.py`; until then `Route.kwargs` names it
and the tests fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import get_converters

from verbund.modules.budget.policies import Permission as Budget
from verbund.modules.costsharing.policies import Permission as CostSharing

from .world import Town

# Whose thing is it that stands in the address? Of the whole body, of a unit in it, of one person, of one applicant.
BODY, UNIT, OWN, HOLDER = "body", "unit", "own", "holder"
WHOSE: dict[str, str] = {
    "absence_id": BODY,
    "staff_end_absence absence_id": OWN,
    "factor_id": OWN,
    "key_id": BODY,
    "invoice_id": BODY,
    "part": BODY,
    "session_id": OWN,
    "person_id": BODY,
    "assignment_id": BODY,
    "code": BODY,
    "budget:account code": BODY,
    "agreement_id": BODY,
    "task_id": BODY,
    "leaving_id": BODY,
    "member_id": BODY,
    "accession_id": BODY,
    "clause": BODY,
    "copy_id": BODY,
    "anchor_id": BODY,
    "meeting_id": BODY,
    "motion_id": BODY,
    "plan_id": BODY,
    "run_id": BODY,
    "scenario_id": BODY,
    "member": BODY,
    "action": BODY,
    "entry": BODY,
    "token": BODY,
    "file_id": UNIT,
    "case_id": UNIT,
    "document_id": UNIT,
    "page": BODY,
    "letter_id": UNIT,
    "voucher_id": BODY,
    "claim_id": BODY,
    "entry_id": BODY,
    "ledger": BODY,
    "year": BODY,
    "slug": BODY,
    "key": BODY,
    "draft_id": HOLDER,
    "number": BODY,
    "attachment_id": HOLDER,
    "application_id": UNIT,
    "portal application_id": HOLDER,
    "portal_document document_id": HOLDER,
    "service_id": BODY,
    "form_version_id": BODY,
    "job_id": BODY,
    "secret": HOLDER,
}
# Which of the town's things it is, where the name in the address does not say it.
THING: dict[tuple[str, str], str] = {
    ("citizen_revoke", "session_id"): "citizen session_id",
    ("budget:account", "code"): "account code",
    **{(f"membership:{name}", "code"): "service code" for name in ("service", "change_service", "end_service")},
    **{(f"membership:{name}", "entry"): "member entry" for name in ("enter", "end")},
    ("membership:end", "entry_id"): "member entry_id",
    **{(f"membership:{name}", "code"): "service code" for name in ("service", "change_service")},
    **{
        (f"membership:{name}", "member_id"): "bare member_id"
        for name in ("provisioning", "provisioning_state", "plan_provisioning", "start_provisioning")
    },
    ("budget:inbound_invoice", "invoice_id"): "inbound invoice_id",
    ("budget:inbound_original", "invoice_id"): "inbound invoice_id",
    **{
        (f"costsharing:{name}", parameter): f"charged {parameter}"
        for name in ("invoice", "invoice_original", "credit_invoice", "own_year", "centres", "record_cost")
        for parameter in ("invoice_id", "year")
    },
    ("membership:end_service", "code"): "free service code",
    ("costsharing:check_run", "run_id"): "proposed run_id",
    ("costsharing:discard_run", "run_id"): "proposed run_id",
    ("costsharing:release_run", "run_id"): "checked run_id",
    ("costsharing:issue_run", "run_id"): "released run_id",
    **{
        (f"membership:{name}", parameter): f"contract {parameter}"
        for name in (
            "contract",
            "draft_contract",
            "contract_difference",
            "record_signed_copy",
            "contract_version",
            "contract_pdf",
            "finalise_contract",
        )
        for parameter in ("accession_id", "number")
    },
    ("membership:review_clause", "clause"): "unreviewed clause",
    ("membership:review_clause", "number"): "unreviewed number",
    ("membership:close_vote", "motion_id"): "open motion_id",
    ("membership:close_meeting", "meeting_id"): "decided meeting_id",
    ("membership:minutes", "meeting_id"): "closed meeting_id",
    ("membership:leaving_act", "action"): "leaving action",
    ("portal_document", "document_id"): "party document_id",
    ("clerk_document", "document_id"): "party document_id",
    ("clerk_take_over", "application_id"): "waiting application_id",
    ("portal_answer", "application_id"): "asked application_id",
    **{
        (name, "secret"): f"{name} secret"
        for name in ("staff_invitation", "staff_password", "citizen_confirm", "citizen_password")
    },
}
# A permission that a page asks for beyond its own, when something is sent to it.
SENDING_NEEDS = {
    "budget:statements": Budget.MOVE_MONEY,
    "costsharing:plans": CostSharing.PLAN,
    "costsharing:runs": CostSharing.PROPOSE,
}


@dataclass(frozen=True)
class Route:
    """One address: its name, the names in it with the kind of each, and who may come in."""

    name: str
    pattern: str
    parameters: tuple[tuple[str, str], ...]
    policy: str

    @property
    def kind(self) -> str:
        return self.policy.partition(":")[0]

    @property
    def permissions(self) -> frozenset[str]:
        named = self.policy.partition(": ")[2] if self.kind == "staff" else ""
        return frozenset(named.split(" | ")) - {"any", ""}

    @property
    def whose(self) -> str:
        """The narrowest owner of anything in the address."""
        found = {self._whose(name) for name, _converter in self.parameters} or {BODY}
        return next(w for w in (HOLDER, OWN, UNIT, BODY) if w in found)

    def _whose(self, parameter: str) -> str:
        if f"{self.name} {parameter}" in WHOSE:
            return WHOSE[f"{self.name} {parameter}"]
        if parameter == "application_id" and self.name.startswith("portal_"):
            return WHOSE["portal application_id"]
        return WHOSE[parameter]

    def thing(self, parameter: str) -> str:
        return THING.get((self.name, parameter), parameter)

    def kwargs(self, town: Town) -> dict[str, Any]:
        missing = [n for n, _c in self.parameters if self.thing(n) not in town.ids]
        assert not missing, f"{self.name}: put a {missing} into tests/security/filling.py"
        return {n: town.ids[self.thing(n)] for n, _c in self.parameters}

    def url(self, town: Town, **other: Any) -> str:
        return reverse(self.name, kwargs={**self.kwargs(town), **other})

    def __str__(self) -> str:
        return self.name


def routes() -> list[Route]:
    """Every address there is."""
    return list(_routes(get_resolver(), "", "", ()))


def _routes(
    resolver: URLResolver, prefix: str, namespace: str, inherited: tuple[tuple[str, str], ...]
) -> Iterator[Route]:
    names = {type(converter): kind for kind, converter in get_converters().items()}
    for entry in resolver.url_patterns:
        found = tuple((n, names[type(c)]) for n, c in entry.pattern.converters.items())
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _routes(entry, prefix + str(entry.pattern), inner, inherited + found)
        else:
            assert isinstance(entry, URLPattern)
            yield Route(
                f"{namespace}{entry.name}",
                prefix + str(entry.pattern),
                inherited + found,
                str(getattr(entry.callback, "policy", "")),
            )


EVERYTHING = routes()
ROUTES = [r for r in EVERYTHING if not r.name.startswith("api:")]  # the pages
API = [r for r in EVERYTHING if r.name.startswith("api:")]
