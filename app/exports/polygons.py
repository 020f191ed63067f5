"""Outlines with as few corners as a mask needs, and one ring for formats that know neither holes nor several parts.

Decision: keyholes. Context: COCO's polygons, YOLO's and LabelMe's are one ring each. Choice: a ring goes round its
part, at the nearest place across to a hole, round that the other way, and back the same way; the cut has no width, so
no area changes. Price: an editor shows the cut as a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pycocotools import mask as coco_masks

from app.arrays import MaskArray
from app.exports.outlines import Part, Ring, area_of, parts_of
from app.exports.selection import ExportObject
from app.protocol.run_lengths import box_of
from app.session.objects import SessionObject

TOLERANCES_PX: Final = (2.0, 1.0, 0.75)
"""How far a simpler outline may stray, most first. Below 0.7 nothing gets simpler than the steps of the pixels."""
MIN_IOU: Final = 0.994
"""A simpler outline has to agree so well with the mask; else the exact one is taken."""
MIN_AREA_PX: Final = 2000
"""Of a smaller mask the exact outline is taken: a reader who draws coarsely loses whole pixels by a corner less."""
MAX_MEASURED: Final = 256
"""Parts between which every gap is measured: of so many it takes a quarter of a second."""
ON_LINE: Final = 1e-9
"""Square pixels by which a point on a line may miss it, by the rounding of its coordinates."""


def outlined(shown: ExportObject, mask_hw: MaskArray) -> list[Part]:
    """Return the parts of an object's mask: in as few corners as its tolerance allows.

    Where none is given they are as close as the eye needs, or exact where the mask is as it was given: what came in
    from a file, and wasn't touched, is the same to the pixel when it comes in again.
    """
    tolerance_px = 0 if shown.tolerance_px is None and is_untouched(shown.item) else shown.tolerance_px
    if tolerance_px is None:
        return simple_parts(mask_hw)
    x0, y0, x1, y1 = box_of(mask_hw)
    exact = parts_of(mask_hw[y0:y1, x0:x1])
    parts = exact if tolerance_px == 0 else [simplified(part, tolerance_px) for part in exact]
    return [moved(part, x0, y0) for part in parts]


def is_untouched(item: SessionObject) -> bool:
    """Return whether an object is a given mask and nothing else."""
    return item.given is not None and len(item.trail) == 1


def differing_px(polygons: Sequence[Sequence[float]], truth: dict[str, Any]) -> int:
    """Return how many pixels are in polygons or in a mask in COCO's run lengths, but not in both.

    Args:
        polygons: `x, y, x, y, ...` of each.
        truth: the mask, as COCO's own tools encode it.
    """
    if not polygons:
        return int(coco_masks.area(truth))
    height, width = truth["size"]
    drawn = coco_masks.merge(coco_masks.frPyObjects(polygons, height, width))
    shared = coco_masks.merge([drawn, truth], intersect=True)
    return int(coco_masks.area(drawn)) + int(coco_masks.area(truth)) - 2 * int(coco_masks.area(shared))


def simple_parts(mask_hw: MaskArray) -> list[Part]:
    """Return the parts of a mask, (H, W) bool, in the fewest corners that agree with it; none of an empty mask."""
    x0, y0, x1, y1 = box_of(mask_hw)
    return [moved(part, x0, y0) for part in parts_of_crop(mask_hw[y0:y1, x0:x1])]


def parts_of_crop(mask_hw: MaskArray) -> list[Part]:
    """Return the same of a mask without empty rows and columns around it."""
    exact = parts_of(mask_hw)
    if np.count_nonzero(mask_hw) < MIN_AREA_PX:
        return exact
    truth = coco_masks.encode(np.asfortranarray(mask_hw, np.uint8))
    for tolerance_px in TOLERANCES_PX:
        simpler = [simplified(part, tolerance_px) for part in exact]
        if agreement(simpler, truth) >= MIN_IOU:
            return simpler
    return exact


def moved(part: Part, right: int, down: int) -> Part:
    """Return a part somewhere else."""
    by = np.array([right, down])
    return Part(part.outer + by, tuple(hole + by for hole in part.holes))


def simplified(part: Part, tolerance_px: float) -> Part:
    """Return a part with fewer corners, all of them its own; outlines stay simple and don't cross."""
    simple = shapely.Polygon(part.outer, part.holes).simplify(tolerance_px, preserve_topology=True)
    return Part(corners_of(simple.exterior), tuple(corners_of(hole) for hole in simple.interiors))


def corners_of(ring: shapely.LinearRing) -> Ring:
    """Return the corners of a ring, not closed."""
    corners: Ring = shapely.get_coordinates(ring)[:-1]
    return corners


def agreement(parts: Sequence[Part], truth: dict[str, Any]) -> float:
    """Return the IoU of parts and a mask in COCO's run lengths, as COCO's own tools measure it."""
    height, width = truth["size"]
    flat = [keyholed(on_edges(part)).ravel().tolist() for part in parts]
    drawn = coco_masks.merge(coco_masks.frPyObjects(flat, height, width))
    return float(coco_masks.iou([drawn], [truth], [0])[0, 0])


