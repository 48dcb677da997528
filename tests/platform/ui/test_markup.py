"""Inputs made in Python say what Django's own templates say, whatever stands in them."""

from typing import Any

import pytest
from django import forms
from django.test.html import parse_html
from hypothesis import given
from hypothesis import strategies as st

from verbund.platform.ui import markup

CHOICES = [("", "alle"), ("a", "A <b>"), ("Gruppe & Co", [("x", 'X "1"'), ("y", "Y")])]


class Everything(forms.Form):
    """One field of every kind that pages use."""

    word = forms.CharField(max_length=5, required=False)
    amount = forms.DecimalField(min_value=1, required=False, localize=True)
    mail = forms.EmailField()
    secret = forms.CharField(widget=forms.PasswordInput)
    story = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}))
    day = forms.DateField(widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    file = forms.FileField()
    choice = forms.ChoiceField(choices=CHOICES)
    several = forms.MultipleChoiceField(choices=CHOICES)
    agreed = forms.BooleanField(required=False)
    hidden = forms.CharField(widget=forms.HiddenInput)
    parts = forms.SplitDateTimeField()
    disabled = forms.CharField(disabled=True, initial="fest")


@pytest.mark.parametrize("name", Everything.base_fields)
@pytest.mark.parametrize("bound", [False, True])
@given(value=st.sampled_from(["", "a", "x", "on", "2026-01-02", "<script>alert('\"&')</script>", "3,5", "\ufdd0"]))
def test_an_input_is_the_one_of_djangos_templates(name: str, bound: bool, value: str) -> None:
    form = Everything(dict.fromkeys(Everything.base_fields, value) if bound else None, auto_id="id_%s")
    own: dict[str, Any] = {"class": "kern-form-input__input", "aria-describedby": 'a"b'}
    assert parse_html(markup.widget(form[name], dict(own))) == parse_html(form[name].as_widget(attrs=dict(own)))
