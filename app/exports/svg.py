"""SVG: a path for each object, in pixels of the picture. Pure."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import numpy as np

from app.exports.outlines import Part, Ring
from app.exports.polygons import on_edges, outlined
from app.exports.selection import ExportObject, Selection
from app.session.names import readable
from app.session.palette import color_hex

FILL_OPACITY = "0.5"
"""Objects may lie above each other; both are seen."""


def svg(selection: Selection) -> bytes:
    """Return a drawing of the picture's size without the picture; holes are holes."""
    width, height = str(selection.image.width), str(selection.image.height)
    drawing = Xml.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": width,
            "height": height,
            "viewBox": f"0 0 {width} {height}",
        },
    )
    drawing.extend(
        [path(shown, selection.color_of(shown)) for shown in selection.objects]
    )  # Python 3.10 hides what a generator raises
    data: bytes = Xml.tostring(drawing, encoding="utf-8", xml_declaration=True)
    return data


def path(shown: ExportObject, color: int) -> Xml.Element:
    """Return an object as a path with its name, in a colour of the palette."""
    element = Xml.Element(
        "path",
        {
            "id": f"object-{shown.item.id}",
            "fill": color_hex(color),
            "fill-opacity": FILL_OPACITY,
            "fill-rule": "evenodd",
            "d": "".join(map(part_data, outlined(shown, shown.draw()))),
        },
    )
    Xml.SubElement(element, "title").text = readable(shown.item.name)
    return element


def part_data(part: Part) -> str:
    """Return the outlines of a part as path data."""
    edges = on_edges(part)
    return "".join(map(ring_data, (edges.outer, *edges.holes)))


def ring_data(ring: Ring) -> str:
    """Return a closed outline as path data; its corners are whole numbers."""
    return "M" + "L".join(f"{x} {y}" for x, y in ring.astype(np.int64).tolist()) + "Z"
