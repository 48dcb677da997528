"""The pages on which a service is set up: from a template or a form, saved, published, and who may."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from verbund.modules.citizenservices import queries
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from . import factories
from .desk import Desk, offered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("town_with_clerks")]


def test_a_template_becomes_a_draft_and_is_published(desk: Callable[..., Desk]) -> None:
    editor = desk("Lea Linde", Role.SERVICE_EDITOR)
    address = "/arbeit/verwaltung/leistungen/vorlage/bewohnerparkausweis/"
    assert 'value="30,70"' in editor.get(address)
    data = {
        "unit": "32",
        "file_plan_position": "32.10",
        "fee": "30,70",
        "ledger": "",
        "product": "12301",
        "account": "4311",
    }
    refused = unescape(editor.post(address, data, 400).content.decode())
    assert 'href="#id_ledger"' in refused
    with acting_for("alpha"):
        assert queries.services(factories.SYSTEM) == []
    address = editor.post(address, {**data, "ledger": "ALPHA"}).headers["Location"]
    assert "Bewohnerparkausweis beantragen" in editor.get(address)
    editor.get(f"{address}vorschau/")
    assert "Bewohnerparkausweis" in editor.get(f"{address}veroeffentlichen/")
    editor.post(f"{address}veroeffentlichen/")
    with acting_for("alpha"):
        assert [s.state for s in queries.services(factories.SYSTEM)] == ["published"]
    editor.post(f"{address}zurueckziehen/")
    with acting_for("alpha"):
        assert [s.state for s in queries.services(factories.SYSTEM)] == ["withdrawn"]


def test_an_unknown_template_does_not_exist(desk: Callable[..., Desk]) -> None:
    desk("Lea Linde", Role.SERVICE_EDITOR).get("/arbeit/verwaltung/leistungen/vorlage/nichts/", 404)


def _values(editor: Desk, address: str) -> dict[str, Any]:
    """What the form of a service would send back unchanged."""
    form = editor.client.get(address).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    values["expected_version"] = editor.client.get(address).context["service"].version
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_saving_a_service_unchanged_changes_nothing(desk: Callable[..., Desk]) -> None:
    ident = offered()
    editor = desk("Lea Linde", Role.SERVICE_EDITOR)
    address = f"/arbeit/verwaltung/leistungen/{ident}/"
    with acting_for("alpha"):
        before = queries.service_settings(factories.SYSTEM, ident)
    editor.post(address, _values(editor, address))
    with acting_for("alpha"):
        after = queries.service_settings(factories.SYSTEM, ident)
    unchanged = [n for n in before.__dataclass_fields__ if n != "version"]
    assert {n: getattr(after, n) for n in unchanged} == {n: getattr(before, n) for n in unchanged}


def test_the_second_editor_of_a_service_is_told(desk: Callable[..., Desk]) -> None:
    ident = offered()
    lea = desk("Lea Linde", Role.SERVICE_EDITOR)
    address = f"/arbeit/verwaltung/leistungen/{ident}/"
    first = _values(lea, address)
    lea.post(address, {**first, "title": "Parken für Bewohner"})
    lea.post(address, {**first, "title": "Etwas anderes"}, 409)
    with acting_for("alpha"):
        assert queries.service_settings(factories.SYSTEM, ident).title == "Parken für Bewohner"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": ""}, "Dieses Feld ist zwingend erforderlich."),
        ({"fee": "dreißig"}, "Geben Sie einen Betrag wie 30,70 ein."),
        ({"fee": "30,70", "ledger": ""}, "Nennen Sie es: Eine Gebühr ist zu buchen."),
        ({"promised_days": "0"}, "größer oder gleich 1"),
        ({"form_version": "x"}, "Bitte eine gültige Auswahl treffen"),
    ],
)
def test_a_service_that_cannot_be_kept_says_what_to_do(
    desk: Callable[..., Desk], change: dict[str, str], message: str
) -> None:
    ident = offered()
    editor = desk("Lea Linde", Role.SERVICE_EDITOR)
    address = f"/arbeit/verwaltung/leistungen/{ident}/"
    answer = editor.post(address, {**_values(editor, address), **change}, 400)
    assert message in unescape(answer.content.decode())
    with acting_for("alpha"):
        assert queries.service_settings(factories.SYSTEM, ident).version == 2


def test_a_form_that_is_none_is_refused_at_the_field(desk: Callable[..., Desk]) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    editor = desk("Lea Linde", Role.SERVICE_EDITOR)
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for content in (b"", b"no xml", bomb):
        data = {"file": SimpleUploadedFile("form.xml", content)}
        answer = editor.post("/arbeit/verwaltung/formulare/neu/", data, 400)
        assert "data-error-summary" in answer.content.decode()
    with acting_for("alpha"):
        assert queries.form_versions(factories.SYSTEM) == []


def test_the_gaps_of_an_imported_form_are_named(desk: Callable[..., Desk]) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    editor = desk("Lea Linde", Role.SERVICE_EDITOR)
    template = queries.service_templates()["hundesteuer_anmeldung"]
    answer = editor.post(
        "/arbeit/verwaltung/formulare/neu/", {"file": SimpleUploadedFile(template.filename, template.form)}
    )
    text = editor.get(answer.headers["Location"])
    with acting_for("alpha"):
        (form,) = queries.form_versions(factories.SYSTEM)
    for gap in form.unsupported:
        assert gap in text
    assert form.title in text


def test_clerks_do_not_set_up_services(desk: Callable[..., Desk]) -> None:
    eva = desk()
    for path in ("leistungen/", "leistungen/neu/", "formulare/neu/", "codelisten/neu/"):
        eva.get(f"/arbeit/verwaltung/{path}", 403)
