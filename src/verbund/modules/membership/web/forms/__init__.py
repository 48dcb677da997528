"""Forms of membership."""

from .accession import FORMS, ActForm, InquiryForm
from .members import ROOM_NAMES, RoomsForm

__all__ = ["FORMS", "ROOM_NAMES", "ActForm", "InquiryForm", "RoomsForm"]
