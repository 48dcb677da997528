from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import ServiceAgreement, ServiceVersion
from verbund.modules.membership.services.agreements.entering import covered
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy.models import Body

TODAY = date(2026, 11, 20)
FILE: dict[str, Any] = {
    "code": "FILE",
    "name": "Digital file",
    "description": "Files, cases and documents with retention.",
    "level": "Answer within four working hours.",
    "unit": "person",
    "price_basis": "tariff",
    "rooms": {"records"},
    "valid_from": date(2020, 1, 1),
}


@pytest.fixture
def manager(staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


@pytest.fixture
def member(alliance: Any, manager: Actor, now: datetime) -> Any:
    return services.register_body(
        manager,
        name="Stadt Alphausen",
        kind="town",
        ags="13076001",
        ars="",
        slug="alpha",
        schema_name="alpha",
        rooms={"budget"},
        now=now,
    )


@pytest.fixture
def file_service(alliance: Any, manager: Actor, now: datetime) -> queries.ServiceFacts:
    return services.define_service(manager, **FILE, now=now)


def agree(manager: Actor, member: Any, now: datetime, **changed: Any) -> queries.AgreementFacts:
    wanted: dict[str, Any] = {
        "member_id": member.id,
        "service_code": "FILE",
        "valid_from": TODAY,
        "as_carrier": True,
        "basis": "Contract of 1 July 2026, section 4",
    }
    return services.agree_service(manager, **(wanted | changed), now=now)


def test_a_service_stands_in_the_catalogue_on_its_days(
    manager: Actor, file_service: queries.ServiceFacts, now: datetime
) -> None:
    assert queries.services_on(manager, date(2019, 12, 31)) == []
    assert queries.services_on(manager, date(2020, 1, 1)) == [file_service]
    assert (file_service.rooms, file_service.unit, file_service.valid_until) == (("records",), "person", None)
    assert AuditEntry.objects.get().action == "membership.service.defined"


def test_a_new_version_ends_the_open_one_on_the_day_before(
    manager: Actor, file_service: queries.ServiceFacts, now: datetime
) -> None:
    newer = services.define_service(manager, **{**FILE, "valid_from": date(2027, 1, 1), "unit": "case"}, now=now)
    assert newer.id == file_service.id
    assert [(v.valid_from, v.valid_until, v.unit) for v in queries.service_versions(manager, "FILE")] == [
        (date(2020, 1, 1), date(2026, 12, 31), "person"),
        (date(2027, 1, 1), None, "case"),
    ]
    assert [s.unit for s in queries.services_on(manager, date(2026, 12, 31))] == ["person"]


@pytest.mark.parametrize("begins", [date(2019, 1, 1), date(2020, 1, 1)])
def test_two_versions_never_describe_one_day(
    manager: Actor, file_service: queries.ServiceFacts, now: datetime, begins: date
) -> None:
    with pytest.raises(services.ServiceConflict):
        services.define_service(manager, **{**FILE, "valid_from": begins}, now=now)
    assert ServiceVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "small letters"}, "code"),
        ({"name": " "}, "name"),
        ({"unit": "parsec"}, "unit"),
        ({"price_basis": "barter"}, "price_basis"),
        ({"rooms": {"cellar"}}, "rooms"),
        ({"rooms": {"membership"}}, "rooms"),
        ({"valid_until": date(2019, 1, 1)}, "valid_until"),
    ],
)
def test_a_service_that_cannot_be_is_refused(
    alliance: Any, manager: Actor, now: datetime, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(services.BadService) as refusal:
        services.define_service(manager, **{**FILE, **wrong}, now=now)
    assert list(refusal.value.errors) == [field]
    assert (ServiceVersion.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_what_is_agreed_for_today_is_switched_on_at_once(
    manager: Actor, member: Any, file_service: queries.ServiceFacts, now: datetime
) -> None:
    made = agree(manager, member, now, quantity_limit=40)
    assert queries.agreements(manager, start=TODAY, end=TODAY) == [made]
    assert (made.service_id, made.quantity_limit, made.as_carrier) == (file_service.id, 40, True)
    assert Body.objects.get(schema_name="alpha").rooms == ["records"]
    assert queries.member(manager, member.id).rooms == ("records",)


def test_an_agreement_of_tomorrow_waits_for_its_day(
    manager: Actor, member: Any, file_service: queries.ServiceFacts, now: datetime
) -> None:
    agree(manager, member, now, valid_from=TODAY + timedelta(days=1))
    assert queries.member(manager, member.id).rooms == ("budget",)
    assert services.follow_agreements(manager, now=now) == 0
    assert queries.member(manager, member.id).rooms == ("budget",)
    assert services.follow_agreements(manager, now=now + timedelta(days=1)) == 1
    assert Body.objects.get(schema_name="alpha").rooms == ["records"]
    assert services.follow_agreements(manager, now=now + timedelta(days=1)) == 0


def test_a_member_without_agreements_keeps_what_was_switched_on_by_hand(
    manager: Actor, member: Any, file_service: queries.ServiceFacts, now: datetime
) -> None:
    assert services.follow_agreements(manager, now=now) == 0
    assert queries.member(manager, member.id).rooms == ("budget",)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (TODAY, None),
        (TODAY + timedelta(days=30), None),
        (TODAY - timedelta(days=5), TODAY),
        (TODAY, TODAY),
    ],
)
def test_a_service_is_agreed_once_a_day(
    manager: Actor,
    member: Any,
    file_service: queries.ServiceFacts,
    now: datetime,
    since: date,
    until: date | None,
) -> None:
    agree(manager, member, now)
    with pytest.raises(services.AgreementConflict):
        agree(manager, member, now, valid_from=since, valid_until=until)
    assert ServiceAgreement.objects.count() == 1