def on_edges(part: Part) -> Part:
    """Return a part with its corners on the very edges of its pixels, for readers to whom 0 is the first one's edge."""
    return Part(np.rint(part.outer), tuple(map(np.rint, part.holes)))


def keyholed(part: Part) -> Ring:
    """Return one ring around a part that leaves its holes out."""
    ring = part.outer
    for hole in sorted(part.holes, key=lambda hole: float(hole[:, 0].min())):
        ring = bridged(ring, hole)
    return ring


def joined(parts: Sequence[Part]) -> Ring:
    """Return one ring around all parts, at least one, each joined by a bridge of no width to the nearest of the others.

    Decision: however far apart they lie. Context: a line of YOLO's labels is an object of its own, to a training as to
    us, and a reader that draws outlines paints bridges a pixel wide. Choice: as Ultralytics' own converter does, one
    object is one ring; ours meets itself at the same corners on the way out and back, so that whoever cuts it open
    there has the parts again. Price: such a reader sees a hairline between far parts.
    """
    rings = sorted(map(keyholed, parts), key=area_of, reverse=True)
    lines = np.array([shapely.LinearRing(ring) for ring in rings])
    branches: list[list[Branch]] = [[] for _ in rings]
    for at, near in reversed(spanning(lines)):  # what is farther out is whole before it is joined
        start, end = shapely.get_coordinates(shapely.shortest_line(lines[near], lines[at]))
        branches[near].append(Branch(start, branched(from_point(rings[at], end), branches[at])))
    return branched(rings[0], branches[0])


class Branch(NamedTuple):
    """A way that a ring takes from one of its points, and comes back by.

    Attributes:
        start_xy: (2,) the point.
        way: (N, 2) the corners, from where the bridge ends and back to there.
    """

    start_xy: Ring
    way: Ring


def spanning(lines: NDArray[Any]) -> list[tuple[int, int]]:
    """Return the order in which lines, (N,) of `shapely.LinearRing`, join the first: each, and which it is next to."""
    boxes = shapely.bounds(lines)
    gaps_px, nearest = gaps_to(0, lines, boxes), np.zeros(len(lines), np.intp)
    is_left, order = np.arange(len(lines)) > 0, []
    while is_left.any():
        at = int(np.where(is_left, gaps_px, np.inf).argmin())
        order.append((at, int(nearest[at])))
        is_left[at] = False
        closer_px = gaps_to(at, lines, boxes)
        nearest[closer_px < gaps_px] = at
        gaps_px = np.minimum(gaps_px, closer_px)
    return order


def gaps_to(at: int, lines: NDArray[Any], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each line is from one of them, (N,); of very many, how far the (N, 4) boxes around them are."""
    gaps_px: NDArray[np.float64]
    if len(lines) <= MAX_MEASURED:
        gaps_px = shapely.distance(lines[at], lines)
        return gaps_px
    apart = np.maximum(boxes[:, :2] - boxes[at, 2:], boxes[at, :2] - boxes[:, 2:]).clip(0)
    gaps_px = np.hypot(*apart.T)
    return gaps_px


def branched(ring: Ring, branches: Sequence[Branch]) -> Ring:
    """Return a ring that takes other ways on its way round."""
    for start_xy, _ in branches:
        ring = cornered(ring, start_xy)
    places = [int(((ring - start_xy) ** 2).sum(axis=1).argmin()) for start_xy, _ in branches]
    pieces, last = [], 0
    for place, (_, way) in sorted(zip(places, branches, strict=True), key=lambda each: each[0]):
        pieces += [ring[last : place + 1], way]
        last = place  # which is passed again
    return np.concatenate([*pieces, ring[last:]])


def bridged(ring: Ring, other: Ring) -> Ring:
    """Return one ring that goes round both, over where they are nearest and back."""
    bridge = shapely.shortest_line(shapely.LinearRing(ring), shapely.LinearRing(other))
    start, end = shapely.get_coordinates(bridge)
    return np.concatenate([from_point(cornered(ring, start), start), from_point(other, end)])


def cornered(ring: Ring, point_xy: Ring) -> Ring:
    """Return a ring with a corner wherever it passes through a point.

    It does twice where the point is on an earlier bridge. Readers draw a line in steps, so that way out and way back
    cover the same pixels only where both have the same corners.
    """
    ends = np.roll(ring, -1, axis=0)
    behind, ahead = point_xy - ring, ends - point_xy
    beside = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    within = (np.abs(beside) < ON_LINE) & ((behind * ahead).sum(1) > ON_LINE)
    return np.insert(ring, np.flatnonzero(within) + 1, point_xy, axis=0)


def from_point(ring: Ring, point_xy: Ring) -> Ring:
    """Return the corners of a ring in order from a point on it, and the point at both ends."""
    steps = np.hypot(*(np.roll(ring, -1, axis=0) - ring).T)
    at = shapely.LinearRing(ring).project(shapely.Point(point_xy))
    after = int(np.searchsorted(np.cumsum(steps), at, side="right")) + 1
    return np.concatenate([[point_xy], np.roll(ring, -after, axis=0), [point_xy]])
