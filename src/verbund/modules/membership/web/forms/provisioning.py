"""Forms of the set-up of a body and of the plan of taking it over."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership import services
from verbund.modules.membership.events import FirstPerson
from verbund.modules.membership.queries import ProvisioningView
from verbund.platform.identity.roles import ALLIANCE_ROLES, Role
from verbund.platform.ui.context import role_name

from .services import day, offer

_PEOPLE = 3
_LETTERHEAD = (
    ("street", _("Street and number")),
    ("postcode", _("Postcode")),
    ("city", _("Town or city")),
    ("phone", _("Telephone")),
    ("email", _("E-mail")),
    ("iban", _("IBAN")),
    ("bic", _("BIC")),
    ("bank", _("Bank")),
)


class PlanForm(forms.Form):
    """What a new body is to have when it begins."""

    hosts = forms.CharField(
        label=_("Host names, one a line"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Leave empty for the short name below the domain of the alliance."),
    )
    accent_colour = forms.CharField(
        label=_("Accent colour"),
        max_length=7,
        validators=[RegexValidator(r"^#[0-9a-f]{6}\Z", _("Enter # and six characters 0-9 or a-f, as in #1d4b8f."))],
        help_text=_("# and six characters 0-9 or a-f, as in #1d4b8f."),
    )
    ledger = forms.CharField(
        label=_("Code of the ledger"),
        required=False,
        max_length=20,
        help_text=_("Leave empty for a body without books."),
    )
    templates = forms.MultipleChoiceField(
        label=_("Online services to begin with"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("They stand there as drafts; the body's own people put them on offer."),
    )

    def __init__(
        self, *args: Any, view: ProvisioningView | None, templates: Sequence[tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        offer(self, "templates", list(templates))
        for name, label in _LETTERHEAD:
            self.fields[name] = forms.CharField(label=label, required=False, max_length=200)
        roles = sorted(((r.value, role_name(r.value)) for r in Role if r not in ALLIANCE_ROLES), key=lambda r: r[1])
        for number in range(1, self.people_offered(view) + 1):
            which = {"number": number}
            self.fields[f"name_{number}"] = forms.CharField(
                label=_("Person %(number)s: first and last name") % which, required=False, max_length=200
            )
            self.fields[f"email_{number}"] = forms.EmailField(
                label=_("Person %(number)s: e-mail address") % which, required=False, max_length=254
            )
            self.fields[f"role_{number}"] = forms.ChoiceField(
                label=_("Person %(number)s: role") % which, required=False, choices=roles, initial=Role.BODY_ADMIN.value
            )
        self.initial = {**_known(view), **self.initial} if view else {"accent_colour": "#1d4b8f", "ledger": "K1"}

    @staticmethod
    def people_offered(view: ProvisioningView | None) -> int:
        """How many people can be named: two more than there are, three at least."""
        return max(_PEOPLE, len(view.people) + 2 if view else 0)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name in [name for name in self.fields if name.startswith("name_")]:
            email = name.replace("name_", "email_")
            if data.get(name) and not data.get(email) and email not in self.errors:
                self.add_error(email, _("Enter the e-mail address, too: the invitation goes there."))
            if data.get(email) and not data.get(name) and name not in self.errors:
                self.add_error(name, _("Enter the name, too."))
        return data

    def wishes(self) -> services.Wishes:
        """What `services.plan_provisioning` takes."""
        data = self.cleaned_data
        numbers = [name.removeprefix("name_") for name in self.fields if name.startswith("name_")]
        return services.Wishes(
            hosts=tuple(data["hosts"].split()),
            letterhead={name: data[name] for name, _label in _LETTERHEAD if data[name]},
            accent_colour=data["accent_colour"],
            people=tuple(
                FirstPerson(data[f"email_{n}"], data[f"name_{n}"], data[f"role_{n}"] or Role.BODY_ADMIN.value)
                for n in numbers
                if data[f"email_{n}"]
            ),
            ledger=data["ledger"].strip(),
            templates=tuple(data["templates"]),
        )


def letterhead_lines(view: ProvisioningView) -> list[str]:
    """The letterhead in the order of the form."""
    return [view.letterhead[name] for name, _label in _LETTERHEAD if view.letterhead.get(name)]


def _known(view: ProvisioningView) -> dict[str, Any]:
    known: dict[str, Any] = {
        "hosts": "\n".join(view.hosts),
        "accent_colour": view.accent_colour,
        "ledger": view.ledger,
        "templates": list(view.templates),
        **view.letterhead,
    }
    for number, person in enumerate(view.people, start=1):
        known |= {f"name_{number}": person.name, f"email_{number}": person.email, f"role_{number}": person.role}
    return known


class TakeOverForm(forms.Form):
    """The day a body begins to work, around which the usual tasks are dated."""

    begins_on = day(_("The body begins to work on"))


class TaskForm(forms.Form):
    """A task of one's own."""

    title = forms.CharField(label=_("What is to be done"), max_length=200)
    due_on = day(_("By which day"))
    responsible = forms.CharField(label=_("Who sees to it"), max_length=200, required=False)


class MoveTaskForm(forms.Form):
    """Another day for a task, and who sees to it."""

    due_on = day(_("By which day"))
    responsible = forms.CharField(label=_("Who sees to it"), max_length=200, required=False)
    seen = day("")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["seen"].widget = forms.HiddenInput()


class FinishTaskForm(forms.Form):
    """A task that is done."""

    done_on = day(_("Done on"))
    note = forms.CharField(label=_("Note"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3}))