def test_the_database_itself_refuses_a_second_agreement(
    manager: Actor, member: Any, file_service: queries.ServiceFacts, now: datetime
) -> None:
    agree(manager, member, now)
    row = ServiceAgreement.objects.get()
    row.pk = member.id
    with pytest.raises(IntegrityError, match="membership_one_agreement"), transaction.atomic():
        row.save(force_insert=True)
    version = ServiceVersion.objects.get()
    version.pk = member.id
    with pytest.raises(IntegrityError, match="membership_one_service_version"), transaction.atomic():
        version.save(force_insert=True)


def test_what_the_catalogue_does_not_offer_cannot_be_agreed(
    manager: Actor, member: Any, file_service: queries.ServiceFacts, now: datetime
) -> None:
    for wrong, field in (
        ({"service_code": "NONE"}, "service_code"),
        ({"valid_from": date(2019, 12, 31)}, "valid_from"),
        ({"valid_until": TODAY - timedelta(days=1)}, "valid_until"),
        ({"basis": ""}, "basis"),
        ({"quantity_limit": -1}, "quantity_limit"),
    ):
        with pytest.raises(services.BadService) as refusal:
            agree(manager, member, now, **wrong)
        assert list(refusal.value.errors) == [field]
    assert ServiceAgreement.objects.count() == 0


def test_ending_an_agreement_keeps_the_rooms_until_they_are_handed_over(
    manager: Actor, member: Any, file_service: queries.ServiceFacts, now: datetime, settings: Any
) -> None:
    settings.VERBUND_HANDOVER_DAYS = 30
    made = agree(manager, member, now)
    ended = services.end_agreement(
        manager, agreement_id=made.id, last_day=TODAY, reason="Notice of 1 May", expected_version=1, now=now
    )
    assert ended == replace(made, valid_until=TODAY, end_reason="Notice of 1 May", version=2)
    services.follow_agreements(manager, now=now + timedelta(days=30))
    assert Body.objects.get(schema_name="alpha").rooms == ["records"]
    services.follow_agreements(manager, now=now + timedelta(days=31))
    assert Body.objects.get(schema_name="alpha").rooms == []


