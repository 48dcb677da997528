"""Forms of leaving: one for each act; `values()` is what the act's service takes."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership import services
from verbund.modules.membership.models import LeavingAction

from .services import day, offer


class LeavingActForm(forms.Form):
    """What every act has: its day and what it rests on."""

    own_fields: tuple[str, ...] = ()
    on = day(_("Date of the legal act"))
    document = forms.CharField(
        label=_("Document or record"), max_length=300, required=False, help_text=_("Where it can be found.")
    )
    note = forms.CharField(label=_("Note"), max_length=500, required=False)

    def values(self) -> dict[str, Any]:
        """What the act's service takes."""
        data = self.cleaned_data
        evidence = services.Evidence(document=data["document"], note=data["note"])
        return {"on": data["on"], "evidence": evidence, **{name: data[name] for name in self.own_fields}}


class NoticeForm(LeavingActForm):
    """A carrier's notice to leave."""

    field_order = ("member_id", "on", "exit_on", "new_chair")
    member_id = forms.ChoiceField(label=_("Carrier"))
    on = day(_("Day on which the notice was received"))
    exit_on = day(_("Last day as a carrier"))
    new_chair = forms.ChoiceField(
        label=_("Takes the chair of the board"),
        required=False,
        help_text=_("Only if the carrier that leaves chairs the board."),
    )

    def __init__(self, *args: Any, carriers: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        offer(self, "member_id", [("", _("Please choose")), *carriers])
        offer(self, "new_chair", [("", _("does not apply")), *carriers])

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            **super().values(),
            "member_id": UUID(data["member_id"]),
            "exit_on": data["exit_on"],
            "new_chair": UUID(data["new_chair"]) if data["new_chair"] else None,
        }


class SettleForm(LeavingActForm):
    """The settlement."""

    field_order = ("on", "direction", "euro")
    direction = forms.ChoiceField(
        label=_("Who pays"),
        choices=[
            ("member", _("The body that leaves pays the alliance")),
            ("alliance", _("The alliance pays the body")),
        ],
        widget=forms.RadioSelect,
    )
    euro = forms.DecimalField(label=_("Amount in euros"), min_value=0, max_digits=12, decimal_places=2, localize=True)

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        cents = int(data["euro"] * 100)
        return {**super().values(), "cents": cents if data["direction"] == "member" else -cents}


class HandBackForm(LeavingActForm):
    """The hand-back of the data, known by the manifest of the export."""

    own_fields = ("export_reference", "manifest_sha256")
    field_order = ("on", "export_reference", "manifest_sha256")
    export_reference = forms.CharField(
        label=_("Export"), max_length=300, help_text=_("Which export, and to whom it was handed.")
    )
    manifest_sha256 = forms.RegexField(
        r"^[0-9a-f]{64}\Z",
        label=_("Hash of the manifest (SHA-256)"),
        help_text=_("The last line that “verbund body export” has printed: 64 characters 0-9 and a-f."),
    )


class ErasureForm(LeavingActForm):
    """The certificate of erasure."""

    own_fields = ("certificate",)
    field_order = ("on", "certificate")
    certificate = forms.CharField(
        label=_("Certificate"),
        max_length=300,
        help_text=_("Its name or its hash, as “verbund body erase” has printed it."),
    )


LEAVING_FORMS: dict[LeavingAction, type[LeavingActForm]] = {
    LeavingAction.SETTLE: SettleForm,
    LeavingAction.HAND_BACK_DATA: HandBackForm,
    LeavingAction.CERTIFY_ERASURE: ErasureForm,
}
