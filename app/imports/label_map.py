"""The label map of Pascal VOC and CVAT: which colour of a mask by class is which class. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray

STEM: Final = "labelmap"
BY_CLASS: Final = "SegmentationClass"
"""The folder of the masks by class, of which each colour is one."""
BY_OBJECT: Final = "SegmentationObject"
"""The folder of the same masks by object, whose colours say nothing."""
LINE: Final = re.compile(r"\s*([^#\s].*?)\s*:\s*(\d{1,3}),\s*(\d{1,3}),\s*(\d{1,3})\s*(:.*)?")
"""`label:color_rgb:parts:actions`, `cat:250,50,83::`; a name may have colons."""


@dataclass(frozen=True)
class ClassPicture:
    """A mask by class, and what its colours are.

    Attributes:
        colors_hw: (H, W) uint32, 0xRRGGBB.
        names: by colour.
    """

    colors_hw: NDArray[np.uint32]
    names: dict[int, str]

    def name_of(self, mask_hw: MaskArray) -> str:
        """Return the class that most pixels of a mask are of, (H, W) bool; nothing where that colour is none."""
        colors, counts = np.unique(self.colors_hw[mask_hw], return_counts=True)
        return self.names.get(int(colors[counts.argmax()]), "") if len(colors) else ""


def read_label_map(text: str) -> dict[int, str]:
    """Return the names by colour, 0xRRGGBB, in the order of the file; black, which is the background, is none."""
    names: dict[int, str] = {}
    for line in text.splitlines():
        if match := LINE.fullmatch(line):
            red, green, blue = (int(each) for each in match.group(2, 3, 4))
            names.setdefault(red << 16 | green << 8 | blue, match[1])
    names.pop(0, None)
    return names
