"""Forms of the accession: one for each act; `values()` is what the act's service takes."""

from typing import Any
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership import services
from verbund.modules.membership.models import Action
from verbund.modules.membership.queries import AccessionView

from .services import day as _day


class InquiryForm(forms.Form):
    """An inquiry to open an accession with."""

    member_id = forms.ChoiceField(label=_("Candidate"))
    subject = forms.CharField(
        label=_("Subject"), max_length=300, help_text=_("For example: whole IT operation of the core administration.")
    )
    on = _day(_("Day of the inquiry"))
    planned_effect_on = _day(_("Planned effect"), required=False)
    authority_id = forms.ChoiceField(label=_("Supervisory authority"), required=False)
    amends_statute = forms.BooleanField(
        label=_("The statute is amended, so publication comes before effect"), required=False, initial=True
    )

    def __init__(self, *args: Any, candidates: list[tuple[str, str]], authorities: list[tuple[str, str]]) -> None:
        super().__init__(*args)
        self._choices("member_id", [("", _("Please choose")), *candidates])
        self._choices("authority_id", [("", _("Not known yet")), *authorities])

    def _choices(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def values(self) -> dict[str, Any]:
        """What `services.open_inquiry` takes."""
        data = self.cleaned_data
        return {
            **{key: data[key] for key in ("subject", "on", "planned_effect_on", "amends_statute")},
            "member_id": UUID(data["member_id"]),
            "authority_id": UUID(data["authority_id"]) if data["authority_id"] else None,
        }


class ActForm(forms.Form):
    """What every act has: its day and what it rests on."""

    needs_reason = False
    on = _day(_("Date of the legal act"))

    def __init__(self, *args: Any, view: AccessionView) -> None:
        super().__init__(*args)
        self.view = view
        self.prepare()
        self.fields["document"] = forms.CharField(
            label=_("Document or record"), max_length=300, required=False, help_text=_("Where it can be found.")
        )
        if self.needs_reason:
            self.fields["reason"] = forms.CharField(
                label=_("Reason"), max_length=4000, widget=forms.Textarea({"rows": 4})
            )
        self.fields["note"] = forms.CharField(label=_("Note"), max_length=500, required=False)
        self.fields["assumed"] = forms.BooleanField(label=_("The day is assumed, no source names it"), required=False)

    def prepare(self) -> None:
        """The fields of the act itself."""

    def groups(self) -> list[tuple[str, list[BoundField]]]:
        """Fields that belong together, under what they belong to; the others stand by themselves."""
        return []

    def single_fields(self) -> list[BoundField]:
        """The fields that belong to no group."""
        grouped = {field.name for _title, fields in self.groups() for field in fields}
        return [field for field in self if field.name not in grouped]

    def own_values(self) -> dict[str, Any]:
        """The values of the act itself."""
        return {}

    def values(self) -> dict[str, Any]:
        """What the act's service takes."""
        data = self.cleaned_data
        evidence = services.Evidence(
            document=data["document"],
            reason=data.get("reason", ""),
            note=data["note"],
            date_known=not data["assumed"],
        )
        return {"on": data["on"], "evidence": evidence, **self.own_values()}


class CostsForm(ActForm):
    """The statement of costs."""

    def prepare(self) -> None:
        self.fields["euro"] = forms.DecimalField(
            label=_("Yearly cost in euros"),
            required=False,
            min_value=0,
            max_digits=12,
            decimal_places=2,
            help_text=_("Leave empty if the figure stands in the document alone."),
        )

    def own_values(self) -> dict[str, Any]:
        euro = self.cleaned_data["euro"]
        return {"yearly_cents": None if euro is None else int(euro * 100)}


class ResolutionForm(ActForm):
    """A resolution of an organ with its votes."""

    def prepare(self) -> None:
        self.fields["organ"] = forms.CharField(label=_("Organ that has decided"), max_length=200)
        votes = (
            ("votes_for", _("Votes for")),
            ("votes_against", _("Votes against")),
            ("abstentions", _("Abstentions")),
        )
        for name, label in votes:
            self.fields[name] = forms.IntegerField(label=label, required=False, min_value=0, max_value=999)

    def own_values(self) -> dict[str, Any]:
        told = {field: self.cleaned_data[field] for field in ("organ", "votes_for", "votes_against", "abstentions")}
        return {"resolution": services.Resolution(**told)}


class DecisionForm(ResolutionForm):
    """A party's decision on the version that lies before it."""

    with_candidate = True
    with_carriers = True

    def prepare(self) -> None:
        parties = [
            (str(p.member_id), p.name)
            for p in self.view.parties
            if p.may_decide and (self.with_candidate if p.is_candidate else self.with_carriers)
        ]
        self.fields["party_id"] = forms.ChoiceField(label=_("Body"), choices=parties)
        self.fields["version_sha256"] = forms.CharField(
            widget=forms.HiddenInput, initial=self.view.draft.sha256 if self.view.draft else ""
        )
        super().prepare()

    def own_values(self) -> dict[str, Any]:
        data = self.cleaned_data
        party = {"party_id": UUID(data["party_id"])}
        return {**super().own_values(), **party, "version_sha256": data["version_sha256"]}


class ConsentForm(DecisionForm):
    """A carrier's consent."""

    with_candidate = False


class CandidateForm(DecisionForm):
    """The candidate's resolution."""

    with_carriers = False

    def own_values(self) -> dict[str, Any]:
        return {key: value for key, value in super().own_values().items() if key != "party_id"}


class VersionForm(ActForm):
    """A version of the contract, by its hash."""

    def prepare(self) -> None:
        self.fields["label"] = forms.CharField(label=_("Name of the contract"), max_length=200)
        self.fields["sha256"] = forms.RegexField(
            r"^[0-9a-f]{64}\Z",
            label=_("Hash of the text (SHA-256)"),
            help_text=_("64 characters 0-9 and a-f; everybody consents to exactly this text."),
        )
        self.fields["seats"] = forms.IntegerField(
            label=_("Seats of the candidate on the board"), min_value=0, max_value=99, initial=1
        )

    def own_values(self) -> dict[str, Any]:
        data = self.cleaned_data
        terms = services.ContractTerms(seats=data["seats"])
        return {"label": data["label"], "sha256": data["sha256"], "terms": terms}


class SignForm(ActForm):
    """A signature of each party."""

    def prepare(self) -> None:
        for number, party in enumerate(self.view.parties):
            name = {"name": party.name}
            self.fields[f"name_{number}"] = forms.CharField(label=_("%(name)s: signed by") % name, max_length=200)
            self.fields[f"function_{number}"] = forms.CharField(label=_("%(name)s: function") % name, max_length=200)
            self.fields[f"day_{number}"] = _day(_("%(name)s: signed on") % name)

    def groups(self) -> list[tuple[str, list[BoundField]]]:
        """One group for each party."""
        return [
            (party.name, [self[f"{part}_{number}"] for part in ("name", "function", "day")])
            for number, party in enumerate(self.view.parties)
        ]

    def own_values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "signatures": [
                services.SignatureFacts(p.member_id, data[f"name_{n}"], data[f"function_{n}"], data[f"day_{n}"])
                for n, p in enumerate(self.view.parties)
            ]
        }


