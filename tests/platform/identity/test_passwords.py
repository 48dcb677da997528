"""What a password may be made of, and what is guessed too soon (ASVS 5.0, 6.2)."""

from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verbund.platform.identity import passwords

EVA = ["Eva Eich", "eva.eich@example.org", "Stadt Grabow", "grabow", "grabow", "Grabow"]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=12, max_size=64))
def test_no_kind_of_character_is_asked_for_or_forbidden(password: str) -> None:
    """What is refused is refused for how soon it is guessed: behind other words, the same characters are fine."""
    assert passwords.problem(f"Kieselstein Fjord Quitte {password}", about=EVA) == ""


@pytest.mark.parametrize(
    "password",
    ["829475610362", "kjhxqvwzmtpr", "KJHXQVWZMTPR", "!§$%&/()=?`´", "ÄÖÜßäöüßÖÄÜß ", "ω漢字🌊🦊🐻🦔🐢🐬🦉🐞🦋"],
)
def test_any_composition_is_taken(password: str) -> None:
    assert passwords.problem(password, about=EVA) == ""


@pytest.mark.parametrize(
    "password",
    [
        "Rathaus-Grabow-2026",
        "GrabowGrabow2026",
        "stadtverwaltung1",
        "Bürgermeisterin#1",
        "Sommer2026!!Herbst2027",
        "verbund.grabow.portal",
        "Willkommen!Grabow",
    ],
)
def test_words_that_anybody_here_would_try_first_are_not_enough(password: str) -> None:
    assert "anybody here would try first" in passwords.problem(password, about=EVA) or "similar" in passwords.problem(
        password, about=EVA
    )
    assert passwords.problem(f"{password} Kiesel Fjord", about=EVA) == ""


def test_the_words_of_one_body_are_no_concern_of_another() -> None:
    assert passwords.problem("Grabow-Rathaus-2026", about=EVA) != ""
    assert passwords.problem("Grabow-Rathaus-2026", about=["Eva Eich", "eva@example.org", "Stadt Alphausen"]) == ""


@pytest.mark.parametrize(
    "password", ["jzjzjzjzjzjzjz", "wvxwvxwvxwvx", "abcdefghijklm", "9876543210987", "qwertzuiopasdf"]
)
def test_repetitions_and_rows_of_keys_are_no_passwords(password: str) -> None:
    assert "repeats itself or follows a row" in passwords.problem(password)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300), st.lists(st.text(max_size=40), max_size=4))
def test_no_text_makes_the_check_fail(password: str, about: list[str]) -> None:
    passwords.problem(password, about=about)
