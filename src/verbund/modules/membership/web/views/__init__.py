"""Views of membership."""

from .accessions import accession, accessions, act, open_accession
from .agreements import agree, agreement, agreements, body_agreements, change_agreement, end_agreement, matrix
from .board import board, board_rules, call_meeting, close_meeting, meeting, minutes, table_motion
from .bodies import end, enter, register
from .catalogue import catalogue, change_service, define_service, end_service, service
from .clauses import clause, clause_version, clauses, load_clauses, new_clause, review_clause
from .contracts import (
    contract,
    contract_difference,
    contract_in_force,
    contract_pdf,
    contract_version,
    draft_contract,
    finalise_contract,
)
from .members import member, members, switch
from .overviews import calendar_feed, carriers, deadlines, subscribe, this_year, unsubscribe, year
from .signing import record_signed_copy, signed_copy, trust_list, withdraw_trust
from .votes import cast_ballots, close_vote, exclude, instruct, motion

__all__ = [
    "accession",
    "accessions",
    "act",
    "agree",
    "agreement",
    "agreements",
    "board",
    "board_rules",
    "body_agreements",
    "calendar_feed",
    "call_meeting",
    "carriers",
    "cast_ballots",
    "catalogue",
    "change_agreement",
    "change_service",
    "clause",
    "clause_version",
    "clauses",
    "close_meeting",
    "close_vote",
    "contract",
    "contract_difference",
    "contract_in_force",
    "contract_pdf",
    "contract_version",
    "deadlines",
    "define_service",
    "draft_contract",
    "end",
    "end_agreement",
    "end_service",
    "enter",
    "exclude",
    "finalise_contract",
    "instruct",
    "load_clauses",
    "matrix",
    "meeting",
    "member",
    "members",
    "minutes",
    "motion",
    "new_clause",
    "open_accession",
    "record_signed_copy",
    "register",
    "review_clause",
    "service",
    "signed_copy",
    "subscribe",
    "switch",
    "table_motion",
    "this_year",
    "trust_list",
    "unsubscribe",
    "withdraw_trust",
    "year",
]
