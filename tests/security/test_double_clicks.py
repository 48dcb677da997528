"""Every form of the house, sent twice with the same content: the second time changes nothing, or says why it cannot.

The forms are found on the pages, as a browser would; whoever adds an address that takes forms adds here how it is
filled in, or why it cannot be.
"""

import base64
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.urls import resolve
from psycopg import sql

from verbund.modules.budget.tests.test_einvoice import hybrid_invoice
from verbund.modules.citizenservices.queries import service_templates
from verbund.modules.membership.tests.signatures import Authority
from verbund.modules.records import services as records
from verbund.modules.records.models import Case, TimelineEntry
from verbund.modules.records.tests.factories import pdf
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from .addresses import ROUTES, Route
from .hostile import Form
from .test_every_form import everything, visitor
from .test_permission_matrix import body_of
from .unchanged import TRACES
from .world import PASSWORD, World, connection, taken_back

Values = dict[str, Any]
LAST = object()  # the last choice that the page offers


_whole: dict[tuple[str, str], dict[str, str]] = {}


def state(body: str) -> dict[str, str]:
    """A digest of every table of the body and of `public`, within the transaction of the test.

    All are read once; afterwards those that were written to since (see unchanged.py).
    """
    key = connection.settings_dict["NAME"], body
    known = _whole.get(key)
    found = {}
    with acting_for(body):
        found.update(_digests(body, only_written=known is not None))
    connection.set_schema_to_public()
    found.update(_digests("public", only_written=known is not None))
    found = {name: digest for name, digest in found.items() if name.partition(".")[2] not in TRACES}
    if known is None:
        _whole[key] = found
    return {**(known or {}), **found}


def _digests(schema: str, *, only_written: bool) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s"
            " AND has_table_privilege(format('%%I.%%I', schemaname, tablename), 'SELECT')"
            " AND (NOT %s OR schemaname || '.' || tablename IN (SELECT name FROM watched.written)) ORDER BY 1",
            [schema, only_written],
        )
        tables = [name for (name,) in cursor.fetchall()]
        if not tables:
            return {}
        parts = sql.SQL(" UNION ALL ").join(
            sql.SQL(
                "SELECT {}, md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM {} t"
            ).format(sql.Literal(f"{schema}.{name}"), sql.Identifier(schema, name))
            for name in tables
        )
        cursor.execute(parts)
        return dict(cursor.fetchall())


def file(content: bytes, name: str) -> Callable[[], io.BytesIO]:
    """A file as a field of a form, anew for each sending."""

    def made() -> io.BytesIO:
        stream = io.BytesIO(content)
        stream.name = name
        return stream

    return made


def in_days(number: int) -> str:
    return (local_date(the_clock()) + timedelta(days=number)).isoformat()


NEW_PASSWORD = {"password": "Kieselstein 9 Regenschirm Fjord", "again": "Kieselstein 9 Regenschirm Fjord"}
ABSENCE = {"absent_from": in_days(30), "absent_until": in_days(31)}
UPLOAD: Values = {"title": "Anlage", "kind": "memo", "content": file(pdf("Anlage"), "anlage.pdf")}
XDF = file(service_templates()["hundesteuer_anmeldung"].form, "hund.xdf3.xml")
SERVICE = {
    "title": "Noch ein Dienst",
    "topic": "Probe",
    "summary": "Kurz gesagt.",
    "unit": "32",
    "file_plan_position": "32.10",
    "subject_grant": "Bewilligung",
    "grant": "wir bewilligen.",
    "subject_refuse": "Ablehnung",
    "refuse": "wir lehnen ab.",
    "remedy": "Widerspruch binnen eines Monats.",
    "fee": "",
}

OFFERED = {"name": "Neuer Dienst", "description": "Was dazugehört.", "unit": "workplace", "price_basis": "tariff"}
TERMS = {"role": "co_user", "basis": "Vertrag vom 1. November"}
MEASURE = {"member_id": LAST, "service_code": "CORE"}
LONG_AGO = the_clock().year - 5
TABLE = f"Mitglied;Leistung;von;bis;Menge\nalpha;CORE;1.1.{LONG_AGO};31.12.{LONG_AGO};7\n"

