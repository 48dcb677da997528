"""Views of membership."""

from .accessions import accession, accessions, act, open_accession
from .members import member, members, switch
from .overviews import calendar_feed, carriers, deadlines, subscribe, this_year, unsubscribe, year

__all__ = [
    "accession",
    "accessions",
    "act",
    "calendar_feed",
    "carriers",
    "deadlines",
    "member",
    "members",
    "open_accession",
    "subscribe",
    "switch",
    "this_year",
    "unsubscribe",
    "year",
]
