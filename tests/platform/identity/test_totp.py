"""One-time codes: the vectors of RFC 6238, appendix B (SHA-1; its eight digits end in our six)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verbund.platform.identity import seal, totp

KEY = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_the_rfc(seconds: int, eight_digits: str) -> None:
    assert totp.code_at(KEY, seconds // 30) == eight_digits[2:]


def test_a_code_counts_half_a_minute_early_or_late_and_only_once() -> None:
    now = datetime(2026, 11, 20, 9, 30, 10, tzinfo=UTC)
    step = totp.step_of(now)
    for offset, found in ((-2, None), (-1, step - 1), (0, step), (1, step + 1), (2, None)):
        assert totp.matching_step(KEY, totp.code_at(KEY, step + offset), now=now, after=0) == found
    assert totp.matching_step(KEY, totp.code_at(KEY, step), now=now, after=step) is None
    assert totp.matching_step(KEY, totp.code_at(KEY, step - 1), now=now, after=step) is None
    assert totp.matching_step(KEY, totp.code_at(KEY, step + 1), now=now + timedelta(seconds=30), after=step) == step + 1


@given(st.text(max_size=12))
def test_no_text_makes_it_fail(text: str) -> None:
    totp.matching_step(KEY, text, now=datetime(2026, 11, 20, tzinfo=UTC), after=2**62)


def test_the_address_for_apps_names_body_and_account() -> None:
    uri = totp.provisioning_uri(KEY, account="eva@example.org", issuer="Stadt Grabow")
    assert uri == (
        "otpauth://totp/Stadt%20Grabow%3Aeva%40example.org"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Stadt%20Grabow&digits=6&period=30"
    )
    side, path = totp.qr_path(uri)
    assert side > 40
    assert path.startswith("M")


def test_a_sealed_secret_opens_with_the_key_or_a_former_one_only(settings: object) -> None:
    settings.SECRET_KEY = "first"  # type: ignore[attr-defined]
    sealed = seal.close(KEY)
    assert KEY not in sealed
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]  # type: ignore[attr-defined]
    assert seal.open_(sealed) == KEY
    settings.SECRET_KEY_FALLBACKS = []  # type: ignore[attr-defined]
    with pytest.raises(seal.Unsealable):
        seal.open_(sealed)
