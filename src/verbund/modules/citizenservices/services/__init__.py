"""The writes of citizenservices; the import path `verbund.modules.citizenservices.services` is the door."""

from verbund.modules.citizenservices.gateways.genericode import NotGenericode
from verbund.modules.citizenservices.gateways.xdatenfelder import BrokenSchema, NotXDatenfelder3
from verbund.modules.citizenservices.models.form import FormReport

from .beginning import offer_templates
from .decisions import (
    DecisionInvalid,
    DecisionRef,
    decide_application,
    propose_decision,
    record_withdrawal,
    withdraw_application,
)
from .drafts import (
    DraftInvalid,
    NotOnOffer,
    StepResult,
    Upload,
    add_attachment,
    claim_draft,
    delete_expired_drafts,
    discard_draft,
    remove_attachment,
    save_step,
    start_draft,
)
from .forms import VersionTaken, import_code_list, import_form
from .handling import (
    ApplicationMoved,
    AskedRef,
    TextInvalid,
    WrongState,
    answer_question,
    ask_back,
    hand_back,
    take_over,
)
from .messages import mark_read
from .offers import (
    ServiceConfiguration,
    ServiceInvalid,
    ServiceMoved,
    configure_service,
    offer_template,
    publish_service,
    unpublish_service,
)
from .progress import note_delivery, note_reopened_claim, note_settlement, notify_question, send_receipt
from .rehearsal import Rehearsal, RehearsedAnswer, rehearse
from .submission import ApplicationIncomplete, ApplicationRef, submit_application

__all__ = [
    "ApplicationIncomplete",
    "ApplicationMoved",
    "ApplicationRef",
    "AskedRef",
    "BrokenSchema",
    "DecisionInvalid",
    "DecisionRef",
    "DraftInvalid",
    "FormReport",
    "NotGenericode",
    "NotOnOffer",
    "NotXDatenfelder3",
    "Rehearsal",
    "RehearsedAnswer",
    "ServiceConfiguration",
    "ServiceInvalid",
    "ServiceMoved",
    "StepResult",
    "TextInvalid",
    "Upload",
    "VersionTaken",
    "WrongState",
    "add_attachment",
    "answer_question",
    "ask_back",
    "claim_draft",
    "configure_service",
    "decide_application",
    "delete_expired_drafts",
    "discard_draft",
    "hand_back",
    "import_code_list",
    "import_form",
    "mark_read",
    "note_delivery",
    "note_reopened_claim",
    "note_settlement",
    "notify_question",
    "offer_template",
    "offer_templates",
    "propose_decision",
    "publish_service",
    "record_withdrawal",
    "rehearse",
    "remove_attachment",
    "save_step",
    "send_receipt",
    "start_draft",
    "submit_application",
    "take_over",
    "unpublish_service",
    "withdraw_application",
]
