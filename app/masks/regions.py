"""The things of a picture, found by asking a model at the points of a grid: which answers are worth showing.

The way of sam2's automatic mask generator (`SAM2AutomaticMaskGenerator`): answers that the model is sure of and that
hardly change with the threshold, each thing once. Here the grid goes from coarse to fine, so that large things are
there first, and what is told fits into few bytes; so the order counts: the surest first, but rather another place of
the picture than one more version of what was told (Soft-NMS, Bodla et al. 2017).

Decision: outlines are told on the coarsest grid that still shows them. Context: what fits into 4 KB is what is found;
nearly all that is lost on the way from the model's answers is lost there (`python -m app nano regions`). Choice: a
region is a placeholder for the mask of its click, so its own mask is rough, and twice as many have room. Price: a
click's mask may differ from the outline by a fifth.

Decision: small things are looked for in four windows too, as by the generator's `crop_n_layers`. Context: most of what
the grid misses has a hundredth of the picture, or lines of six cells; other points don't find it, twice the pixels do.
Choice: a region's mask says its window, and the click that gives it names that. Price: four more encodes, so it is
only done by a model that is quick at them, and given up and begun again where somebody wants the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from app.arrays import Logits, MaskArray
from app.masks.cleaning import clicked_cells, smoothed, without_specks
from app.masks.upsampling import area_px
from app.protocol.fields import WindowXyxy
from app.protocol.frames import in_frame
from app.protocol.run_lengths import encode_mask
from app.protocol.values import Mask, Region
from app.protocol.windows import MIN_SIDE, is_cut, size_of, whole

GRID: Final = 16
"""Points to a side: with 8 a tenth of the things is missed, 24 finds no more than a hundredth besides."""
WINDOW_GRID: Final = 8
"""The same of a window, which come to lie closer than the whole picture's."""
WINDOW_SHARE: Final = 2 / 3
"""Of the picture's sides, as in sam2: nothing smaller than a third of them is cut by all windows."""
SMALL_SHARE: Final = 0.1
"""Of the picture; larger things are seen as well in the whole of it."""
MIN_CELLS: Final = 13
"""Of the logit grid; less is a speck."""
SAME_IOU: Final = 0.7
"""From this overlap on two masks are one thing, of which the better scored stays; as in sam2."""
THRESHOLD_SHIFT: Final = 1.0
"""Stability compares a mask with threshold 1 to that with threshold -1; as in sam2."""
COMPARED_SIDE: Final = 128
"""Masks are compared on at most so many cells to a side."""
MAX_REGIONS: Final = 256
"""More than a picture has objects."""
SHARED_PENALTY: Final = 0.5
"""What a region loses in the order by an overlap with one before it, as a share of its value, at an IoU of 1."""
ROUGH_SIDES: Final = (32, 64, 128)
"""Cells to a side of the grids that a region's mask may be told on, beside the model's own."""
ROUGH_IOU: Final = 0.8
"""Of a region's mask as it is told with that of the model, at least."""
ONES: Final = np.array([bin(byte).count("1") for byte in range(256)], np.uint16)
"""Ones among the bits of each byte; NumPy counts them itself from version 2 on."""


class Ask(NamedTuple):
    """A click on something new.

    Attributes:
        x, y: in pixels of the picture.
        window: the part of the picture that it is asked of; None for the whole.
    """

    x: float
    y: float
    window: WindowXyxy | None = None


class Gates(NamedTuple):
    """What an answer must reach to be shown.

    Attributes:
        score: the model's own predicted IoU.
        stability: IoU of the mask with a higher and with a lower threshold.
        trust: exponent of the score beside the stability, where one answer is held against another.
    """

    score: float
    stability: float
    trust: float = 1.0

    def value(self, score: float, stability: float) -> float:
        """Return how good an answer is among others, from 0 to 1."""
        return float(score**self.trust) * stability


def gates_of(model: str) -> Gates:
    """Return the gates of a model: sam2's own, looser for nano, whose scores and rims are less sure of themselves.

    With sam2's gates nano shows an eighth of the things of drawn scenes, with these nine of ten. Of nano's answers
    those that change little are rather things than those of which it is sure: what fits into a message has 0.93 of
    them in place of 0.91 (171 things).
    """
    return Gates(0.25, 0.4, trust=0.0) if model == "nano" else Gates(0.8, 0.95)


