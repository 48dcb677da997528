"""The portal over HTTP, as a guest without JavaScript: find, fill in, save, come back, check, send, follow."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models import Application, Draft
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.local.models import CitizenAccount
from verbund.platform.identity.local.sessions import KIND, SUBJECT, SessionStore
from verbund.platform.identity.recognition import MARK, mark_of
from verbund.platform.tenancy import acting_for, new_id, now

from . import factories
from .factories import NOW, SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def offered(db: None) -> UUID:
    with acting_for("alpha"):
        factories.town()
        return factories.offer()


@pytest.fixture
def guest_client(client_of: Callable[..., Client]) -> Client:
    return client_of("alpha")


def _begin(client: Client) -> str:
    answer = client.post("/leistungen/bewohnerparkausweis-beantragen/beginnen/")
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def _fill(client: Client, first: str) -> str:
    """Post every page with valid values as typed; returns the address behind the last one."""
    draft_id = UUID(first.split("/")[2])
    with acting_for("alpha"):
        slug = Draft.objects.select_related("service").get(pk=draft_id).service.slug
        pages = queries.made_up_pages(factories.GUEST, slug, seed=3)
    url = first
    for page in pages:
        data: dict[str, Any] = {name: list(values) for name, values in page.values.items()}
        for name, sent in page.files.items():
            data[name] = [SimpleUploadedFile(f.filename, f.content, f.media_type) for f in sent]
        answer = client.post(url, data)
        assert answer.status_code == 302, _errors(answer)
        url = answer["Location"]
    return str(url)


def _errors(answer: Any) -> str:
    text = answer.content.decode()
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))[:3000]


def test_a_guest_finds_fills_in_checks_sends_and_follows(offered: UUID, guest_client: Client) -> None:
    page = guest_client.get("/", {"q": "Parkausweis"})
    assert "Bewohnerparkausweis beantragen" in page.content.decode()
    page = guest_client.get("/leistungen/bewohnerparkausweis-beantragen/")
    assert "30,70" in page.content.decode()

    check = _fill(guest_client, _begin(guest_client))
    assert check.endswith("/pruefen/")
    page = guest_client.get(check)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    sent = guest_client.post(check, {"delivery": "mailbox", "email": "frieda@example.org"})
    assert sent.status_code == 302, _errors(sent)
    confirmation = guest_client.get(sent["Location"])
    text = confirmation.content.decode()
    code = re.search(r"([0-9A-Z]{4}(?:-[0-9A-Z]{4}){6})", text)
    assert code is not None
    with acting_for("alpha"):
        application = Application.objects.get()
    assert application.case_reference in text

    again = guest_client.post(check, {"delivery": "mailbox"})
    assert again["Location"] == sent["Location"]
    with acting_for("alpha"):
        assert Application.objects.count() == 1

    stranger = Client(headers={"host": "alpha.localhost"})
    assert stranger.get(f"/stand/{application.id}/").status_code == 404
    opened = stranger.post("/stand/", {"code": code[1].lower().replace("-", " ")})
    assert opened["Location"] == f"/stand/{application.id}/"
    status = stranger.get(opened["Location"])
    assert application.case_reference in status.content.decode()


def test_sending_leaves_the_session_alone_and_the_browser_is_still_known(offered: UUID, guest_client: Client) -> None:
    begin = "/leistungen/bewohnerparkausweis-beantragen/beginnen/"
    page = {"once": str(new_id())}
    first = guest_client.post(begin, page)["Location"]
    check = _fill(guest_client, first)
    before = dict(guest_client.session.items())

    sent = guest_client.post(check, {"delivery": "mailbox"})

    assert dict(guest_client.session.items()) == before
    with acting_for("alpha"):
        application = Application.objects.get()
    assert sent["Location"] == f"/antrag/gesendet/{application.id}/"
    for back in (check, first, check.replace("pruefen", "spaeter")):
        assert guest_client.get(back)["Location"] == sent["Location"], back
    assert guest_client.get(f"/stand/{application.id}/").status_code == 200
    again = guest_client.post(begin, page)["Location"]
    assert again != first, "whoever begins anew gets a new draft"
    assert guest_client.get(again).status_code == 200

    stranger = Client(headers={"host": "alpha.localhost"})
    _begin(stranger)  # has a draft, but another one
    for path in (sent["Location"], f"/stand/{application.id}/", check, first):
        assert stranger.get(path).status_code == 404, path


def test_what_an_account_sends_from_another_browser_is_remembered_there(offered: UUID, guest_client: Client) -> None:
    with acting_for("alpha"):
        account = CitizenAccount.objects.create(
            id=new_id(), email="carla@example.org", name="Carla", state=CitizenAccount.State.ACTIVE, created_at=now()
        )
        carla = Actor(ActorKind.CITIZEN, account.id, "Carla", "alpha")
        draft = services.start_draft(carla, service_id=offered, now=now())
        store = SessionStore()
        store[KIND], store[SUBJECT], store[MARK] = "citizen", str(account.id), mark_of(account)
        store.create()
    guest_client.cookies[settings.SESSION_COOKIE_NAME] = str(store.session_key)
    check = _fill(guest_client, f"/antrag/{draft.id}/1/")

    sent = guest_client.post(check, {"delivery": "mailbox"})

    assert sent.status_code == 302, _errors(sent)
    assert guest_client.get(sent["Location"]).status_code == 200
    assert guest_client.get(check)["Location"] == sent["Location"]
    assert guest_client.post(check, {"delivery": "mailbox"})["Location"] == sent["Location"]


def test_wrong_entries_are_named_on_top_and_kept(offered: UUID, guest_client: Client) -> None:
    first = _begin(guest_client)
    postcode = "G13990000201.0.G60000000086.0.F60000000246.0"
    page = guest_client.post(first, {postcode: "1905"})
    text = page.content.decode()
    assert page.status_code == 400
    assert f'href="#id_{postcode}"' in text
    assert f'id="id_{postcode}"' in text
    assert 'value="1905"' in text
    assert 'value="1905"' in guest_client.get(first).content.decode(), "kept over a reload"


def test_a_draft_goes_on_with_its_code_on_another_device(offered: UUID, guest_client: Client) -> None:
    first = _begin(guest_client)
    name = "G13990000201.0.F60000000228.0"
    later = guest_client.post(first, {name: "Zoë", "action": "later"})
    code = re.search(r"([0-9A-Z]{4}(?:-[0-9A-Z]{4}){6})", guest_client.get(later["Location"]).content.decode())
    assert code is not None
    other = Client(headers={"host": "alpha.localhost"})
    assert other.get(first).status_code == 404
    resumed = other.post("/antrag/fortsetzen/", {"code": code[1]})
    assert resumed["Location"] == first
    assert 'value="Zoë"' in other.get(first).content.decode()


def test_guessing_codes_is_stopped(offered: UUID, guest_client: Client) -> None:
    answers = [guest_client.post("/stand/", {"code": f"0000{n % 10}-" * 5}).status_code for n in range(22)]
    assert answers[:19] == [400] * 19
    assert answers[-1] == 429


def test_entries_are_added_and_removed_without_script(db: None, guest_client: Client) -> None:
    with acting_for("alpha"):
        factories.town()
        ident = factories.offer("hundesteuer_anmeldung")
        ref = services.start_draft(factories.GUEST, service_id=ident, now=NOW)
    session = guest_client.post("/antrag/fortsetzen/", {"code": ref.code})
    assert session.status_code == 302
    url = f"/antrag/{ref.id}/2/"
    dog = "G13990000102.{}.F13990000101.0"
    answer = guest_client.post(url, {dog.format(0): "Rex", "action": "add:G13990000102"})
    assert answer["Location"].startswith(url)
    page = guest_client.get(url).content.decode()
    assert f'name="{dog.format(1)}"' in page
    guest_client.post(url, {dog.format(0): "Rex", dog.format(1): "Bello", "action": "remove:G13990000102.0"})
    page = guest_client.get(url).content.decode()
    assert 'value="Bello"' in page
    assert 'value="Rex"' not in page
    assert f'name="{dog.format(1)}"' not in page


def test_a_file_that_could_run_is_refused_and_said(offered: UUID, guest_client: Client) -> None:
    first = _begin(guest_client)
    url = first.replace("/1/", "/2/")
    field = "G13990000202.0.F13990000203"
    page = guest_client.post(url, {field: SimpleUploadedFile("x.pdf", b"<html><script>alert(1)</script></html>")})
    assert page.status_code == 400
    assert f'href="#id_{field}"' in page.content.decode()
    with acting_for("alpha"):
        assert Draft.objects.get().attachments.count() == 0


def test_no_form_of_the_house_needs_script_or_breaks(db: None, guest_client: Client) -> None:
    with acting_for("alpha"):
        factories.town()
        for template in queries.service_templates():
            factories.offer(template)
        slugs = [card.slug for topic in queries.topics(SYSTEM) for card in topic.services]
    assert len(slugs) == 5
    for slug in slugs:
        assert guest_client.get(f"/leistungen/{slug}/").status_code == 200
        first = guest_client.post(f"/leistungen/{slug}/beginnen/")["Location"]
        assert guest_client.get(first).status_code == 200
        check = _fill(guest_client, first)
        sent = guest_client.post(check, {"delivery": "post"})
        assert sent.status_code == 302, _errors(sent)


def test_every_released_form_of_the_standard_is_filled_in_and_sent_over_http(
    db: None, guest_client: Client, shared_dir: Path
) -> None:
    files = sorted((shared_dir / "standards/fim/samples/xdf3").glob("*.xml"))
    assert len(files) >= 16
    with acting_for("alpha"):
        factories.town()
        for number, file in enumerate(files):
            factories.offer_form(file.read_bytes(), filename=file.name, title=f"Formular {number}")
    for number in range(len(files)):
        first = guest_client.post(f"/leistungen/formular-{number}/beginnen/")["Location"]
        check = _fill(guest_client, first)
        page = guest_client.get(check)
        assert page.status_code == 200
        sent = guest_client.post(check, {"delivery": "mailbox"})
        assert sent.status_code == 302, (files[number].name, _errors(sent))
    with acting_for("alpha"):
        assert Application.objects.count() == len(files)


def test_the_question_is_answered_over_http(offered: UUID, guest_client: Client) -> None:
    with acting_for("alpha"):
        ref = factories.submit(service=offered)
        version = factories.taken(ref)
        services.ask_back(factories.clerk(), application_id=ref.id, question="Wo?", expected_version=version, now=NOW)
    guest_client.post("/stand/", {"code": ref.tracking_code})
    url = f"/stand/{ref.id}/antworten/"
    refused = guest_client.post(url, {"text": ""})
    assert refused.status_code == 400
    assert 'href="#text"' in refused.content.decode()
    sent = guest_client.post(url, {"text": "<script>alert(1)</script>"})
    assert sent["Location"] == f"/stand/{ref.id}/"
    page = guest_client.get(sent["Location"]).content.decode()
    assert "<script>alert(1)" not in page
    assert guest_client.get(url)["Location"] == f"/stand/{ref.id}/", "nothing more to answer"


def test_the_decision_is_downloaded_by_the_applicant_alone(offered: UUID, guest_client: Client) -> None:
    with acting_for("alpha"):
        ref = factories.submit(service=offered)
        services.send_receipt(SYSTEM, application_id=ref.id, now=NOW)
        receipt = Application.objects.get(pk=ref.id).receipt_document_id
    url = f"/stand/{ref.id}/dokument/{receipt}/"
    assert guest_client.get(url).status_code == 404
    guest_client.post("/stand/", {"code": ref.tracking_code})
    answer = guest_client.get(url)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content).startswith(b"%PDF-")  # type: ignore[attr-defined]
    with acting_for("alpha"):
        assert [m.read_at is not None for m in Application.objects.get(pk=ref.id).messages.all()] == [True]


def test_an_application_is_taken_back_over_http_after_being_asked_once(offered: UUID, guest_client: Client) -> None:
    with acting_for("alpha"):
        ref = factories.submit(service=offered)
    guest_client.post("/stand/", {"code": ref.tracking_code})
    url = f"/stand/{ref.id}/zuruecknehmen/"
    assert guest_client.get(url).status_code == 200
    with acting_for("alpha"):
        assert Application.objects.get(pk=ref.id).outcome == ""
    guest_client.post(url)
    with acting_for("alpha"):
        assert Application.objects.get(pk=ref.id).outcome == "withdrawn"


@pytest.mark.parametrize(
    "path",
    [
        "/leistungen/gibt-es-nicht/",
        "/antrag/00000000-0000-0000-0000-000000000000/1/",
        "/antrag/00000000-0000-0000-0000-000000000000/pruefen/",
        "/stand/00000000-0000-0000-0000-000000000000/",
        "/stand/00000000-0000-0000-0000-000000000000/antworten/",
        "/antrag/gesendet/00000000-0000-0000-0000-000000000000/",
    ],
)
def test_what_is_not_there_is_not_found(offered: UUID, guest_client: Client, path: str) -> None:
    assert guest_client.get(path).status_code == 404
    assert guest_client.post(path).status_code in (404, 405)


def test_a_page_beyond_the_last_is_not_found_and_pages_may_be_opened_out_of_order(
    offered: UUID, guest_client: Client
) -> None:
    first = _begin(guest_client)
    assert guest_client.get(first.replace("/1/", "/3/")).status_code == 200
    assert guest_client.get(first.replace("/1/", "/9/")).status_code == 404
    assert guest_client.get(first.replace("/1/", "/0/")).status_code == 404
    check = guest_client.get(first.replace("/1/", "/pruefen/"))
    assert "fehler=1" in check.content.decode()
    refused = guest_client.post(first.replace("/1/", "/pruefen/"), {"delivery": "mailbox"})
    assert refused.status_code == 400
    with acting_for("alpha"):
        assert Application.objects.count() == 0


def test_the_list_of_ones_own_wants_an_account(offered: UUID, guest_client: Client) -> None:
    for path in ("/konto/antraege/", "/konto/postfach/"):
        answer = guest_client.get(path)
        assert answer.status_code == 302
        assert "/konto/anmelden/" in answer["Location"]