class NoticeForm(ActForm):
    """The notice to the authority."""

    def prepare(self) -> None:
        self.fields["documents"] = forms.CharField(
            label=_("Documents sent, one a line"), max_length=4000, required=False, widget=forms.Textarea({"rows": 5})
        )

    def own_values(self) -> dict[str, Any]:
        return {"documents": self.cleaned_data["documents"]}


class ReasonForm(ActForm):
    """An act that needs a reason."""

    needs_reason = True


class PublicationForm(ActForm):
    """A publication in a medium."""

    def prepare(self) -> None:
        media = [(str(m.medium_id), f"{m.party}: {m.name}") for m in self.view.media if m.published_on is None]
        self.fields["medium_id"] = forms.ChoiceField(label=_("Medium"), choices=media)
        self.fields["sha256"] = forms.RegexField(
            r"^[0-9a-f]{64}\Z",
            label=_("Hash of the published text (SHA-256)"),
            help_text=_("It must be the hash of the version that all have consented to."),
        )

    def own_values(self) -> dict[str, Any]:
        return {"medium_id": UUID(self.cleaned_data["medium_id"]), "sha256": self.cleaned_data["sha256"]}


class CapitalForm(ActForm):
    """The payment of the share capital."""

    def prepare(self) -> None:
        self.fields["euro"] = forms.DecimalField(
            label=_("Amount in euros"), min_value=0, max_digits=12, decimal_places=2
        )

    def own_values(self) -> dict[str, Any]:
        return {"cents": int(self.cleaned_data["euro"] * 100)}


class TaskForm(ActForm):
    """A task that passes."""

    def prepare(self) -> None:
        done = {t.code for t in self.view.transfers if t.transferred_on}
        self.fields["task"] = forms.ChoiceField(
            label=_("Task"), choices=[(code, name) for code, name in self.view.task_kinds if code not in done]
        )
        self.fields["scope"] = forms.CharField(label=_("Scope"), max_length=300, required=False)

    def own_values(self) -> dict[str, Any]:
        return {"task": self.cleaned_data["task"], "scope": self.cleaned_data["scope"]}


class PlanForm(TaskForm):
    """A task that is to pass."""

    def prepare(self) -> None:
        super().prepare()
        self.fields["planned_on"] = _day(_("Planned for"), required=False)

    def own_values(self) -> dict[str, Any]:
        return {**super().own_values(), "planned_on": self.cleaned_data["planned_on"]}


FORMS: dict[Action, type[ActForm]] = {
    Action.STATE_COSTS: CostsForm,
    Action.RECORD_BASIC_RESOLUTION: ResolutionForm,
    Action.PUT_CONTRACT_VERSION: VersionForm,
    Action.RECORD_CONSENT: ConsentForm,
    Action.RECORD_CANDIDATE_RESOLUTION: CandidateForm,
    Action.REFUSE: DecisionForm,
    Action.SIGN: SignForm,
    Action.GIVE_NOTICE: NoticeForm,
    Action.RAISE_OBJECTION: ReasonForm,
    Action.ABANDON: ReasonForm,
    Action.RECORD_PUBLICATION: PublicationForm,
    Action.RECORD_CAPITAL: CapitalForm,
    Action.PLAN_TASK: PlanForm,
    Action.TRANSFER_TASK: TaskForm,
}
