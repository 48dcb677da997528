"""Wiring: which event is heard by whom, what runs when, what stands in the navigation. The only page that knows
every room."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verbund.modules.budget import policies as budget_policies
from verbund.modules.budget import subscribers as budget_subscribers
from verbund.modules.budget import tasks as budget_tasks
from verbund.modules.budget.events import ClaimReopened, ClaimSettled, InvoiceHandedOver, InvoiceReceived
from verbund.modules.citizenservices import policies as services_policies
from verbund.modules.citizenservices import subscribers as services_subscribers
from verbund.modules.citizenservices import tasks as services_tasks
from verbund.modules.citizenservices.events import ApplicationSubmitted, QuestionAsked
from verbund.modules.citizenservices.web import offered as services_offered
from verbund.modules.costsharing import policies as costsharing_policies
from verbund.modules.costsharing import subscribers as costsharing_subscribers
from verbund.modules.costsharing import tasks as costsharing_tasks
from verbund.modules.costsharing.events import UsageMeasured
from verbund.modules.costsharing.web import taxes as costsharing_taxes
from verbund.modules.membership import policies as membership_policies
from verbund.modules.membership import subscribers as membership_subscribers
from verbund.modules.membership import tasks as membership_tasks
from verbund.modules.membership.events import AccessionEffective, BodyPrepared, RoomPrepared, TenantWished
from verbund.modules.membership.web import start as membership_start
from verbund.modules.records import policies as records_policies
from verbund.modules.records import subscribers as records_subscribers
from verbund.modules.records.events import LetterDelivered, LetterIssued
from verbund.platform.events import Crossing, Way
from verbund.platform.files import tasks as files_tasks
from verbund.platform.identity import policies as identity_policies
from verbund.platform.identity import subscribers as identity_subscribers
from verbund.platform.identity import tasks as identity_tasks
from verbund.platform.identity.events import AccessReset, EmailChanged, LinkRequested

HEARERS: Final[Mapping[type[Any], tuple[Callable[..., None], ...]]] = {
    LinkRequested: (identity_subscribers.mail_link,),
    AccessReset: (identity_subscribers.mail_access_reset,),
    EmailChanged: (identity_subscribers.mail_old_address,),
    ApplicationSubmitted: (services_subscribers.confirm_receipt,),
    QuestionAsked: (services_subscribers.tell_of_question,),
    LetterIssued: (records_subscribers.dispatch_letter,),
    LetterDelivered: (records_subscribers.send_notice, services_subscribers.follow_delivery),
    UsageMeasured: (costsharing_subscribers.take_usage,),
    ClaimSettled: (services_subscribers.follow_settlement,),
    ClaimReopened: (services_subscribers.follow_reopened_claim,),
    InvoiceHandedOver: (budget_subscribers.take_invoice_in,),
    InvoiceReceived: (budget_subscribers.check_invoice,),
    AccessionEffective: (membership_subscribers.make_ready,),
    TenantWished: (membership_subscribers.found_tenant,),
    BodyPrepared: (
        membership_subscribers.invite_people,
        records_subscribers.prepare_file_plan,
        budget_subscribers.prepare_books,
        services_subscribers.prepare_services,
    ),
    RoomPrepared: (membership_subscribers.note_part,),
}

# Which events may go from body to body. All others stay where they happened.
CROSSINGS: Final[Mapping[type[Any], Crossing]] = {
    InvoiceHandedOver: Crossing(Way.ANY),  # it takes the inbound path of any supplier's invoice
    UsageMeasured: Crossing(Way.TO_ALLIANCE, names_sender="schema_name"),
    BodyPrepared: Crossing(Way.FROM_ALLIANCE),
    RoomPrepared: Crossing(Way.TO_ALLIANCE, names_sender="schema_name"),
}

# (cron line in UTC, function of a tasks.py); run once per body
TIMED_WORK: Final[tuple[tuple[str, Callable[..., None]], ...]] = (
    ("*/5 * * * *", budget_tasks.fold_totals),
    ("7 23 * * *", membership_tasks.follow_agreements),
    ("17 1 * * *", identity_tasks.tidy_up),
    ("23 1 * * *", identity_tasks.forget_answers),
    ("37 1 * * *", services_tasks.delete_expired_drafts),
    ("7 2 * * *", files_tasks.sweep_files),
    ("47 0 * * *", membership_tasks.establish_due_clearances),
    ("5 5 * * *", membership_tasks.remind_of_deadlines),
    ("27 3 1 * *", costsharing_tasks.report_usage),
)

# The rooms as people know them, where the platform must name one.
ROOM_NAMES: Final[Mapping[str, str | Promise]] = {
    "citizenservices": _("Services"),
    "records": _("Files"),
    "budget": _("Budget"),
}

# What the pages of the catalogue of services say about tax: reviewed and kept above, in the cost sharing (ADR 0140).
TAX_LINES: Final[Callable[..., Any]] = costsharing_taxes.tax_lines
# Which online services a new body may begin with: the templates are kept above, too.
TEMPLATE_CHOICES: Final[Callable[[], list[tuple[str, str]]]] = services_offered.template_choices

# What the rooms say on the start page of the workspace, below its own: made by the room, "" for who may not see it.
START_PAGE: Final[tuple[Callable[..., str], ...]] = (membership_start.next_deadlines,)

# (label, url name, permission or None, icon)
Entry = tuple[str | Promise, str, StrEnum | None, str]

NAVIGATION: Final[tuple[Entry, ...]] = (
    (_("Today"), "clerk_home", services_policies.Permission.READ_APPLICATION, "home"),
    (_("Inbox"), "clerk_inbox", services_policies.Permission.PROCESS_APPLICATION, "inbox"),
    (_("My cases"), "clerk_cases", services_policies.Permission.PROCESS_APPLICATION, "checklist"),
    (_("Files"), "records:files", records_policies.Permission.READ_CASE, "folder"),
    (_("Budget"), "budget:overview", budget_policies.Permission.SEE, "coins"),
    (_("Inbound invoices"), "budget:inbound", budget_policies.Permission.RECEIVE_INVOICE, "checklist"),
    (_("Search"), "records:search", records_policies.Permission.READ_CASE, "search"),
    (_("File plan"), "records:file_plan", records_policies.Permission.MANAGE_FILE_PLAN, "checklist"),
    (_("Services"), "clerk_services", services_policies.Permission.CONFIGURE_SERVICE, "edit"),
    (_("People"), "people", identity_policies.Permission.VIEW_PEOPLE, "account-circle"),
    (_("Units"), "units", identity_policies.Permission.MANAGE_UNITS, "settings"),
    (_("Interfaces"), "keys", identity_policies.Permission.MANAGE_KEYS, "open-in-new"),
    (_("Members"), "membership:members", membership_policies.Permission.READ_MEMBERS, "account-circle"),
    (_("Accessions"), "membership:accessions", membership_policies.Permission.READ_ACCESSIONS, "arrow-forward"),
    (_("Deadlines"), "membership:deadlines", membership_policies.Permission.READ_ACCESSIONS, "calendar-today"),
    (_("Service catalogue"), "membership:catalogue", membership_policies.Permission.READ_CATALOGUE, "checklist"),
    (_("Agreements"), "membership:agreements", membership_policies.Permission.READ_CATALOGUE, "edit"),
    (_("Administrative board"), "membership:board", membership_policies.Permission.READ_BOARD, "calendar-today"),
    (_("Contract clauses"), "membership:clauses", membership_policies.Permission.REVIEW_CLAUSES, "edit"),
    (_("Set-up of bodies"), "membership:provisionings", membership_policies.Permission.PROVISION, "settings"),
    (_("Cost sharing"), "costsharing:overview", costsharing_policies.Permission.SEE, "coins"),
    (_("Our cost"), "costsharing:own", costsharing_policies.Permission.SEE_OWN, "coins"),
    (_("Jobs"), "jobs", identity_policies.Permission.RUN_JOBS, "autorenew"),
)

PORTAL_NAVIGATION: Final[tuple[Entry, ...]] = (
    (_("Services"), "portal_start", None, "home"),
    (_("Status and mailbox"), "portal_enter", services_policies.Permission.FOLLOW_APPLICATION, "mail"),
    (_("My account"), "citizen_account", None, "account-circle"),
)

USER_NAVIGATION: Final[tuple[Entry, ...]] = (
    (_("My access"), "staff_account", identity_policies.Permission.MANAGE_OWN_ACCESS, "account-circle"),
    (_("Substitution"), "staff_absence", identity_policies.Permission.MANAGE_OWN_ACCESS, "calendar-today"),
)
