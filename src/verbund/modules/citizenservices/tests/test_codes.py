"""Codes that people copy by hand: not to be guessed, forgiving to type, and good as long as what they open."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verbund.modules.citizenservices.models import codes
from verbund.modules.citizenservices.models.codes import code_for, digest_of, looks_like_code

IDENT = UUID("01a22d7f-8e56-7557-879b-9497e4591147")


def test_a_code_has_seven_groups_of_four_and_more_than_128_bits() -> None:
    code = code_for("application", IDENT)
    assert [len(group) for group in code.split("-")] == [4] * 7
    assert 32**28 > 2**128  # ASVS 5.0, 11.5.1
    assert code != code_for("draft", IDENT)
    assert code == code_for("application", IDENT)


def test_a_code_of_before_opens_what_it_opened_and_is_shown_as_it_was() -> None:
    """25 signs in groups of five: printed, mailed, and stored as a digest."""
    earlier = codes._code("application", IDENT, 25, 5)
    assert [len(group) for group in earlier.split("-")] == [5] * 5
    assert looks_like_code(earlier)
    assert code_for("application", IDENT, stored=digest_of(earlier)) == earlier
    now = code_for("application", IDENT)
    assert code_for("application", IDENT, stored=digest_of(now)) == now
    assert code_for("application", IDENT, stored=digest_of("another")) == now


@given(st.uuids(), st.sampled_from(["", " ", "-", "–", "_", "."]))
def test_however_it_is_typed_it_is_the_same_code(ident: UUID, between: str) -> None:
    code = code_for("application", ident)
    typed = between.join(code.lower().replace("-", "")).replace("0", "o").replace("1", "l")
    assert looks_like_code(typed)
    assert digest_of(typed) == digest_of(code)


@pytest.mark.parametrize(
    "text", ["", "A" * 24, "A" * 26, "A" * 27, "A" * 29, "U" * 28, "Ä" * 28, "-" * 28, "0" * 10_000]
)
def test_what_is_no_code_is_not_looked_up(text: str) -> None:
    assert not looks_like_code(text)
