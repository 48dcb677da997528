"""Views of membership."""

from .accessions import accession, accessions, act, open_accession
from .agreements import agree, agreement, agreements, body_agreements, change_agreement, end_agreement, matrix
from .bodies import end, enter, register
from .catalogue import catalogue, change_service, define_service, end_service, service
from .members import member, members, switch
from .overviews import calendar_feed, carriers, deadlines, subscribe, this_year, unsubscribe, year

__all__ = [
    "accession",
    "accessions",
    "act",
    "agree",
    "agreement",
    "agreements",
    "body_agreements",
    "calendar_feed",
    "carriers",
    "catalogue",
    "change_agreement",
    "change_service",
    "deadlines",
    "define_service",
    "end",
    "end_agreement",
    "end_service",
    "enter",
    "matrix",
    "member",
    "members",
    "open_accession",
    "register",
    "service",
    "subscribe",
    "switch",
    "this_year",
    "unsubscribe",
    "year",
]
