"""Importing, configuring, publishing and finding services."""

from pathlib import Path
from typing import Any

import pytest

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models import CodeList, FormVersion
from verbund.modules.citizenservices.queries.forms import FORMS
from verbund.modules.records import services as records
from verbund.platform import xml
from verbund.platform.identity import policy
from verbund.platform.identity.roles import Role

from . import factories
from .factories import GUEST, NOW, SYSTEM, clerk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alpha")]
EDITOR = clerk("Edda Redaktion", Role.SERVICE_EDITOR)
PARKING = (FORMS / "bewohnerparkausweis.xdf3.xml").read_bytes()


def test_the_same_form_again_is_the_same_version_and_another_content_is_told() -> None:
    first = services.import_form(EDITOR, content=PARKING, filename="a.xml", now=NOW)
    again = services.import_form(EDITOR, content=PARKING + b"\n", filename="b.xml", now=NOW)
    assert again.form_version_id == first.form_version_id
    changed = PARKING.replace(b"Amtliches Kennzeichen", b"Kennzeichen des Autos")
    assert changed != PARKING
    with pytest.raises(services.VersionTaken):
        services.import_form(EDITOR, content=changed, filename="c.xml", now=NOW)
    assert FormVersion.objects.count() == 1


def test_a_code_list_that_is_missing_is_named_until_it_is_imported(shared_dir: Path) -> None:
    content = (shared_dir / "standards/fim/samples/xdf3/S07000000227.xdf3.xml").read_bytes()
    report = services.import_form(EDITOR, content=content, filename="jagd.xml", now=NOW)
    named = [line for line in report.unsupported if "schluessel:staat_2023-02-24" in line]
    assert len(named) == 1
    path = "G07000000817.0.F60000000235.0"
    _row, form = queries.form_version(EDITOR, report.form_version_id)
    birth = form.definition.field_at(path)
    assert birth is not None
    assert birth.codes == ()

    lists = sorted((shared_dir / "standards/reflists/xoev-genericode").glob("*.xml"))
    assert len(lists) == 18
    for file in lists:
        services.import_code_list(EDITOR, content=file.read_bytes(), filename=file.name, now=NOW)
    assert CodeList.objects.count() == 18
    again = services.import_form(EDITOR, content=content, filename="jagd.xml", now=NOW)
    assert not [line for line in again.unsupported if "schluessel:staat_" in line]
    assert [line for line in again.notes if "staat_2024-08-01" in line], "another version of the list is told"
    _row, form = queries.form_version(EDITOR, report.form_version_id)
    birth = form.definition.field_at(path)
    assert birth is not None
    assert ("Frankreich" in [c.label for c in birth.codes], len(birth.codes)) == (True, 197)


def test_a_broken_code_list_is_refused() -> None:
    for content in (b"<a/>", b"", b'<gc:CodeList xmlns:gc="http://docs.oasis-open.org/codelist/ns/genericode/1.0/"/>'):
        with pytest.raises(xml.Refused):
            services.import_code_list(EDITOR, content=content, filename="x.xml", now=NOW)
    assert CodeList.objects.count() == 0


def test_every_template_is_offered_and_published() -> None:
    assert len(queries.service_templates()) == 5
    for template in queries.service_templates():
        factories.offer(template)
    shown = [card.title for topic in queries.topics(GUEST) for card in topic.services]
    assert len(shown) == 5


def test_the_templates_stand_in_the_sample_file_plan_and_chart() -> None:
    plan = records.sample_file_plan()
    for template in queries.service_templates().values():
        assert f"{template.values['file_plan_position']};" in plan
        assert template.values["fee_cents"] > 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"unit": ""}, "unit"),
        ({"promised_days": 0}, "promised_days"),
        ({"fee_cents": -1}, "fee_cents"),
        ({"account": ""}, "account"),
        ({"retention_years": 200}, "retention_years"),
        ({"nonsense": 1}, ""),
    ],
)
def test_a_service_that_cannot_work_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(services.ServiceInvalid) as refusal:
        factories.offer(**changes)
    assert field in refusal.value.errors
    assert queries.services(EDITOR) == []


def test_without_the_texts_of_its_letters_nothing_is_published() -> None:
    ident = factories.offer(publish=False, letters={"subject_grant": "Ja"})
    with pytest.raises(services.ServiceInvalid, match="remedy"):
        services.publish_service(EDITOR, service_id=ident, now=NOW)
    assert queries.topics(GUEST) == []


def test_two_editors_at_once_the_second_is_told() -> None:
    ident = factories.offer()
    seen = queries.service_settings(EDITOR, ident)
    names = set(services.ServiceConfiguration.__dataclass_fields__) - {"attachments"}
    values = {name: getattr(seen, name) for name in names}
    configuration = services.ServiceConfiguration(**{**values, "title": "Neuer Titel"})
    services.configure_service(
        EDITOR, configuration=configuration, service_id=ident, expected_version=seen.version, now=NOW
    )
    with pytest.raises(services.ServiceMoved):
        services.configure_service(
            EDITOR, configuration=configuration, service_id=ident, expected_version=seen.version, now=NOW
        )
    assert queries.service_settings(EDITOR, ident).version == seen.version + 1


def test_attachments_a_service_asks_for_stand_on_a_page_of_their_own() -> None:
    factories.town()
    wanted = {"title": "Mietvertrag", "help": "Nur die erste Seite.", "required": True}
    ident = factories.offer(attachments=[wanted])
    draft = services.start_draft(GUEST, service_id=ident, now=NOW)
    form = queries.draft(GUEST, draft=draft, now=NOW).form
    assert len(form.steps) == 5
    factories.fill(GUEST, draft, optional=0.0)
    ref = services.submit_application(GUEST, draft=draft, now=NOW)
    labels = [a.label for a in queries.application(SYSTEM, ref.id, now=NOW).attachments]
    assert "Mietvertrag" in labels


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Parkausweis", "Bewohnerparkausweis beantragen"),
        ("Bewohnerparken", "Bewohnerparkausweis beantragen"),
        ("Anwohner Parkplatz", "Bewohnerparkausweis beantragen"),
        ("bewohnerparkauswies", "Bewohnerparkausweis beantragen"),
        ("Muelltonne", "Abfallbehälter ändern"),
        ("mülltonne", "Abfallbehälter ändern"),
        ("Ich möchte einen Hund anmelden", "Hund zur Hundesteuer anmelden"),
        ("STRASSENFEST", "Veranstaltung anzeigen"),
        ("Geruest", "Öffentliche Straße besonders nutzen"),
        ("Gerüst", "Öffentliche Straße besonders nutzen"),
    ],
)
def test_the_search_forgives(text: str, first: str) -> None:
    for template in queries.service_templates():
        factories.offer(template)
    assert [card.title for card in queries.find_services(GUEST, text)][:1] == [first]


@pytest.mark.parametrize("text", ["", "   ", "xyzzy", "%", "' OR 1=1 --", "\x00", "a" * 5_000])
def test_a_search_for_nothing_finds_nothing(text: str) -> None:
    factories.offer()
    assert queries.find_services(GUEST, text) == []


def test_unpublished_services_are_for_their_editors_only() -> None:
    ident = factories.offer(publish=False)
    slug = queries.service_settings(EDITOR, ident).slug
    for actor in (GUEST, clerk()):
        with pytest.raises(queries.ServiceNotFound):
            queries.service(actor, slug)
        with pytest.raises(policy.Denied):
            queries.services(actor)
    assert queries.service(EDITOR, slug).is_published is False
