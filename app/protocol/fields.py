"""The bounded types that messages are made of.

Every field has a bound, so that nothing a stranger sends is larger than stated here, infinite or NaN. These are the
protocol's own bounds, wide on purpose; an operator's tighter limits are the session's to check.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

MAX_MASK_SIDE: Final = 2048
"""Longest side, in pixels, of the grid a mask travels on."""
MAX_FILE_BYTES: Final = 64 * 2**20
"""Largest exported file, and largest picture in an `open` message that any setting could allow."""

MAX_RECIPE_BYTES: Final = 256 * 2**10
"""Largest `open` message without its picture: what the recipe in it may take."""

MAX_CLASSES: Final = 2000
"""Classes of a session; the largest public list of instance masks in common use, LVIS, has 1203."""

Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
ObjectId = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""A number that JavaScript holds exactly."""
Index = Annotated[int, Meta(ge=0, le=2**16 - 1)]
PointLabel = Annotated[int, Meta(ge=0, le=1)]
"""1 for a point on the object, 0 for a point off it."""
Coord = Annotated[float, Meta(ge=-1e6, le=1e6)]
"""Pixels of the upright image, origin top-left; finite."""
Score = Annotated[float, Meta(ge=-1e6, le=1e6)]
"""The model's own predicted IoU, in [0, 1] for a sane model; finite for any."""
Scale = Annotated[float, Meta(gt=0, le=1e6)]
"""Pixels of the screen for one of the image."""
Milliseconds = Annotated[float, Meta(ge=0, le=1e9)]
ClockMs = Annotated[float, Meta(ge=0, le=1e15)]
"""A clock of the client's choice; the server only repeats it."""
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Orientation = Annotated[int, Meta(ge=1, le=8)]
"""EXIF's number of the turn that makes stored pixels upright."""
Side = Annotated[int, Meta(ge=0, le=2**20)]
GridSide = Annotated[int, Meta(ge=0, le=MAX_MASK_SIDE)]
MAX_NAME_CHARS: Final = 256
Name = Annotated[str, Meta(max_length=MAX_NAME_CHARS)]
FileName = Annotated[str, Meta(max_length=4096)]
"""A file's name as its disk has it; a path to it is taken too, as long as systems allow."""
Text = Annotated[str, Meta(max_length=2048)]
Quantity = Annotated[float, Meta(ge=-1e18, le=1e18)]
"""A count, a size or a measure: wider than any that is met, so that none is refused."""
Values = Annotated[dict[Name, Quantity | Text], Meta(max_length=16)]
"""What an error is about, by the names that its sentence has for it."""
FileBytes = Annotated[bytes, Meta(max_length=MAX_FILE_BYTES)]
ObjectIds = Annotated[tuple[ObjectId, ...], Meta(max_length=4096)]
BoxXyxy = tuple[Coord, Coord, Coord, Coord]
"""`(x0, y0, x1, y1)`, x0 < x1 and y0 < y1, in pixels of the upright image."""
WindowXyxy = tuple[Side, Side, Side, Side]
"""`(x0, y0, x1, y1)`, x0 < x1 and y0 < y1, whole pixels of the upright image: a part that the model sees by itself."""
Points = Annotated[tuple[tuple[Coord, Coord, PointLabel], ...], Meta(max_length=4096)]
"""`(x, y, label)` of every point."""
PathXy = Annotated[tuple[tuple[Coord, Coord], ...], Meta(min_length=1, max_length=2**16)]
"""`(x, y)` of every place that a brush went through."""
Radius = Annotated[float, Meta(ge=0.5, le=2**10)]
"""Of a brush, in pixels of the image."""
Counts = Annotated[str, Meta(max_length=MAX_RECIPE_BYTES)]
"""Run lengths of a whole mask, as COCO compresses them to text."""
Ground = Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$", max_length=7, description="a colour such as #ffffff")]
Morphology = Literal["fill_holes", "remove_specks", "smooth", "grow", "shrink"]
"""What is done to a mask's shape: holes filled up, loose specks taken away, the edge smoothed, moved out, moved in."""
MorphSize = Annotated[float, Meta(ge=0.1, le=2**40)]
"""Pixels: an area where holes are filled and specks removed, else a distance."""
SetOperation = Literal["union", "difference", "intersection"]
Direction = Literal["forward", "backward"]
"""Of a clip's time."""
Times = Annotated[tuple[Seconds, ...], Meta(min_length=1, max_length=2**16)]
"""When each frame of a clip is shown, from its beginning."""
ExportFormat = Literal["coco", "yolo", "labelme", "svg", "mask", "cutout", "overlay", "recipe"]
Stage = Literal["queued", "decoding", "encoding", "downloading", "exporting"]
