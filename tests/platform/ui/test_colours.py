"""The accent colour of a body is legible in both modes, whatever colour the body brings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verbund.platform.ui import colours

ANY_COLOUR = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
LIGHT_GROUNDS = ("#ffffff", "#f3f4f7")
DARK_GROUNDS = ("#000000", "#131525", "#1d2034")


def test_contrast_is_that_of_the_guidelines() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert colours.contrast("#ffffff", "#ffffff") == pytest.approx(1.0)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@given(ANY_COLOUR)
def test_every_colour_becomes_legible_on_every_ground_and_under_its_text(colour: str) -> None:
    found = colours.accent(colour)
    assert found is not None
    assert min(colours.contrast(found.light, ground) for ground in LIGHT_GROUNDS) >= 4.5
    assert min(colours.contrast(found.dark, ground) for ground in DARK_GROUNDS) >= 4.5
    assert colours.contrast(found.light, found.text_on_light) >= 4.5
    assert colours.contrast(found.dark, found.text_on_dark) >= 4.5


def test_a_colour_that_passes_is_left_alone() -> None:
    found = colours.accent("#1d4b8f")
    assert found is not None
    assert found.light == "#1d4b8f"


@pytest.mark.parametrize("colour", [None, "", "red", "#12345", "#1234567", "#12345g", "};body{display:none"])
def test_what_is_no_colour_leaves_the_design_systems_own(colour: str | None) -> None:
    assert colours.accent(colour) is None
    assert colours.stylesheet(colour).startswith("/*")


def test_a_red_marks_the_body_but_not_its_buttons() -> None:
    red, blue = colours.stylesheet("#b5121b"), colours.stylesheet("#1d4b8f")
    assert "--vb-accent:#b5121b" in red
    assert "--kern-color-action-default" not in red
    assert "--kern-color-action-default:#1d4b8f" in blue
