"""Accent colour of a body, checked for contrast (WCAG 2.2, success criteria 1.4.3 and 1.4.11)."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass

REQUIRED = 4.5
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_LIGHT_GROUNDS = ("#ffffff", "#f3f4f7")
_DARK_GROUNDS = ("#000000", "#131525", "#1d2034")


@dataclass(frozen=True)
class Accent:
    """One accent for both modes: the colour itself and the colour of text upon it."""

    light: str
    dark: str
    text_on_light: str = "#ffffff"
    text_on_dark: str = "#000000"
    for_actions: bool = True


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" after WCAG 2.2, 0.0 (black) to 1.0 (white)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two "#rrggbb" colours, 1.0 to 21.0."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def accent(colour: str | None) -> Accent | None:
    """The accent for a body's colour, at 4.5:1 against every ground of each mode; None if it is no colour.

    A colour that is too light or too dark keeps its hue and is moved until it passes. A red marks the body but not its
    links and buttons: those would look like errors. None leaves the design system's own blue.
    """
    if not colour or not _HEX.fullmatch(colour):
        return None
    light = _moved(colour.lower(), _LIGHT_GROUNDS, -0.02)
    dark = _moved(colour.lower(), _DARK_GROUNDS, 0.02)
    return Accent(light, dark, for_actions=not _reddish(colour)) if light and dark else None


def _reddish(colour: str) -> bool:
    """Whether a colour looks like the red of an error message."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    return saturation > 0.35 and 0.1 < lightness < 0.9 and (hue < 18 / 360 or hue > 345 / 360)


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5))
    return red, green, blue


def _moved(colour: str, grounds: tuple[str, ...], step: float) -> str | None:
    """The colour, made darker or lighter until it stands out from all grounds."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    while 0.0 <= lightness <= 1.0:
        candidate = "#" + "".join(f"{round(c * 255):02x}" for c in colorsys.hls_to_rgb(hue, lightness, saturation))
        if all(contrast(candidate, ground) >= REQUIRED for ground in grounds):
            return candidate
        lightness += step
    return None


def stylesheet(colour: str | None) -> str:
    """The style sheet that puts a body's accent into KERN's tokens; an empty comment where KERN's own blue stays."""
    found = accent(colour)
    if found is None:
        return "/* the accent of the design system */\n"
    return _rule(found.light, found.text_on_light, found.for_actions) + (
        f"@media (prefers-color-scheme:dark){{{_rule(found.dark, found.text_on_dark, found.for_actions)}}}\n"
    )


def _rule(colour: str, text: str, for_actions: bool) -> str:
    actions = f";--kern-color-action-default:{colour};--kern-color-action-on-default:{text}" if for_actions else ""
    return f":root{{--vb-accent:{colour};--vb-on-accent:{text}{actions}}}\n"
