"""Forms of membership."""

from .accession import FORMS, ActForm, InquiryForm
from .bodies import (
    AdministrationForm,
    ContactForm,
    DayForm,
    EndForm,
    EntryForm,
    FacilityForm,
    InhabitantsForm,
    MediumForm,
    MemberFilterForm,
    OrganForm,
    RegisterForm,
    TermForm,
    ThresholdForm,
)
from .members import ROOM_NAMES, RoomsForm

__all__ = [
    "FORMS",
    "ROOM_NAMES",
    "ActForm",
    "AdministrationForm",
    "ContactForm",
    "DayForm",
    "EndForm",
    "EntryForm",
    "FacilityForm",
    "InhabitantsForm",
    "InquiryForm",
    "MediumForm",
    "MemberFilterForm",
    "OrganForm",
    "RegisterForm",
    "RoomsForm",
    "TermForm",
    "ThresholdForm",
]
