"""Polygons of label files to pixels, each kind as its own programs read it.

COCO's tools take 0 to be the edge of the first pixel. LabelMe and Ultralytics cut coordinates down to whole pixels and
fill up to and including those, so that a polygon that was written for them has its own outline in it.

Decision: a ring is cut open where it meets itself. Context: formats that know one ring a polygon have holes and far
parts joined to it by bridges of no width, which a program that draws outlines would paint. Choice: what lies between
two visits of a corner is a ring of its own, a bridge is none, and a ring that runs the other way round inside of
another is its hole. Price: a figure of eight is two parts, which is what it looks like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageDraw
from pycocotools import mask as coco_masks

from app.arrays import MaskArray
from app.protocol.counts import mask_of

Ring = NDArray[np.float64]
"""(N, 2) float64 corners `(x, y)` in pixels, origin top-left."""
MIN_CORNERS = 3


def filled_between_edges(rings: Sequence[Ring], size_hw: tuple[int, int]) -> MaskArray:
    """Return the pixels of polygons as COCO's tools have them, (H, W) bool; what leaves the picture is cut off.

    Args:
        rings: at least one, of at least three corners each.
        size_hw: H and W.
    """
    height, width = size_hw
    flat = [clipped(ring, size_hw).ravel().tolist() for ring in rings]
    counts: bytes = coco_masks.merge(coco_masks.frPyObjects(flat, height, width))["counts"]
    return mask_of(counts.decode("ascii"), size_hw)


def filled_with_outline(rings: Sequence[Ring], size_hw: tuple[int, int]) -> MaskArray:
    """Return the pixels of polygons as LabelMe and Ultralytics have them, (H, W) bool; arguments as above."""
    mask_hw = np.zeros(size_hw, np.bool_)
    for ring in rings:
        loops = sorted(loops_of(ring), key=lambda loop: abs(area_of(loop)), reverse=True)
        for loop in loops:
            box, inside, outline = drawn_loop(clipped(loop, size_hw), size_hw)
            part = mask_hw[box]  # a view: a ring may have very many small loops
            is_hole = area_of(loop) * area_of(loops[0]) < 0 and bool(part[inside].all())
            if is_hole:
                part &= ~inside | outline
            else:
                part |= inside
    return mask_hw


def clipped(ring: Ring, size_hw: tuple[int, int]) -> Ring:
    """Return a ring whose corners lie on the picture."""
    corners: Ring = np.clip(ring, 0, size_hw[::-1])
    return corners


def loops_of(ring: Ring) -> list[Ring]:
    """Return the rings that a ring consists of, cut open where it comes back to a corner; bridges are left out."""
    loops: list[Ring] = []
    walk: list[tuple[float, float]] = []
    places: dict[tuple[float, float], int] = {}
    for x, y in (*ring.tolist(), ring[0].tolist()):
        corner = (x, y)
        if corner in places:
            since = places[corner]
            if len(walk) - since >= MIN_CORNERS:
                loops.append(np.array(walk[since:]))
            for left in walk[since + 1 :]:
                del places[left]
            del walk[since + 1 :]
        else:
            places[corner] = len(walk)
            walk.append(corner)
    return loops


def drawn_loop(ring: Ring, size_hw: tuple[int, int]) -> tuple[tuple[slice, slice], MaskArray, MaskArray]:
    """Return the box of a ring, its pixels with its outline, and those of the outline alone, both bool in that box."""
    pixels = np.minimum(np.floor(ring), (size_hw[1] - 1, size_hw[0] - 1)).astype(int)
    (left, top), (right, bottom) = pixels.min(axis=0), pixels.max(axis=0)
    box = slice(int(top), int(bottom) + 1), slice(int(left), int(right) + 1)
    size_wh = int(right - left) + 1, int(bottom - top) + 1
    corners = [tuple(corner) for corner in (pixels - (left, top)).tolist()]
    whole, line = Pil.new("1", size_wh), Pil.new("1", size_wh)
    if len(set(corners)) > 1:
        ImageDraw.Draw(whole).polygon(corners, fill=1, outline=1)
        ImageDraw.Draw(line).line([*corners, corners[0]], fill=1)
    else:
        whole.putpixel(corners[0], 1)
        line.putpixel(corners[0], 1)
    return box, np.array(whole), np.array(line)


def area_of(ring: Ring) -> float:
    """Return the area inside a ring, negative for one that runs the other way round."""
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
