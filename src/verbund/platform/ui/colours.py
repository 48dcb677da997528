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


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" after WCAG 2.2, 0.0 (black) to 1.0 (white)."""
    channels = [int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two "#rrggbb" colours, 1.0 to 21.0."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def accent(colour: str | None) -> Accent | None:
    """The accent for a body's colour, each mode at 4.5:1 against every ground; None (KERN's own blue) if it is no colour.

    A colour that is too light or too dark keeps its hue and is moved until it passes.
    """
    if not colour or not _HEX.fullmatch(colour):
        return None
    light = _moved(colour.lower(), _LIGHT_GROUNDS, -0.02)
    dark = _moved(colour.lower(), _DARK_GROUNDS, 0.02)
    return Accent(light, dark) if light and dark else None


def _moved(colour: str, grounds: tuple[str, ...], step: float) -> str | None:
    """The colour, made darker or lighter until it stands out from all grounds."""
    red, green, blue = (int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
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
    return (
        f":root{{--vb-accent:{found.light};--vb-on-accent:{found.text_on_light};"
        f"--kern-color-action-default:{found.light};--kern-color-action-on-default:{found.text_on_light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--vb-accent:{found.dark};--vb-on-accent:{found.text_on_dark};"
        f"--kern-color-action-default:{found.dark};--kern-color-action-on-default:{found.text_on_dark}}}}}\n"
    )
