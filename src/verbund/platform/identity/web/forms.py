"""Forms of identity: they translate what was typed; what is right is the services' business."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from verbund.platform.identity.roles import ALLIANCE_ROLES, Role
from verbund.platform.tenancy import Invalid
from verbund.platform.tenancy.clock import LEGAL_ZONE
from verbund.platform.ui.context import role_name


def take(form: forms.Form, refused: Invalid) -> None:
    """Show a door's refusal at the fields it is about."""
    for name, message in refused.errors.items():
        form.add_error(name if name in form.fields else None, str(message))


def begin_of(day: date) -> datetime:
    """The instant at which a legal day begins."""
    return datetime.combine(day, time.min, LEGAL_ZONE).astimezone(UTC)


def end_of(day: date | None) -> datetime | None:
    """The instant at which a legal day is over."""
    return None if day is None else begin_of(day + timedelta(days=1))


def _password(autocomplete: str, label: Any, help_text: Any = "", required: Any = None) -> forms.CharField:
    return forms.CharField(
        error_messages={"required": required or _("Enter the password.")},
        label=label,
        help_text=help_text,
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def _day(label: Any, **options: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        validators=[
            MinValueValidator(date(2000, 1, 1), _("Enter a day in this century.")),
            MaxValueValidator(date(2099, 12, 31), _("Enter a day in this century.")),
        ],
        **options,
    )


class SignInForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
        error_messages={"required": _("Enter your e-mail address.")},
    )
    password = _password("current-password", _("Password"), required=_("Enter your password."))


class ProofForm(forms.Form):
    password = _password("current-password", _("Password"), required=_("Enter your password."))


class EmailForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class RegisterForm(forms.Form):
    name = forms.CharField(
        label=_("First and last name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.CharField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class NewPasswordForm(forms.Form):
    password = _password(
        "new-password",
        _("New password"),
        _("At least 12 characters. Several words that do not belong together are easy to remember and hard to guess."),
    )
    again = _password("new-password", _("New password once more"))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "password" in values and "again" in values and values["password"] != values["again"]:
            self.add_error("again", _("The two passwords differ. Type the same one twice."))
        return values


class ChangePasswordForm(NewPasswordForm):
    present = _password("current-password", _("Present password"))
    field_order = ("present", "password", "again")


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Six-digit code"),
        max_length=12,
        help_text=_("Open your authenticator app and type the code it shows for this workspace."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "vb-input--10"}
        ),
    )


class RecoveryForm(forms.Form):
    code = forms.CharField(
        label=_("Recovery code"),
        max_length=60,
        help_text=_("One of the ten codes you kept when you set up the second factor. Each works once."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class PersonForm(forms.Form):
    display_name = forms.CharField(label=_("First and last name"), max_length=200)
    email = forms.CharField(
        label=_("E-mail address at work"),
        max_length=254,
        help_text=_("The person signs in with it; the invitation goes there."),
        widget=forms.EmailInput(),
    )


class AssignmentForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"))
    unit = forms.ChoiceField(
        label=_("Unit"), required=False, help_text=_("Leave empty for roles that concern the whole body.")
    )
    valid_from = _day(_("Valid from"))
    valid_until = _day(_("Last day"), required=False, help_text=_("Leave empty if the assignment is not limited."))

    def __init__(self, *args: Any, units: Iterable[tuple[str, str]], alliance: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        roles = [r for r in Role if alliance or r not in ALLIANCE_ROLES]
        named = sorted(((r.value, role_name(r.value)) for r in roles), key=lambda pair: pair[1])
        self._choices("role", [("", _("Please choose")), *named])
        self._choices("unit", [("", _("Whole body")), *units])

    def _choices(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class NewPersonForm(PersonForm, AssignmentForm):
    field_order = ("display_name", "email", "role", "unit", "valid_from", "valid_until")

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        if data is not None and "trust_home" in data:
            self.ask_for_trust()

    def ask_for_trust(self) -> None:
        """One more box, for somebody whose means to sign in another body holds."""
        self.fields["trust_home"] = forms.BooleanField(
            label=_("I know the person, and know which body holds the means to sign in"), required=False
        )


class ResetForm(forms.Form):
    witness = forms.TypedChoiceField(
        label=_("Checked together with"),
        coerce=UUID,
        help_text=_(
            "A colleague who has made sure with you who is asking: in person, or by calling back a known number."
        ),
    )
    reason = forms.CharField(
        label=_("Reason, and how you made sure who is asking"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, colleagues: Iterable[tuple[UUID, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["witness"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Please choose")), *((str(key), name) for key, name in colleagues)]


class AbsenceForm(forms.Form):
    absent_from = _day(_("First day"))
    absent_until = _day(_("Last day"))
    substitute = forms.TypedChoiceField(
        label=_("Stands in"),
        coerce=UUID,
        help_text=_("On these days the person also sees the work of the units concerned."),
    )

    def __init__(self, *args: Any, colleagues: Iterable[tuple[UUID, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["substitute"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Please choose")), *((str(key), name) for key, name in colleagues)]


class EndForm(forms.Form):
    last_day = _day(_("Last day"), required=False, help_text=_("Leave empty to end the assignment at once."))


class UnitForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200)
    parent = forms.ChoiceField(label=_("Superior unit"), required=False)
    is_active = forms.BooleanField(label=_("The unit is in use"), required=False, initial=True)

    def __init__(self, *args: Any, units: Iterable[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["parent"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("none")), *units]


class NewUnitForm(UnitForm):
    code = forms.CharField(
        label=_("Short code"),
        max_length=40,
        help_text=_("The short sign used in references, for example 32 or FD32.1."),
    )
    field_order = ("code", "name", "parent")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["is_active"]


class PasskeyForm(forms.Form):
    """What the browser hands over; the field is filled by the page's script."""

    answer = forms.CharField(max_length=20000, widget=forms.HiddenInput())
    name = forms.CharField(
        label=_("Name of the passkey"),
        max_length=100,
        required=False,
        help_text=_("So that you recognise it later, for example: key on my key ring."),
    )


class KeyForm(forms.Form):
    name = forms.CharField(
        label=_("Name of the system"),
        max_length=100,
        help_text=_("It stands in the files and in the audit trail as the one who acted."),
    )
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The system may do what a person with these roles may. Give it no more than it needs."),
        error_messages={"required": _("Choose at least one role from the list.")},
    )
    units = forms.MultipleChoiceField(
        label=_("Units"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Cases and applications of other units do not exist for the system."),
    )
    may_write = forms.BooleanField(
        label=_("The system may also send and change, not only read"),
        required=False,
    )
    last_day = _day(_("Last day"), help_text=_("At most a year ahead; make a new key before."))

    def __init__(
        self, *args: Any, roles: Iterable[tuple[str, str]], units: Iterable[tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        for name, choices in (("roles", roles), ("units", units)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = list(choices)