# What is filled in where a page leaves a field open; a function gets the world.
FILL: dict[str, Values] = {
    "ui:language": {},
    "staff_forgotten": {"email": "clerk@alpha.example.org"},
    "staff_password": NEW_PASSWORD,
    "staff_invitation": NEW_PASSWORD,
    "staff_own_password": {"present": PASSWORD, **NEW_PASSWORD},
    "staff_prove": {"password": PASSWORD},
    "staff_recovery_codes": {},
    "staff_end_absence": {},
    "staff_remove_factor": {},
    "staff_absence": {**ABSENCE, "substitute": LAST},
    "staff_revoke": {},
    "staff_revoke_others": {},
    "sign_out": {},
    "person_create": {"display_name": "Nina Neu", "email": "nina.neu@alpha.example.org", "role": "clerk", "unit": "32"},
    "person_invite": {},
    "person_change": {"display_name": "Anders Genannt"},
    "person_assign": {"role": "auditor", "unit": "50"},
    "person_block": {},
    "person_unblock": {},
    "person_reset_factor": {"witness": LAST, "reason": "Telefon verloren"},
    "person_absence": {**ABSENCE, "substitute": LAST},
    "absence_end": {},
    "assignment_end": {"last_day": in_days(3)},
    "unit_create": {"code": "77", "name": "Bauhof"},
    "unit_change": {"name": "Soziales und Schule", "is_active": "on"},
    "key_create": {"name": "Fachverfahren", "roles": "clerk", "units": "32", "last_day": in_days(90)},
    "key_revoke": {},
    "job_retry": {},
    "job_discard": {},
    "citizen_register": {"name": "Neue Bürgerin", "email": "neu@example.org"},
    "citizen_confirm": NEW_PASSWORD,
    "citizen_forgotten": {"email": "citizen@alpha.example.org"},
    "citizen_password": NEW_PASSWORD,
    "citizen_revoke": {},
    "citizen_revoke_others": {},
    "citizen_delete": {},
    "citizen_keep": {},
    "membership:register": {"name": "Stadt Neu", "kind": "town", "ags": "13076999"},
    "membership:enter": {"name": "Anzeiger"},
    "membership:end": {},
    "records:open_case": {"title": "Schlagloch in der Bahnhofstraße", "position": "32.10", "fields_of": "32.10"},
    "records:take_over": {},
    "records:hand_back": {},
    "records:note": {"text": "Die Bürgerin hat angerufen."},
    "records:close": {},
    "records:file_document": UPLOAD,
    "records:add_version": {"content": file(pdf("Zweite Fassung"), "zweite.pdf")},
    "records:record_delivery": {},
    "records:file_plan": {"csv": file(b"code;title;retention_years;disposal\n90;Neu;;\n90.10;Neues;5;V\n", "plan.csv")},
    "budget:reverse_voucher": {"reason": "Irrtum"},
    "budget:cancel_claim": {"reason": "Irrtum"},
    "budget:assign": {},
    "portal_begin": {},
    "portal_step": {"action": "next"},
    "portal_check": {"delivery": "mailbox"},
    "portal_discard": {},
    "portal_answer": {"text": "Hier ist es.", "files": file(pdf("Nachweis"), "nachweis.pdf")},
    "portal_withdraw": {},
    "clerk_take_over": {"version": "1"},
    "clerk_hand_back": {},
    "clerk_ask": {"text": "Was fehlt noch?"},
    "clerk_withdraw": {},
    "clerk_decide": {"outcome": "refused", "reason": "Es fehlt an allem."},
    "clerk_sign": {},
    "clerk_service_new": SERVICE,
    "clerk_service": {"summary": "Anders gesagt."},
    "clerk_service_publish": {},
    "clerk_service_withdraw": {},
    "clerk_offer_template": {
        "unit": "32",
        "file_plan_position": "32.10",
        "fee": "",
        "ledger": "",
        "product": "",
        "account": "",
    },
    "clerk_form_import": {"file": XDF},
    "budget:inbound": {"file": file(hybrid_invoice(number="2026-17"), "rechnung.pdf")},
    "budget:inbound_invoice": {"reason": "Es fehlt die Leitweg-ID."},
    "membership:open_accession": {
        "member_id": LAST,
        "subject": "Gesamter IT-Betrieb",
        "on": in_days(0),
        "authority_id": "",
    },
    "membership:act": {"on": in_days(0), "euro": "120000", "document": "Vorlage 1"},
    "membership:subscribe_calendar": {},
    "membership:define_service": {**OFFERED, "code": "NEU", "valid_from": in_days(0)},
    "membership:change_service": {**OFFERED, "valid_from": in_days(30)},
    "membership:end_service": {"last_day": in_days(400), "reason": "Wird nicht mehr gebraucht"},
    "membership:agree": {**TERMS, "member_id": LAST, "service_code": "CORE", "valid_from": in_days(30)},
    "membership:change_agreement": {**TERMS, "from_day": in_days(60), "quantity_limit": "9"},
    "membership:end_agreement": {"last_day": in_days(300), "reason": "Kündigung"},
    "budget:set_appropriation": {"product": "12301", "account": "4311", "euros": "1.234,00"},
    "membership:plan_provisioning": {"hosts": "ander.example", "role_1": "body_admin"},
    "membership:start_provisioning": {},
    "membership:plan_take_over": {"begins_on": in_days(120)},
    "membership:add_task": {"title": "Postfächer umziehen", "due_on": in_days(9)},
    "membership:move_task": {"due_on": in_days(40)},
    "membership:finish_task": {"done_on": in_days(0)},
    "membership:give_leave_notice": {
        "member_id": LAST,
        "on": in_days(0),
        "exit_on": in_days(1500),
        "new_chair": "",
    },
    "membership:leaving_act": {"on": in_days(0)},
    "costsharing:add_line": {"part": "revenue", "text": "Entgelte", "euros": "1.200,00"},
    "costsharing:add_post": {"title": "Sachbearbeitung", "grade": "E 9b", "fte": "0,5"},
    "costsharing:resolve": {"resolution": "Beschluss 3/2026", "resolved_on": in_days(0)},
    "costsharing:record_cost": {"centre": "K-CORE", "text": "Miete", "euros": "100"},
    "costsharing:record_measure": {
        **MEASURE,
        "period_start": f"{LONG_AGO}-01-01",
        "period_end": f"{LONG_AGO}-12-31",
        "quantity": "7",
    },
    "costsharing:import_measures": {"table": base64.b64encode(TABLE.encode()).decode(), "take": "1", "reason": ""},
    "costsharing:record_item": {
        **MEASURE,
        "kind": "project",
        "text": "Umzug",
        "performed_on": in_days(-9),
        "euros": "50",
        "document": "RE 1",
    },
    "costsharing:set_tariff": {
        "service_code": "CORE",
        "component": "quantity",
        "charging": "stock",
        "euros": "130",
        "valid_from": in_days(1),
        "basis": "Beschluss",
    },
    "costsharing:set_rule": {"service_code": "CORE", "provision": "§ 6 des Vertrags"},
    "costsharing:review_tax": {
        "service_code": "CORE",
        "treatment": "taxable_19",
        "valid_from": in_days(1),
        "reasoning": "Geprüft.",
        "document": "Az. 1",
        "reviewer": "Kanzlei",
        "reviewed_on": in_days(0),
    },
    "costsharing:define_key": {
        "code": "KOPF",
        "name": "Einwohner",
        "justification": "Nutzung je Kopf",
        "weight_inhabitants": "1",
    },
    "costsharing:check_run": {},
    "costsharing:release_run": {},
    "costsharing:issue_run": {},
    "costsharing:discard_run": {"reason": "Falsche Tage"},
    "costsharing:credit_invoice": {"reason": "Falsche Menge"},
    "costsharing:set_address": {"street": "Am Wall 9", "postcode": "19000", "city": "Alphausen"},
    "costsharing:new_scenario": {
        "name": "Stadt Neu",
        "joins_on": f"{the_clock().year - 1}-07-01",
        "quantity_CORE": "5",
        "change": "100",
    },
    "membership:new_clause": {
        "code": "privacy",
        "title": "Datenschutz",
        "text": "Es gilt Art. 28 DSGVO.",
        "kinds": "other",
    },
    "membership:clause_version": {"text": "Die Rechte nimmt {audit_body} wahr."},
    "membership:load_clauses": {},
    "membership:review_clause": {},
    "membership:draft_contract": {"tasks": "Nur der Schulbetrieb"},
    "membership:finalise_contract": {"on": in_days(0)},
    "membership:record_signed_copy": {
        "file": file(pdf("Zweite Ausfertigung"), "zweite.pdf"),
        "kind": "scanned",
        "name_0": "Lars Linde",
        "function_0": "Landrat",
        "day_0": in_days(0),
    },
    "membership:trust_list": {"pem": Authority("Andere Stelle").pem, "source": "Vertrauensliste vom 1. November"},
    "membership:withdraw_trust": {},
    "membership:board_rules": {"valid_from": in_days(30), "source": "§ 7 der Satzung"},
    "membership:call_meeting": {"form": "meeting", "held_on": in_days(30), "place": "Rathaus"},
    "membership:table_motion": {"title": "Satzung", "text": "Die Satzung wird geändert.", "matter": "reserved"},
    "membership:close_meeting": {},
    "membership:record_instruction": {
        "member_id": LAST,
        "choice": "yes",
        "organ": "Kreistag",
        "on": in_days(-1),
        "resolution": "1/26",
    },
    "membership:exclude_from_vote": {"member_id": LAST, "person_name": "Cora Clematis", "reason": "eigener Vorteil"},
    "membership:cast_ballots": {"person_name_0": "Anna Ahorn", "choice_0": "yes"},
    "membership:close_vote": {},
}


