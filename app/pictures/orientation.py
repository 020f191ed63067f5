"""Which way is up: the marks that turn a picture, and turning it.

Decision: the server decides which way is up, and tells the page. Context: browsers heed the marks of some containers
and pass over those of others, each its own way, and a page can't tell what its browser did. Choice: the server reads
every mark; the page takes the marks out of its copy, decodes it as it is stored, and turns it by the server's word.
Price: the page knows the containers of JPEG, PNG and WebP.

Where marks disagree, the first of these that holds 1 to 8 counts: EXIF of the file's own, EXIF that ImageMagick keeps
in a PNG's text, `tiff:Orientation` in XMP.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from typing import Final

from PIL import Image as Pil

EXIF_ORIENTATION: Final = 0x0112
UPRIGHT: Final = {
    2: Pil.Transpose.FLIP_LEFT_RIGHT,
    3: Pil.Transpose.ROTATE_180,
    4: Pil.Transpose.FLIP_TOP_BOTTOM,
    5: Pil.Transpose.TRANSPOSE,
    6: Pil.Transpose.ROTATE_270,
    7: Pil.Transpose.TRANSVERSE,
    8: Pil.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation; from 5 on it swaps width and height."""
XMP_ORIENTATION: Final = re.compile(rb"""tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])\s*["'<]""")


def upright(picture: Pil.Image, orientation: int) -> Pil.Image:
    """Return a picture turned by its EXIF orientation, 1 to 8."""
    return picture.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else picture


def orientation_of(exif: Iterable[bytes], xmp: Iterable[bytes]) -> int:
    """Return the orientation that a file's marks state, 1 to 8; 1 where they are missing or damaged.

    Args:
        exif: blocks of EXIF, the one that counts first.
        xmp: packets of XMP; they count after all EXIF.
    """
    marks = (*map(exif_orientation, exif), *map(xmp_orientation, xmp))
    return next((mark for mark in marks if mark is not None), 1)


def exif_orientation(block: bytes) -> int | None:
    """Return the orientation in a block of EXIF, 1 to 8, or None where it has none that can be read."""
    exif = Pil.Exif()
    try:
        with warnings.catch_warnings():  # of tags that are none
            warnings.simplefilter("ignore")
            exif.load(block)
            mark = exif.get(EXIF_ORIENTATION)
    except Exception:  # the mark is not worth a picture, whatever its parser stumbles over
        return None
    return mark if isinstance(mark, int) and 1 <= mark <= 8 else None


def xmp_orientation(packet: bytes) -> int | None:
    """Return the orientation in a packet of XMP, 1 to 8, or None where it has none."""
    found = XMP_ORIENTATION.search(packet)
    return int(found[1]) if found else None
