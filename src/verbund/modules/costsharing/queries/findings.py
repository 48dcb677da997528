"""Findings of a run in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from verbund.modules.costsharing.models.reckoning import Finding

_TEXTS: dict[str, str | Promise] = {
    "no_rule": gettext_lazy("%(service)s: It is not said how this service is charged. Set the rule for it."),
    "no_treatment": gettext_lazy(
        "%(service)s: Nobody has reviewed its treatment under § 2b UStG for all days. Record the review first."
    ),
    "no_price": gettext_lazy("%(service)s: There is no tariff on %(day)s."),
    "no_measure": gettext_lazy("%(service)s, %(member)s: There is no quantity from %(day)s on."),
    "carried_forward": gettext_lazy(
        "%(service)s, %(member)s: The last known quantity is carried forward until a new one is there."
    ),
    "not_counted_yet": gettext_lazy("%(service)s, %(member)s: Not all days are counted yet; those cost nothing now."),
    "over_limit": gettext_lazy("%(service)s, %(member)s: More was used than was agreed."),
    "no_key_values": gettext_lazy("%(service)s: The key has no values to share by (%(detail)s)."),
    "nobody_bears": gettext_lazy("%(service)s: There is cost on days on which nobody bears it, from %(day)s on."),
    "no_actual_cost": gettext_lazy("%(service)s: There is no cost centre for it, so its actual cost is not known."),
    "inhabitants_alone": gettext_lazy(
        "%(service)s: A key of inhabitants alone on a service charged by contract was annulled in a like case (Higher"
        " Administrative Court of Saxony, 30 March 2020, 4 A 508/16). Have it looked at."
    ),
    "not_agreed": gettext_lazy("%(service)s, %(member)s: A cost of %(day)s falls on a day without an agreement."),
    "overhead_stuck": gettext_lazy("Overhead cannot be handed down (%(detail)s). Set the weights for the year."),
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as people read it."""

    severity: str
    text: str


def in_words(finding: Finding, names: Mapping[str, str]) -> FindingRow:
    """`names` are codes of members and services with their names."""
    try:
        day = date.fromisoformat(finding.detail).strftime("%d.%m.%Y")
    except ValueError:
        day = finding.detail
    text = str(_TEXTS[finding.code]) % {
        "service": names.get(finding.service, finding.service),
        "member": names.get(finding.party, finding.party),
        "day": day or _("the beginning"),
        "detail": finding.detail,
    }
    return FindingRow(finding.severity, text)
