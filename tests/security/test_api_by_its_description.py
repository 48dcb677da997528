"""The interface called as its own description allows, and as it does not: no answer of class 5xx, and every answer is
one that the description announces, in content type and schema."""

import logging
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from verbund.config.api import API as INTERFACE
from verbund.platform.rest import doors

from .world import World, taken_back

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WHO = {"budget": "treasurer", "membership": "alliance_manager"}
# What a clerk may and a treasurer may not.
CLERKS = {"raise_claim"}
PLACES = ("", "", "", "00000000-0000-7000-8000-000000000000", "1999", "no such thing", "2026-01-01~x", "%00", "ß" * 60)
OPERATIONS = sorted(
    str(operation.operation_id)
    for bound in INTERFACE._get_bound_routers()
    for view in bound.path_operations.values()
    for operation in view.operations
)
_described: dict[str, Any] = {}


def operation_of(name: str) -> Any:
    """The operation as schemathesis reads it from the description."""
    if not _described:
        schema = schemathesis.openapi.from_dict(INTERFACE.described("api/v1/"))
        for found in schema.get_all_operations():
            operation: Any = cast(Any, found).ok()
            _described[operation.definition.raw["operationId"]] = operation
    return _described[name]


def send(client: Client, case: Any) -> Response:
    """The request as it would go over the wire, answered by the application in this process."""
    asked = requests.Request(**case.as_transport_kwargs(base_url="http://interface.invalid")).prepare()
    parts = urlsplit(str(asked.url))
    body = asked.body or b""
    extra: dict[str, Any] = {
        "HTTP_" + name.upper().replace("-", "_"): str(value)
        for name, value in asked.headers.items()
        if name.lower() not in ("authorization", "host", "content-type", "content-length", "accept-encoding")
    }
    told: Any = client.generic(
        str(asked.method),
        parts.path,
        body.encode() if isinstance(body, str) else body,
        content_type=str(asked.headers.get("Content-Type", "")),
        QUERY_STRING=parts.query,
        **extra,
    )
    content = b"".join(told.streaming_content) if told.streaming else told.content
    headers = {name.lower(): [value] for name, value in told.items()}
    return Response(told.status_code, headers, content, asked, elapsed=0.0, verify=False, message=told.reason_phrase)


@pytest.mark.conformance
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_announced_and_none_is_a_fault(name: str, world: World, settings_: None) -> None:
    operation = operation_of(name)
    room = operation.path.split("/")[3]
    body = "alliance" if room == "membership" else "alpha"
    town = world.towns[body]
    key = world.keys[body, "clerk" if name in CLERKS else WHO.get(room, "clerk")]
    real = {n: str(town.ids[n]) for n in ("case_id", "document_id", "claim_id", "voucher_id", "application_id")
            if n in town.ids} | {"ledger": "ALPHA", "year": 2026, "slug": town.ids.get("slug", "")}  # fmt: skip
    codes: dict[int, int] = {}

    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(), place=st.sampled_from(PLACES), signed=st.sampled_from((True, True, True, False))
    )
    def call(case: Any, place: str, signed: bool) -> None:
        # What a path parameter may hold is tried in test_api.py; here the address stays the operation's own.
        if case.path_parameters:
            case.path_parameters = {n: place or real[n] for n in case.path_parameters}
        client = world.machine(body)
        if signed:
            client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        with taken_back():
            answer = send(client, case)
        codes[answer.status_code] = codes.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=CHECKS)

    call()
    assert any(code < 500 for code in codes), codes
    assert operation.method.upper() == "POST" or codes.get(200, 0) > 0, codes


@pytest.fixture
def settings_(settings: Any) -> Any:
    settings.VERBUND_API_RATE = 1_000_000
    doors._rate._buckets.clear()
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    doors._rate._buckets.clear()
