"""Form components tie label, hint, error and input together; figures and dates read as people write them."""

from datetime import UTC, date, datetime

import pytest
from django import forms
from django.contrib.messages.storage.base import Message
from django.template.loader import render_to_string
from django.utils import translation
from lxml import html

from verbund.platform.ui import notices
from verbund.platform.ui.templatetags import ui


class Wanted(forms.Form):
    name = forms.CharField(label="Name", help_text="As in the passport.")
    nickname = forms.CharField(label="Nickname", required=False)
    colour = forms.ChoiceField(label="Colour", choices=[("", "choose"), ("r", "Red"), ("b", "Blue")])
    reason = forms.ChoiceField(label="Reason", widget=forms.RadioSelect, choices=[("lost", "Lost"), ("gone", "Gone")])
    days = forms.MultipleChoiceField(
        label="Days", required=False, widget=forms.CheckboxSelectMultiple, choices=[("mo", "Monday")]
    )
    text = forms.CharField(label="Text", widget=forms.Textarea)
    agreed = forms.BooleanField(label="Agreed")


@pytest.fixture(autouse=True)
def german() -> object:
    with translation.override("de"):
        yield


def rendered(form: forms.Form) -> html.HtmlElement:
    return html.fromstring(f"<main>{render_to_string('ui/form.html', {'form': form})}</main>")


def test_every_input_has_a_label_and_its_hint_is_its_description() -> None:
    page = rendered(Wanted())
    for control in page.xpath("//input|//select|//textarea"):
        assert len(page.xpath(f"//label[@for='{control.get('id')}']")) == 1, control.get("name")
    hint = page.xpath("//*[@id='id_name_hint']")[0]
    assert hint.text_content() == "As in the passport."
    assert page.xpath("//input[@name='name']/@aria-describedby") == ["id_name_hint"]


def test_choices_stand_in_a_fieldset_with_its_legend() -> None:
    page = rendered(Wanted())
    legends = [" ".join(legend.text_content().split()) for legend in page.xpath("//fieldset/legend")]
    assert legends == ["Reason", "Days (freiwillig)"]


def test_only_what_is_optional_says_so() -> None:
    page = rendered(Wanted())
    assert "freiwillig" in page.xpath("//label[@for='id_nickname']")[0].text_content()
    assert "freiwillig" not in page.xpath("//label[@for='id_name']")[0].text_content()


def test_errors_stand_in_the_summary_and_at_the_field_and_every_link_leads_to_an_input() -> None:
    form = Wanted({"nickname": "x"})
    assert not form.is_valid()
    page = rendered(form)
    summary = page.xpath("//*[@data-error-summary]")[0]
    targets = [link.get("href").lstrip("#") for link in summary.xpath(".//a")]
    assert len(targets) == 5
    for target in targets:
        assert page.xpath(f"//*[@id='{target}' and (self::input or self::select or self::textarea)]"), target
    name = page.xpath("//input[@name='name']")[0]
    assert name.get("aria-invalid") == "true"
    assert name.get("aria-describedby") == "id_name_hint id_name_error"
    assert page.xpath("//*[@id='id_name_error']")


def test_a_form_without_errors_has_no_summary() -> None:
    assert not rendered(Wanted()).xpath("//*[@data-error-summary]")


def test_what_was_entered_comes_back_escaped() -> None:
    form = Wanted({"name": '"><script>alert(1)</script>', "reason": "gone", "days": ["mo"]})
    page = rendered(form)
    assert not page.xpath("//script")
    assert page.xpath("//input[@name='name']/@value") == ['"><script>alert(1)</script>']
    assert page.xpath("//input[@name='reason' and @checked]/@value") == ["gone"]
    assert page.xpath("//input[@name='days' and @checked]/@value") == ["mo"]


@pytest.mark.parametrize(
    ("amount", "german", "english"),
    [
        (0, "0,00\xa0€", "€0.00"),
        (5, "0,05\xa0€", "€0.05"),
        (123456, "1.234,56\xa0€", "€1,234.56"),
        (-123456789, "\N{MINUS SIGN}1.234.567,89\xa0€", "\N{MINUS SIGN}€1,234,567.89"),
        (None, "", ""),
    ],
)
def test_amounts_read_as_people_write_them(amount: int | None, german: str, english: str) -> None:
    assert ui.cents(amount) == german
    with translation.override("en"):
        assert ui.cents(amount) == english


def test_dates_are_those_of_berlin() -> None:
    just_after_midnight = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert ui.local_date(just_after_midnight) == "1. Juli 2026"
    assert ui.short_date(just_after_midnight) == "01.07.2026"
    assert ui.local_datetime(just_after_midnight) == "01.07.2026, 00:30"


@pytest.mark.parametrize(
    ("due", "words", "tone"),
    [
        (date(2026, 11, 24), "in 3 Tagen", "warning"),
        (date(2026, 11, 25), "in 4 Tagen", "neutral"),
        (date(2026, 11, 22), "in 1 Tag", "warning"),
        (date(2026, 11, 21), "heute", "warning"),
        (date(2026, 11, 20), "1 Tag überfällig", "danger"),
        (date(2026, 11, 11), "10 Tage überfällig", "danger"),
    ],
)
def test_a_deadline_is_told_in_days(due: date, words: str, tone: str) -> None:
    today = date(2026, 11, 21)
    assert ui.days_until(due, today) == words
    assert ui.deadline_tone(due, today) == tone


@pytest.mark.parametrize(
    ("tags", "url"),
    [("undo:/arbeit/x/", "/arbeit/x/"), ("undo://evil.example/", ""), ("undo:https://evil.example/", ""), ("", "")],
)
def test_undo_leads_only_into_this_house(tags: str, url: str) -> None:
    assert ui.undo_url(Message(25, "done", extra_tags=tags)) == url
    assert vars(notices)["UNDO"] == "undo:"


def test_a_state_is_told_by_text_and_shape_as_well_as_colour() -> None:
    badge = html.fromstring(render_to_string("ui/state_badge.html", {"tone": "danger", "label": "Refused"}))
    assert "".join(map(str, badge.itertext())).strip() == "Refused"
    assert badge.xpath(".//span[contains(@class, 'kern-icon--danger')]")