def sendings(world: World) -> dict[str, tuple[Route, Form]]:
    """The form that is sent to each address, with the page it stands on."""
    found: dict[str, tuple[Route, Form]] = {}
    for route, form in everything(world):
        found.setdefault(action_of(form), (route, form))
    return found


def action_of(form: Form) -> str:
    return str(resolve(urlsplit(form.action).path).view_name)


def filled(form: Form, name: str) -> Callable[[], Values]:
    """What a browser sends: the values of the page, and those filled in."""
    given = FILL[name]

    def values() -> Values:
        made: Values = {n: v[0] for n, v in form.values.items() if v and v[0] not in (None, "")}
        for field, value in given.items():
            made[field] = form.values[field][-1] if value is LAST else value() if callable(value) else value
        return made

    return values


def sent_twice(world: World, route: Route, form: Form, name: str) -> tuple[list[int], list[str], list[str], str]:
    """Statuses; the tables that the first sending changed; those that the second did; what the second said."""
    values, client = filled(form, name), visitor(world, route)
    body = body_of(route)
    with taken_back():
        before = state(body)
        first = client.post(form.action, values())
        between = state(body)
        second = client.post(form.action, values())
        after = state(body)
    said = second.content.decode(errors="replace") if not second.streaming else ""
    return (
        [first.status_code, second.status_code],
        sorted(t for t in between if between[t] != before.get(t)),
        sorted(t for t in after if after[t] != between.get(t)),
        said,
    )


