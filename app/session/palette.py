"""Colours of the objects: the page's own, `static/js/model/palette.js`, so that files look like what was seen."""

from __future__ import annotations

from typing import Final

PALETTE: Final = ("#56b4e9", "#e69f00", "#00a878", "#f0e442", "#d55e00", "#cc79a7", "#1f78d1", "#d9dce3")


def color_hex(index: int) -> str:
    """Return the colour of an object as `#rrggbb`, around again after the last."""
    return PALETTE[index % len(PALETTE)]


def color_rgb(index: int) -> tuple[int, int, int]:
    """Return the colour of an object, each part in [0, 255]."""
    red, green, blue = bytes.fromhex(color_hex(index)[1:])
    return red, green, blue
