"""Forms of the administrative board: rules, meetings, motions, instructions, exclusions and votes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership import models, services
from verbund.modules.membership.models import Choice, Fraction, Matter, Weighing
from verbund.modules.membership.queries import CarrierVotes, MotionView
from verbund.platform.tenancy import Invalid
from verbund.platform.ui.once import OnceForm

from .services import day as _day

FRACTIONS: Final[dict[str, tuple[Fraction, Any]]] = {
    "half_over": (Fraction(1, 2, True), _("more than half")),
    "half": (Fraction(1, 2, False), _("at least half")),
    "two_thirds": (Fraction(2, 3, False), _("at least two thirds")),
    "three_quarters": (Fraction(3, 4, False), _("at least three quarters")),
    "all": (Fraction(1, 1, False), _("all")),
}
_PARTS: Final = [(key, label) for key, (_part, label) in FRACTIONS.items()]
_DECIDE: Final = [
    ("", _("Please choose")),
    *((c.value, c.label) for c in (Choice.YES, Choice.NO, Choice.ABSTAIN)),
]


class RuleForm(forms.Form):
    """How a kind of matter is decided from a day on."""

    matter = forms.ChoiceField(label=_("Kind of matter"), choices=Matter.choices)
    weighing = forms.ChoiceField(label=_("Weight of the votes"), choices=Weighing.choices)
    quorum = forms.ChoiceField(
        label=_("Quorum"), choices=_PARTS, help_text=_("Which part of all votes has to take part.")
    )
    majority = forms.ChoiceField(
        label=_("Majority"), choices=_PARTS, help_text=_("Which part of the votes for and against has to be for.")
    )
    uniform = forms.BooleanField(label=_("The votes of one carrier must be the same"), required=False, initial=True)
    written_allowed = forms.BooleanField(label=_("May be decided in writing"), required=False)
    valid_from = _day(_("Valid from"))
    source = forms.CharField(
        label=_("Provision"),
        max_length=300,
        help_text=_("For example: § 6 (3) of the statute of 1 July 2021."),
    )

    def values(self) -> dict[str, Any]:
        """What `services.set_board_rule` takes."""
        data = self.cleaned_data
        rule = services.VotingRule(
            matter=data["matter"],
            quorum=FRACTIONS[data["quorum"]][0],
            majority=FRACTIONS[data["majority"]][0],
            weighing=data["weighing"],
            uniform=data["uniform"],
            written_allowed=data["written_allowed"],
        )
        return {"rule": rule, "valid_from": data["valid_from"], "source": data["source"]}


class MeetingForm(OnceForm):
    """A meeting, or a written procedure."""

    form = forms.ChoiceField(label=_("How it is decided"), choices=models.MeetingForm.choices, widget=forms.RadioSelect)
    held_on = _day(_("Day"), _("Of the meeting; in the written procedure the last day for votes."))
    place = forms.CharField(label=_("Place"), max_length=200, required=False)


class MotionForm(forms.Form):
    """A motion for the agenda."""

    title = forms.CharField(label=_("Title"), max_length=300)
    text = forms.CharField(label=_("Text of the resolution"), max_length=20_000, widget=forms.Textarea({"rows": 8}))
    matter = forms.ChoiceField(
        label=_("Kind of matter"),
        choices=Matter.choices,
        widget=forms.RadioSelect,
        help_text=_("Reserved matters need an instruction of each carrier's organ before its votes."),
    )


class CarrierForm(forms.Form):
    """Something that concerns one carrier."""

    member_id = forms.ChoiceField(label=_("Carrier"))

    def __init__(self, *args: Any, carriers: list[CarrierVotes], chosen: str = "") -> None:
        super().__init__(*args)
        field = self.fields["member_id"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(c.member_id), c.name) for c in carriers]
        if len(carriers) > 1:
            field.choices = [("", _("Please choose")), *field.choices]
        field.initial = chosen

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        return {**self.cleaned_data, "member_id": UUID(self.cleaned_data["member_id"])}


class InstructionForm(CarrierForm):
    """How an organ has bound the votes of its body."""

    choice = forms.ChoiceField(label=_("The votes are bound to"), choices=_DECIDE)
    organ = forms.CharField(label=_("Organ that has decided"), max_length=200)
    resolution = forms.CharField(label=_("Number of the resolution"), max_length=200, required=False)
    on = _day(_("Day of the resolution"))


class ExclusionForm(CarrierForm):
    """Who may not take part, and why."""

    person_name = forms.CharField(label=_("Person on the board"), max_length=200)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("For example: the decision brings the person an immediate advantage (§ 24 (1) KV M-V)."),
    )


@dataclass(frozen=True, slots=True)
class Seat:
    """A vote of a carrier that may still be cast."""

    carrier: CarrierVotes
    number: int
    label: str


class BallotsForm(forms.Form):
    """All votes that may still be cast, each with its person; what is left empty is not recorded."""

    def __init__(self, *args: Any, view: MotionView) -> None:
        super().__init__(*args)
        self.seats = list(_seats(view))
        written = view.meeting.form == models.MeetingForm.WRITTEN
        for place, seat in enumerate(self.seats):
            self.fields[f"person_name_{place}"] = forms.CharField(
                label=_("%(seat)s: who votes") % {"seat": seat.label}, max_length=200, required=False
            )
            bound = seat.carrier.instruction
            allowed = [bound.choice] if bound else [Choice.YES, Choice.NO, Choice.ABSTAIN]
            allowed += [Choice.OBJECT] if written else []
            self.fields[f"choice_{place}"] = forms.ChoiceField(
                label=_("%(seat)s: vote") % {"seat": seat.label},
                choices=[("", _("not cast yet")), *((c, Choice(c).label) for c in allowed)],
                required=False,
                help_text=_("Bound by the instruction of %(organ)s.") % {"organ": bound.organ} if bound else "",
            )

    def rows(self) -> Iterator[tuple[Seat, BoundField, BoundField]]:
        """Each vote with its two fields."""
        for place, seat in enumerate(self.seats):
            yield seat, self[f"person_name_{place}"], self[f"choice_{place}"]

    def clean(self) -> dict[str, Any]:
        """A vote needs both: who, and how."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for place in range(len(self.seats)):
            name, choice = data.get(f"person_name_{place}"), data.get(f"choice_{place}")
            if name and not choice and f"choice_{place}" not in self.errors:
                self.add_error(f"choice_{place}", gettext("Say how this person votes, or clear the name."))
            if choice and not name and f"person_name_{place}" not in self.errors:
                self.add_error(f"person_name_{place}", gettext("Name the person who votes."))
        return data

    def places(self) -> list[int]:
        """The rows that were filled in."""
        return [n for n in range(len(self.seats)) if self.cleaned_data.get(f"choice_{n}")]

    def ballots(self) -> list[services.BallotFacts]:
        """The votes that were filled in."""
        return [
            services.BallotFacts(
                self.seats[n].carrier.member_id,
                self.cleaned_data[f"person_name_{n}"],
                self.cleaned_data[f"choice_{n}"],
            )
            for n in self.places()
        ]

    def tell(self, refusal: Invalid) -> None:
        """Put what is wrong with the vote at a place into its row."""
        places = self.places()
        for key, message in refusal.errors.items():
            field, _sep, place = key.rpartition("_")
            self.add_error(f"{field}_{places[int(place)]}" if field else None, str(message))


def _seats(view: MotionView) -> Iterator[Seat]:
    for carrier in view.carriers:
        if not carrier.may_vote or carrier.needs_instruction:
            continue
        cast = len(carrier.ballots)
        for number in range(cast + 1, carrier.votes + 1):
            words = gettext("%(name)s, vote %(number)s of %(votes)s") if carrier.votes > 1 else "%(name)s"
            label = words % {"name": carrier.name, "number": number, "votes": carrier.votes}
            yield Seat(carrier, number, label)
