"""Forms of the contract: what it is assembled from, when it is finalised, the signed copy, a certificate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership import services
from verbund.modules.membership.models import CopyKind
from verbund.modules.membership.queries import AccessionView, ClauseLink, ClauseView, ContractView

# Values the clauses of the start set ask for; others are called by their name in the clause.
VALUE_NAMES: dict[str, Any] = {
    "audit_body": _("Body that inspects and audits"),
    "payment_days": _("Days in which the share is paid"),
    "notice_months": _("Months of notice for leaving"),
}


@dataclass(frozen=True, slots=True)
class Party:
    """A party of the contract as the form offers it."""

    member_id: UUID
    name: str
    share_cents: int | None
    seats: int


class ContractForm(forms.Form):
    """What a version is assembled from: clauses with their places, parties, tasks, the day, values."""

    expected_number = forms.IntegerField(widget=forms.HiddenInput, initial=0, min_value=0, max_value=100_000)
    chair = forms.ChoiceField(label=_("Who names the chair of the board"), required=False)
    tasks = forms.CharField(
        label=_("Tasks that pass to the alliance, one a line"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea({"rows": 4}),
    )
    effective_on = forms.DateField(
        label=_("Day of effect"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )

    def __init__(
        self,
        *args: Any,
        offered: Sequence[ClauseView],
        parties: Sequence[Party],
        standing: Sequence[ClauseLink],
        last: ContractView | None,
        order: Sequence[str],
        tasks: Sequence[str],
        effective_on: date | None,
        chair: UUID | None,
    ) -> None:
        super().__init__(*args)
        self.offered, self.parties = offered, parties
        said = last.data if last else {}
        self.fields["expected_number"].initial = last.number if last else 0
        self.fields["tasks"].initial = "\n".join(said.get("tasks", tasks))
        self.fields["effective_on"].initial = said.get("effective_on", effective_on)
        self._add_clauses(order)
        self._add_parties(str(said.get("chair") or chair or ""))
        self._add_values(said.get("values", {}))
        self.standing = standing
        if standing:
            self.fields["repeals"] = forms.MultipleChoiceField(
                label=_("Clauses of earlier contracts that end with this one"),
                choices=[(c.code, f"{c.title} ({c.code})") for c in standing],
                initial=said.get("repeals", []),
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )

    def _add_clauses(self, order: Sequence[str]) -> None:
        for clause in self.offered:
            review = (
                gettext("reviewed by %(name)s") % {"name": clause.reviewed_by}
                if clause.reviewed_by
                else gettext("draft, not reviewed yet")
            )
            self.fields[f"place_{clause.code}"] = forms.IntegerField(
                label=clause.title,
                help_text=", ".join([gettext("Version %(number)s") % {"number": clause.number}, review]),
                required=False,
                min_value=1,
                max_value=999,
                initial=order.index(clause.code) + 1 if clause.code in order else None,
                widget=forms.NumberInput({"class": "vb-input--4"}),
            )

    def _add_parties(self, chair: str) -> None:
        for number, party in enumerate(self.parties):
            name = {"name": party.name}
            self.fields[f"share_{number}"] = forms.DecimalField(
                label=_("%(name)s: share in euros") % name,
                min_value=0,
                max_digits=12,
                decimal_places=2,
                initial=None if party.share_cents is None else Decimal(party.share_cents).scaleb(-2),
            )
            self.fields[f"seats_{number}"] = forms.IntegerField(
                label=_("%(name)s: seats") % name, min_value=0, max_value=99, initial=party.seats
            )
        field = self.fields["chair"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Not settled yet")), *((str(p.member_id), p.name) for p in self.parties)]
        field.initial = chair

    def _add_values(self, said: dict[str, str]) -> None:
        used: dict[str, list[str]] = {}
        for clause in self.offered:
            for name in clause.values:
                used.setdefault(name, []).append(clause.title)
        for name, titles in used.items():
            self.fields[f"value_{name}"] = forms.CharField(
                label=VALUE_NAMES.get(name, f"{{{name}}}"),
                help_text=_("{%(name)s} in: %(titles)s.") % {"name": name, "titles": ", ".join(titles)},
                max_length=2000,
                required=False,
                initial=said.get(name, ""),
            )

    def clause_fields(self) -> Iterator[BoundField]:
        """The places of the clauses."""
        return (self[name] for name in self.fields if name.startswith("place_"))

    def party_fields(self) -> Iterator[BoundField]:
        """Shares and seats of the parties."""
        return (self[name] for name in self.fields if name.startswith(("share_", "seats_")))

    def value_fields(self) -> Iterator[BoundField]:
        """Everything else that is entered."""
        return (self[name] for name in self.fields if name.startswith("value_"))

    def values(self) -> dict[str, Any]:
        """What `services.draft_contract` takes."""
        data = self.cleaned_data
        placed = [(data[f"place_{c.code}"], c.code) for c in self.offered if data[f"place_{c.code}"]]
        return {
            "clauses": [code for _place, code in sorted(placed)],
            "expected_number": data["expected_number"],
            "data": services.ContractData(
                parties=tuple(
                    services.ContractParty(p.member_id, int(data[f"share_{n}"] * 100), data[f"seats_{n}"])
                    for n, p in enumerate(self.parties)
                ),
                chair=UUID(data["chair"]) if data["chair"] else None,
                tasks=tuple(line.strip() for line in data["tasks"].splitlines() if line.strip()),
                effective_on=data["effective_on"],
                values={
                    name.removeprefix("value_"): value for name, value in data.items() if name.startswith("value_")
                },
                repeals=tuple(data.get("repeals", ())),
            ),
        }


class FinaliseForm(forms.Form):
    """The day on which a version is put before the parties."""

    on = forms.DateField(
        label=_("Day on which it is put before the parties"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )


class CopyForm(forms.Form):
    """A signed copy, and who has signed it."""

    file = forms.FileField(label=_("The signed contract (PDF)"))
    kind = forms.ChoiceField(label=_("How was it signed?"), choices=CopyKind.choices, widget=forms.RadioSelect)

    def __init__(self, *args: Any, view: AccessionView) -> None:
        super().__init__(*args)
        self.view = view
        for number, party in enumerate(view.parties):
            name = {"name": party.name}
            self.fields[f"name_{number}"] = forms.CharField(
                label=_("%(name)s: signed by") % name, max_length=200, required=False
            )
            self.fields[f"function_{number}"] = forms.CharField(
                label=_("%(name)s: function") % name, max_length=200, required=False
            )
            self.fields[f"day_{number}"] = forms.DateField(
                label=_("%(name)s: signed on") % name,
                required=False,
                widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
            )

    def signatory_fields(self) -> list[tuple[str, list[BoundField]]]:
        """The fields of each party."""
        return [
            (party.name, [self[f"{part}_{number}"] for part in ("name", "function", "day")])
            for number, party in enumerate(self.view.parties)
        ]

    def clean(self) -> dict[str, Any]:
        """A party that has signed has all three."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        some = False
        for number, _party in enumerate(self.view.parties):
            given = [bool(data.get(f"{part}_{number}")) for part in ("name", "function", "day")]
            some = some or any(given)
            for part, there in zip(("name", "function", "day"), given, strict=True):
                if any(given) and not there and f"{part}_{number}" not in self.errors:
                    self.add_error(f"{part}_{number}", gettext("Enter name, function and day of whoever signed."))
        if not some and not self.errors:
            self.add_error(None, gettext("Enter name and function of everybody who signed."))
        return data

    def signatories(self) -> list[services.Signatory]:
        """Those who have signed this copy."""
        data = self.cleaned_data
        return [
            services.Signatory(p.member_id, data[f"name_{n}"], data[f"function_{n}"], data[f"day_{n}"])
            for n, p in enumerate(self.view.parties)
            if data[f"name_{n}"]
        ]


class AnchorForm(forms.Form):
    """A certificate to trust."""

    pem = forms.CharField(
        label=_("Certificate in PEM form"),
        max_length=20_000,
        widget=forms.Textarea({"rows": 8, "spellcheck": "false"}),
        help_text=_("The text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----."),
    )
    source = forms.CharField(
        label=_("Where it was taken from"),
        max_length=300,
        help_text=_("For example: trusted list of the Federal Network Agency of 1 November 2026."),
    )