def grid_points(size_hw: tuple[int, int]) -> list[tuple[float, float]]:
    """Return the grid's points `(x, y)` in pixels of the picture: 4 by 4 first, then 8 by 8, then what is left.

    They are whole, which takes a third of the bytes.
    """
    cells = sorted(((row, column) for row in range(GRID) for column in range(GRID)), key=lambda cell: level_of(*cell))
    return [
        (round((column + 0.5) * size_hw[1] / GRID), round((row + 0.5) * size_hw[0] / GRID)) for row, column in cells
    ]


def windows_of(model: str, size_hw: tuple[int, int]) -> tuple[WindowXyxy, ...]:
    """Return the windows in which small things are looked for: one at each corner of the picture, or none.

    Args:
        model: the model's name; `nano` alone encodes them in the time of a few decodes.
        size_hw: height and width of the picture.
    """
    height, width = (round(WINDOW_SHARE * side) for side in size_hw)
    if model != "nano" or min(height, width) < MIN_SIDE:
        return ()
    tops, lefts = (0, size_hw[0] - height), (0, size_hw[1] - width)
    return tuple((left, top, left + width, top + height) for top in tops for left in lefts)


def asks_in(window: WindowXyxy) -> list[Ask]:
    """Return the points of a window's own grid, whole pixels of the picture."""
    x0, y0, x1, y1 = window
    middles = [(place + 0.5) / WINDOW_GRID for place in range(WINDOW_GRID)]
    return [Ask(round(x0 + x * (x1 - x0)), round(y0 + y * (y1 - y0)), window) for y in middles for x in middles]


