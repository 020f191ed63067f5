"""From the bytes that a stranger sent to an upright sRGB picture, within limits.

`formats` finds out what a file is and refuses in words, `png` passes over what is no picture in a PNG, `orientation`
knows which way is up, `depth` brings grey levels to 8 bits, `icc` and `color` bring colours to sRGB, and `reading`
puts them together.
"""

from app.pictures.limits import PictureLimits
from app.pictures.reading import (
    WORKING_SIDE,
    NativeArray,
    Picture,
    Rendition,
    image_id_of,
    part_for_model,
    read_native,
    read_opaque,
    read_picture,
    render_picture,
)

__all__ = [
    "WORKING_SIDE",
    "NativeArray",
    "Picture",
    "PictureLimits",
    "Rendition",
    "image_id_of",
    "part_for_model",
    "read_native",
    "read_opaque",
    "read_picture",
    "render_picture",
]