# What has no form to be filled in here, and why it cannot do harm twice.
NOT_HERE = {
    "staff_sign_in": "a session, and no more; a wrong password counts each time",
    "staff_second_factor": "in the middle of a sign-in; each code is taken once (test_second_factor.py)",
    "staff_set_up": "in the middle of a sign-in; each code is taken once (test_second_factor.py)",
    "staff_provider": "leads to the identity provider and writes nothing",
    "staff_provider_return": "each answer of the provider is taken once (test_oidc.py)",
    "citizen_provider": "leads to the identity provider and writes nothing",
    "citizen_provider_return": "each answer of the provider is taken once (test_oidc.py)",
    "staff_add_app": "each code is taken once (test_second_factor.py)",
    "staff_add_passkey": "each challenge is answered once (test_second_factor.py)",
    "citizen_sign_in": "a session, and no more; a wrong password counts each time",
    "citizen_own_password": "the citizens of these tests sign in by a provider; as staff_own_password",
    "portal_resume": "opens a draft in the session and writes nothing else",
    "portal_enter": "opens an application in the session and writes nothing else",
    "clerk_code_list_import": "the same content is known by its digest (test_services_on_offer.py)",
    "budget:statements": "the same statement is known by its entries (test_bank_statements.py)",
    "membership:switch_rooms": "sets what stands in the form",
    "membership:retry_provisioning": "what has not failed is not tried again (test_provisioning_pages.py)",
}
AUDIT = frozenset({"audit_auditentry", "audit_auditlane"})
MAIL = frozenset({*AUDIT, "procrastinate_jobs", "procrastinate_events"})
# Where the second time leaves a trace: which tables it may touch, and why that is right.
AGAIN: dict[str, tuple[frozenset[str], str]] = {
    "staff_forgotten": (MAIL, "another mail; only the link of the last one counts"),
    "citizen_forgotten": (MAIL, "another mail; only the link of the last one counts"),
    "citizen_register": (MAIL, "another mail, the account is the same"),
    "person_invite": (MAIL, "the administration asks for another mail; only the last link counts"),
    "person_reset_factor": (MAIL, "noted and told each time; there is nothing left to take away"),
    "key_create": (
        AUDIT | {"identity_local_apikey"},
        "its secret is shown once, and must be that of the page the person sees; the other key is listed and revoked",
    ),
    "budget:set_appropriation": (AUDIT, "the same amount once more is noted"),
    "membership:subscribe_calendar": (
        AUDIT | {"membership_calendarfeed"},
        "the address on the page the person sees is the one that works; the one before is revoked",
    ),
    "membership:plan_provisioning": (AUDIT, "the same plan once more is noted"),
    "membership:start_provisioning": (MAIL, "asks once more for the tenant; made twice it is made once"),
    "membership:plan_take_over": (AUDIT, "the same day once more is noted"),
    "staff_recovery_codes": (AUDIT, "the codes on the page the person sees are those that count"),
    "staff_revoke_others": (AUDIT, "noted; there is nothing left to end"),
    "citizen_revoke_others": (AUDIT | {"identity_local_citizenaccount"}, "noted; the epoch counts on"),
    "person_change": (AUDIT, "the same values once more are noted"),
    "assignment_end": (AUDIT, "the same day once more is noted"),
    "unit_change": (AUDIT, "the same values once more are noted"),
    "job_retry": (MAIL, "the job waits already; it is noted"),
    "records:file_plan": (AUDIT, "the same plan once more is noted; its report says that nothing is new"),
    "portal_step": (AUDIT | {"citizenservices_draft"}, "the same answers once more; the draft's day moves"),
}
# Where already the first time nothing is there to be done, in the town as these tests find it.
NOTHING_TO_DO = {
    "ui:language", "sign_out", "staff_prove", "staff_remove_factor", "clerk_service_publish", "person_unblock",
    "citizen_keep", "records:hand_back", "membership:load_clauses",
}  # fmt: skip