def level_of(row: int, column: int) -> int:
    """Return how fine the coarsest grid is that has this cell: 0, 1 or 2."""
    return next((level for level, step in enumerate((4, 2)) if row % step == column % step == step // 2), 2)


@dataclass(frozen=True)
class Collected:
    """A region beside what it is compared by.

    Attributes:
        region: what may be told.
        value: as its gates have it, from 0 to 1.
        bits: its mask packed on a grid of at most `COMPARED_SIDE`.
    """

    region: Region
    value: float
    bits: NDArray[np.uint8]


class RegionCollector:
    """Says where to ask, and collects the answers, each thing once, as it was found best.

    Attributes:
        asked: how many clicks were answered.
    """

    def __init__(
        self, size_hw: tuple[int, int], gates: Gates, speck_share: float, windows: Sequence[WindowXyxy] = ()
    ) -> None:
        """Begin with none.

        Args:
            size_hw: height and width of the picture.
            gates: what an answer must reach.
            speck_share: specks and holes up to this share of the picture are left out, as in every mask.
            windows: parts of the picture in which to ask too, once all was asked of the whole.
        """
        self._size_hw, self._gates, self._speck_share = size_hw, gates, speck_share
        in_whole = [Ask(x, y) for x, y in grid_points(size_hw)]
        self._asks = [*in_whole, *(ask for window in windows for ask in asks_in(window))]
        self._found: list[Collected] = []
        self.asked = 0

    @property
    def ask(self) -> Ask | None:
        """What to ask next; None once all was asked."""
        return self._asks[self.asked] if self.asked < len(self._asks) else None

    def add(self, logits: Logits, scores: NDArray[np.float32]) -> None:
        """Take what the click that is next gives; another is next then.

        Args:
            logits: (K, h, w) float32, the candidates of a lone point on the object.
            scores: (K,) float32, the model's own predicted IoU of each.
        """
        ask = self._asks[self.asked]
        self.asked += 1
        for index, (candidate, score) in enumerate(zip(logits, map(float, scores), strict=True)):
            stability = stability_of(candidate)
            if score < self._gates.score or stability < self._gates.stability:
                continue
            value, bits = self._gates.value(score, stability), self._compared(candidate, ask.window)
            if bits is None:
                continue
            same = [overlap >= SAME_IOU for overlap in overlaps(self._bits(), bits)]
            if any(one.value >= value for one, is_same in zip(self._found, same, strict=True) if is_same):
                continue  # the thing is there, found better
            mask = rough_mask(self._clean(candidate, ask) > 0, self._size_hw, score, ask.window)
            self._found = [one for one, is_same in zip(self._found, same, strict=True) if not is_same]
            self._found.append(Collected(Region(mask=mask, x=ask.x, y=ask.y, candidate=index), value, bits))

    @property
    def best_first(self) -> tuple[Region, ...]:
        """What was found so far. Takes some milliseconds."""
        bits = self._bits()
        told: list[Region] = []
        values = np.array([found.value for found in self._found])
        shared = np.zeros(len(values))  # the largest overlap with what was told
        while len(told) < min(len(values), MAX_REGIONS):
            best = int(np.argmax(values * (1 - SHARED_PENALTY * shared)))
            told.append(self._found[best].region)
            shared = np.maximum(shared, overlaps(bits, bits[best]))
            values[best] = -1.0  # is told
        return tuple(told)

    def _bits(self) -> NDArray[np.uint8]:
        """Return the packed masks, one in each row."""
        return np.stack([found.bits for found in self._found]) if self._found else np.empty((0, 0), np.uint8)

    def _compared(self, logits: Logits, window: WindowXyxy | None) -> NDArray[np.uint8] | None:
        """Return a mask as bits on the grid of the whole picture; None where a window isn't the place to find it."""
        if window is None:
            return compared(logits > 0)
        mask_hw = in_frame(logits > 0, window, whole(self._size_hw), logits.shape)
        if not 0 < np.count_nonzero(mask_hw) <= SMALL_SHARE * mask_hw.size:
            return None
        own = structs.replace(encode_mask(logits > 0, score=0.0, area=0), window=window)
        bits = compared(mask_hw)
        return None if is_cut(own, self._size_hw) or not bits.any() else bits

    def _clean(self, logits: Logits, ask: Ask) -> Logits:
        """Return logits as a preview that isn't chosen yet has them: without specks, with a smoother rim."""
        part = ask.window or whole(self._size_hw)
        points = ((ask.x - part[0], ask.y - part[1], 1),)
        clean = without_specks(logits, self._speck_share, points, size_of(part))
        return smoothed(clean, clicked_cells(clean, points, size_of(part)))


def is_sure(logits: Logits, score: float, gates: Gates) -> bool:
    """Return whether a model's answer is worth showing: it is sure of it, and it hardly changes with the threshold."""
    return score >= gates.score and stability_of(logits) >= gates.stability


def stability_of(logits: Logits) -> float:
    """Return how little a mask changes with its threshold, from 0 to 1, as sam2's stability score; 0 for a speck."""
    if np.count_nonzero(logits > 0) < MIN_CELLS:
        return 0.0
    return np.count_nonzero(logits > THRESHOLD_SHIFT) / np.count_nonzero(logits > -THRESHOLD_SHIFT)


def rough_mask(mask_hw: MaskArray, size_hw: tuple[int, int], score: float, window: WindowXyxy | None = None) -> Mask:
    """Return a mask on the coarsest grid on which it is still about the same.

    Args:
        mask_hw: (h, w) bool, on the model's grid.
        size_hw: height and width of the picture, for the area, which stays the mask's own.
        score: the model's own predicted IoU.
        window: the part of the picture that the grid spans; None for the whole.
    """
    rough = (coarser(mask_hw, side) for side in ROUGH_SIDES)
    told = next((grid for grid in rough if grid is not None), mask_hw)
    area = area_px(mask_hw, size_of(window or whole(size_hw)))
    return structs.replace(encode_mask(told, score=score, area=area), window=window)


def coarser(mask_hw: MaskArray, side: int) -> MaskArray | None:
    """Return a mask on a grid of so many cells to a side, each as most of its part is; None where it is another then.

    Args:
        mask_hw: (h, w) bool.
        side: what divides neither h nor w gives None.
    """
    height, width = mask_hw.shape
    if height % side or width % side:
        return None
    filled = np.count_nonzero(mask_hw.reshape(side, height // side, side, width // side), axis=(1, 3))
    part = mask_hw.size // side**2
    grid: MaskArray = 2 * filled > part
    both = int(filled[grid].sum())
    either = int(filled.sum()) + part * int(np.count_nonzero(grid)) - both
    return grid if both >= ROUGH_IOU * either else None


def compared(mask_hw: MaskArray) -> NDArray[np.uint8]:
    """Return a mask as bits, on a grid of at most `COMPARED_SIDE` cells to a side."""
    step = -(-max(mask_hw.shape) // COMPARED_SIDE)
    return np.packbits(mask_hw[::step, ::step])


def overlaps(masks: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the IoU of each of some masks with another one, none of them empty; of no masks, nothing.

    Args:
        masks: (N, B) uint8, a mask of 8 B cells in each row.
        other: (B,) uint8.
    """
    if not len(masks):
        return np.empty(0)
    both = ONES[masks & other].sum(axis=1)
    either = ONES[masks | other].sum(axis=1)
    shares: NDArray[np.float64] = both / either
    return shares
