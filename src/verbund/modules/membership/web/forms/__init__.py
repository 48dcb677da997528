"""Forms of membership."""

from .accession import FORMS, ActForm, InquiryForm
from .board import BallotsForm, CarrierForm, ExclusionForm, InstructionForm, MeetingForm, MotionForm, RuleForm
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
from .clauses import ClauseForm, ReviewForm
from .contracts import AnchorForm, ContractForm, CopyForm, FinaliseForm, Party
from .members import ROOM_NAMES, RoomsForm

__all__ = [
    "FORMS",
    "ROOM_NAMES",
    "ActForm",
    "AdministrationForm",
    "AnchorForm",
    "BallotsForm",
    "CarrierForm",
    "ClauseForm",
    "ContactForm",
    "ContractForm",
    "CopyForm",
    "DayForm",
    "EndForm",
    "EntryForm",
    "ExclusionForm",
    "FacilityForm",
    "FinaliseForm",
    "InhabitantsForm",
    "InquiryForm",
    "InstructionForm",
    "MediumForm",
    "MeetingForm",
    "MemberFilterForm",
    "MotionForm",
    "OrganForm",
    "Party",
    "RegisterForm",
    "ReviewForm",
    "RoomsForm",
    "RuleForm",
    "TermForm",
    "ThresholdForm",
]