def form_of(world: World, name: str) -> tuple[Route, Form]:
    """The form that goes to an address: found on a page, or without a field of its own."""
    found = sendings(world).get(name)
    route = next(r for r in ROUTES if r.name == name)
    return found or (route, Form("", route.url(world.towns[body_of(route)]), {}, ()))


@pytest.mark.parametrize("name", FILL)
def test_what_is_sent_twice_happens_once(world: World, name: str) -> None:
    route, form = form_of(world, name)
    statuses, first, second, said = sent_twice(world, route, form, name)
    assert max(statuses) < 500, statuses
    if name not in NOTHING_TO_DO:
        assert statuses[0] in (200, 302), (statuses, said[-1500:])
        assert first, "the first time nothing happened: the form is not filled in rightly"
    allowed, _why = AGAIN.get(name, (frozenset(), ""))
    assert {table.partition(".")[2] for table in second} <= allowed, (statuses, second)
    if statuses[1] >= 400:
        assert "<h1" in said, "refused without words"


def test_no_address_that_takes_forms_is_left_out(world: World) -> None:
    """Each form on a page, and each address that does something else with a form than show its page, is filled in
    above, or says why not.
    """
    unknown = set(sendings(world)) - set(FILL) - set(NOT_HERE)
    assert unknown == set(), " ".join(sorted(unknown))
    left_out = []
    for route in ROUTES:
        if route.name in FILL or route.name in NOT_HERE or route.kind not in ("public", "citizen", "staff", "operator"):
            continue
        with taken_back():
            answer = visitor(world, route).post(route.url(world.towns[body_of(route)]))
        if answer.status_code in (400, 409, 410, 422):
            left_out.append((route.name, answer.status_code))
    assert left_out == []
    known = {route.name for route in ROUTES}
    assert {*FILL, *NOT_HERE, *AGAIN, *NOTHING_TO_DO} <= known


def test_going_back_and_typing_something_else_is_something_else(world: World) -> None:
    """The key is of page and content: two different notes from one page are two."""
    route, form = form_of(world, "records:note")
    client, case = visitor(world, route), world.towns["alpha"].ids["case_id"]
    with taken_back():
        for text in ("Erster Vermerk.", "Zweiter Vermerk.", "Zweiter Vermerk.", "Erster Vermerk."):
            values = {"once": form.values["once"][0], "text": text}
            assert client.post(form.action, values).status_code == 302
        with acting_for("alpha"):
            written = TimelineEntry.objects.filter(case=case, kind="note").order_by("id").values_list("text", flat=True)
            assert list(written) == ["Erster Vermerk.", "Zweiter Vermerk."]


def test_a_key_of_somebody_elses_form_shows_nothing_of_it(world: World) -> None:
    """Whoever sends another unit's key is told that the form was sent, and not what came of it."""
    key = uuid4()
    now = the_clock()
    values: Any = {"position": "32.10", "origin": "", "party": "", "now": now, "idempotency_key": key}
    with taken_back(), acting_for("alpha"):
        mine = staff("alpha", "clerk", Role.CLERK, "32")
        theirs = staff("alpha", "clerk elsewhere", Role.CLERK, "50")
        made = records.open_case(mine, title="Meiner", unit="32", **values)
        assert records.open_case(mine, title="Noch einmal", unit="32", **values) == made
        with pytest.raises(records.SentBefore):
            records.open_case(theirs, title="Fremder", unit="50", **values)
        assert Case.objects.filter(idempotency_key=key).count() == 1


def staff(body: str, name: str, role: Role, unit: str) -> Actor:
    return Actor(ActorKind.STAFF, uuid4(), name, body, frozenset({role}), frozenset({unit}), "test")