def test_ending_is_refused_where_it_cannot_be(
    manager: Actor, member: Any, file_service: queries.ServiceFacts, now: datetime
) -> None:
    made = agree(manager, member, now)

    def end(**changed: Any) -> None:
        wanted: dict[str, Any] = {"agreement_id": made.id, "last_day": TODAY, "reason": "Notice", "expected_version": 1}
        services.end_agreement(manager, **(wanted | changed), now=now)

    for wrong, field in (
        ({"last_day": TODAY - timedelta(days=1)}, "last_day"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 301}, "reason"),
    ):
        with pytest.raises(services.BadService) as refusal:
            end(**wrong)
        assert list(refusal.value.errors) == [field]
    with pytest.raises(services.AgreementConflict):
        end(expected_version=7)
    with pytest.raises(queries.AgreementNotFound):
        end(agreement_id=member.id)
    assert queries.agreement(manager, made.id) == made


def test_a_clerk_of_the_alliance_changes_and_sees_nothing(
    member: Any, file_service: queries.ServiceFacts, manager: Actor, staff: Any, now: datetime
) -> None:
    made = agree(manager, member, now)
    clerk = staff(Role.CLERK, body="alliance")
    with pytest.raises(policy.Denied):
        agree(clerk, member, now)
    with pytest.raises(policy.Denied):
        services.define_service(clerk, **FILE, now=now)
    with pytest.raises(policy.Denied):
        services.end_agreement(clerk, agreement_id=made.id, last_day=TODAY, reason="x", expected_version=1, now=now)
    assert queries.services_on(clerk, TODAY) == []
    assert queries.agreements(clerk, start=TODAY, end=TODAY) == []
    auditor = staff(Role.AUDITOR, body="alliance")
    assert queries.agreements(auditor, start=TODAY, end=TODAY) == [made]
    with pytest.raises(policy.Denied):
        agree(auditor, member, now)


def test_services_are_kept_by_the_alliance_only(alpha: Any, staff: Any, now: datetime) -> None:
    with pytest.raises(services.NotTheAlliance):
        services.define_service(staff(Role.ALLIANCE_MANAGER), **FILE, now=now)


def test_a_version_cannot_leave_agreed_days_without_a_description(
    alliance: Any, manager: Actor, member: Any, now: datetime
) -> None:
    services.define_service(manager, **FILE, now=now)
    agree(manager, member, now)
    with pytest.raises(services.ServiceConflict):
        services.define_service(
            manager, **{**FILE, "valid_from": date(2027, 1, 1), "valid_until": date(2027, 12, 31)}, now=now
        )
    assert [v.valid_until for v in queries.service_versions(manager, "FILE")] == [None]


def test_the_agreed_rooms_of_all_members_cost_two_queries(
    manager: Actor, member: Any, file_service: queries.ServiceFacts, now: datetime, django_assert_num_queries: Any
) -> None:
    agree(manager, member, now)
    with django_assert_num_queries(2, connection=connection):
        found = queries.agreed_rooms(manager, start=TODAY, end=TODAY)
    assert found == {member.id: frozenset({"records"})}


days = st.dates(date(2026, 1, 1), date(2026, 2, 28))


@given(st.lists(st.tuples(days, st.none() | days), max_size=5), days, st.none() | days)
def test_covered_says_what_counting_every_day_says(
    raw: list[tuple[date, date | None]], since: date, until: date | None
) -> None:
    horizon = date(2026, 4, 1)
    spans: list[tuple[date, date | None]] = []
    for first, last in sorted(raw, key=lambda span: span[0]):
        if spans and (spans[-1][1] is None or first <= spans[-1][1]):
            continue
        if last is None or last >= first:
            spans.append((first, last))
    if until is not None and until < since:
        return
    wanted = {since + timedelta(days=n) for n in range(((until or horizon) - since).days + 1)}
    there = {first + timedelta(days=n) for first, last in spans for n in range(((last or horizon) - first).days + 1)}
    assert covered(spans, since, until) == (wanted <= there)
