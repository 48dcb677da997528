"""What must hold after any number of crashes, asked with plain SQL behind the application's back."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from .instance import Instance
from .people import Submission

TOWN = "walk_town"

# A question whose answer must be no row at all: what a row says, and how it is asked.
NONE_OF: dict[str, str] = {
    "a case number that was skipped or given twice": """
        SELECT position_id, year, count(*), max(number) FROM {t}.records_case
         GROUP BY 1, 2 HAVING count(*) <> max(number) OR min(number) <> 1""",
    "a file that two cases' positions gave twice": """
        SELECT reference, count(*) FROM {t}.records_file GROUP BY 1 HAVING count(*) > 1""",
    "a counter of references beside the cases": """
        SELECT k.* FROM {t}.records_referencecounter k WHERE k.year > 0 AND k.last <> (
            SELECT count(*) FROM {t}.records_case c WHERE c.position_id = k.position_id AND c.year = k.year)""",
    "a document number that was skipped": """
        SELECT case_id, count(*), max(number) FROM {t}.records_document
         GROUP BY 1 HAVING count(*) <> max(number)""",
    "a case whose count of documents is wrong": """
        SELECT c.reference FROM {t}.records_case c WHERE c.documents <> (
            SELECT count(*) FROM {t}.records_document d WHERE d.case_id = c.id)""",
    "a voucher number that was skipped": """
        SELECT fiscal_year_id, series, count(*), max(no) FROM {t}.budget_voucher
         GROUP BY 1, 2 HAVING count(*) <> max(no) OR min(no) <> 1""",
    "a voucher that does not balance": """
        SELECT voucher_id FROM {t}.budget_voucherline GROUP BY 1 HAVING sum(debit) <> sum(credit)""",
    "a trial balance that is not zero": """
        SELECT sum(debit) - sum(credit) FROM {t}.budget_voucherline HAVING sum(debit) <> sum(credit)""",
    "an open item that is not what its lines say": """
        SELECT i.id FROM {t}.budget_openitem i WHERE i.open_cents <> coalesce((
            SELECT sum(l.debit) - sum(l.credit) FROM {t}.budget_voucherline l WHERE l.open_item_id = i.id), 0)""",
    "an application without its one case, or a case without its one application": """
        SELECT a.case_reference, c.origin FROM {t}.citizenservices_application a
          FULL JOIN {t}.records_case c ON c.id = a.case_id AND c.origin = 'citizenservices.application:' || a.id
         WHERE a.id IS NULL OR c.id IS NULL""",
    "a draft that was sent twice": """
        SELECT draft_digest, count(*) FROM {t}.citizenservices_application GROUP BY 1 HAVING count(*) > 1""",
    "a draft that is still there beside its application": """
        SELECT id FROM {t}.citizenservices_draft""",
    "not exactly one receipt, decision and fee notice in the mailbox": """
        SELECT a.case_reference, k.kind, count(m.id) FROM {t}.citizenservices_application a
         CROSS JOIN (VALUES ('receipt'), ('decision')) AS k (kind)
          LEFT JOIN {t}.citizenservices_mailboxmessage m ON m.application_id = a.id AND m.kind = k.kind
         GROUP BY 1, 2 HAVING count(m.id) <> 1""",
    "a case with another number of papers than one receipt and one decision": """
        SELECT c.reference, k.kind, count(d.id) FROM {t}.records_case c
         CROSS JOIN (VALUES ('receipt'), ('decision')) AS k (kind)
          LEFT JOIN {t}.records_document d ON d.case_id = c.id AND d.kind = k.kind
         GROUP BY 1, 2 HAVING count(d.id) <> 1""",
    "a case without exactly one letter, delivered": """
        SELECT c.reference, count(l.id) FROM {t}.records_case c
          LEFT JOIN {t}.records_letter l ON l.case_id = c.id AND l.state = 'delivered'
         GROUP BY 1 HAVING count(l.id) <> 1""",
    "something that happened to a case more or less than once": """
        SELECT c.reference, k.kind, count(e.id) FROM {t}.records_case c
         CROSS JOIN (VALUES ('opened'), ('letter_issued'), ('letter_delivered'), ('closed')) AS k (kind)
          LEFT JOIN {t}.records_timelineentry e ON e.case_id = c.id AND e.kind = k.kind
         GROUP BY 1, 2 HAVING count(e.id) <> 1""",
    "an application that is not closed, paid and decided": """
        SELECT case_reference, state, outcome FROM {t}.citizenservices_application
         WHERE state <> 'closed' OR outcome <> 'granted' OR settled_on IS NULL""",
    "a claim that was not settled by exactly one payment": """
        SELECT c.id, c.state, count(e.id) FROM {t}.budget_claim c
          LEFT JOIN {t}.budget_statemententry e ON e.claim_id = c.id
         GROUP BY 1, 2 HAVING count(e.id) <> 1 OR c.state <> 'settled'""",
    "a payment that found no claim": "SELECT entry_ref, state FROM {t}.budget_statemententry WHERE state <> 'matched'",
    "a statement that was imported twice": """
        SELECT digest, count(*) FROM {t}.budget_bankstatement GROUP BY 1 HAVING count(*) > 1""",
    "a job that is not done": """
        SELECT id, status, attempts, args ->> 'hearer' FROM public.procrastinate_jobs j
         WHERE status <> 'succeeded' AND NOT (status = 'aborted' AND EXISTS (
            SELECT 1 FROM public.procrastinate_jobs o
             WHERE o.queueing_lock = j.queueing_lock AND o.id > j.id AND o.status = 'succeeded'))""",
    "an event that was told to a hearer by more than one job": """
        SELECT args ->> 'event_id', args ->> 'hearer', count(*) FROM public.procrastinate_jobs
         WHERE task_name = 'verbund.hear' GROUP BY 1, 2 HAVING count(*) > 1""",
    "a job without a receipt of its hearer, or a receipt without a job": """
        SELECT j.id, r.key FROM (SELECT * FROM public.procrastinate_jobs WHERE task_name = 'verbund.hear') j
          FULL JOIN {t}.events_eventreceipt r
            ON r.key = (j.args ->> 'event_id') || ' ' || (j.args ->> 'hearer') WHERE r.key IS NULL OR j.id IS NULL""",
    "a version without its content": """
        SELECT v.id FROM {t}.records_documentversion v
          LEFT JOIN {t}.files_storedfile f ON f.sha256 = v.sha256 WHERE f.sha256 IS NULL""",
}


@dataclass
class Evidence:
    """What was found, and what is wrong with it."""

    counts: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, list[Any]] = field(default_factory=dict)


def look(instance: Instance, submissions: list[Submission]) -> Evidence:
    """Ask everything."""
    found = Evidence()
    with instance.owner() as connection:
        for what, question in NONE_OF.items():
            rows = connection.execute(question.format(t=TOWN)).fetchall()
            if rows:
                found.wrong[what] = rows[:5]
        _promises(connection, submissions, found)
        _contents(connection, instance.var / "files" / TOWN, found)
        for name in ("citizenservices_application", "records_case", "records_document", "budget_voucher"):
            found.counts[name] = _number(connection, f"SELECT count(*) FROM {TOWN}.{name}")
        found.counts["jobs"] = _number(connection, "SELECT count(*) FROM public.procrastinate_jobs")
        again = (
            "SELECT count(*) FROM (SELECT job_id FROM public.procrastinate_events WHERE type = 'started'"
            " GROUP BY 1 HAVING count(*) > 1) more"
        )
        found.counts["jobs that were begun more than once"] = _number(connection, again)
    said = json.loads(instance.command("verify", "--json"))
    if said["ok"] is not True:
        found.wrong["verbund verify"] = [said]
    return found


def _number(connection: "psycopg.Connection[Any]", question: str) -> int:
    return int(connection.execute(question).fetchall()[0][0])


def _promises(connection: "psycopg.Connection[Any]", submissions: list[Submission], found: Evidence) -> None:
    """What was answered is there once, under the code that was told; nothing else is."""
    rows = connection.execute(f"SELECT id::text, code_hash FROM {TOWN}.citizenservices_application").fetchall()
    there: dict[str, str] = dict(rows)
    promised = [set(s.promised) for s in submissions]
    _note(found, "an answer that named another application than the first", [p for p in promised if len(p) != 1])
    wanted = {ident for p in promised for ident in p}
    _note(found, "accepted and lost", sorted(wanted - set(there)))
    _note(found, "there and never sent", sorted(set(there) - wanted))
    _note(found, "a code that two got", [c for c in {s.code for s in submissions} if not c])
    if len({s.code for s in submissions}) != len(submissions):
        found.wrong["a code that two got"] = [len(submissions)]
    from verbund.modules.citizenservices.models.codes import digest_of

    wrong = [s.promised[0] for s in submissions if there.get(s.promised[0]) != digest_of(s.code)]
    _note(found, "a code that does not open its application", wrong)


def _contents(connection: "psycopg.Connection[Any]", folder: Path, found: Evidence) -> None:
    """Every content that a row names lies in the store, byte by byte."""
    missing = []
    for sha256, size in connection.execute(f"SELECT sha256, size FROM {TOWN}.files_storedfile").fetchall():
        path = folder / "content" / sha256[:2] / sha256
        content = path.read_bytes() if path.exists() else b""
        if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            missing.append(sha256)
    _note(found, "a content that is missing or damaged", missing)


def _note(found: Evidence, what: str, rows: list[Any]) -> None:
    if rows:
        found.wrong[what] = rows[:5]
