"""`POST /api/export/masks`: masks come in as a client keeps them, a file goes out. No picture is needed and no model.

Decision: one picture a request. Context: a client exports an album of hundreds of pictures that the server has
forgotten long ago, and has their files itself. Choice: it sends the masks of one picture after the other and puts the
files together, so that it can show how far it is and stop, and the server never holds more than one. Price: who wants
one file for all has to join them; ids of a COCO file are made for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from litestar import post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from litestar.response import Stream
from msgspec import Meta

from app.arrays import MaskArray
from app.errors import BadMessageError, Reason, TooManyObjectsError, TooManyPixelsError
from app.exports.selection import ExportObject, Selection
from app.limits import AppLimits
from app.masks.layers import finished
from app.masks.upsampling import drawn_in
from app.protocol.fields import MAX_CLASSES, FileName, Index, Name, ObjectId
from app.protocol.frames import over_picture
from app.protocol.recipe import StrokeStep, Trail
from app.protocol.run_lengths import decode_mask
from app.protocol.values import Class, Mask
from app.protocol.windows import check_window, size_of, whole
from app.service.answers import hand_made
from app.service.exporter import no_pixels
from app.service.shared_state import SharedState
from app.session.checks import check_trail
from app.session.classes import ClassList
from app.session.limits import SessionLimits
from app.session.names import unnamed
from app.session.objects import SessionObject
from app.session.values import OpenImage
from app.settings import Settings
from app.web.exports import FILE, ExportHttpRequest, streamed
from app.web.problems import refused, unreadable_handlers
from app.web.segment import UNCOMPRESSED

MAX_BODY_BYTES: Final = 16 * 2**20
"""As many masks as a picture may have objects, each of a hundred thousand runs; real ones take a hundredth of it."""
Length = Annotated[int, Meta(ge=1, le=2**20)]
KeptFormat = Literal["coco", "yolo", "labelme", "svg", "mask"]


class KeptPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture that need not be on the server: its id, its size upright in pixels, and its file name."""

    image_id: Annotated[Name, Meta(description="what an upload gave, or would give")]
    width: Length
    height: Length
    name: Annotated[FileName | None, Meta(description="which label files repeat")] = None


class KeptObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object with its mask, as an `object` message brought it; `runs` in base64."""

    id: ObjectId
    mask: Mask
    name: Annotated[Name, Meta(description="its class")] = ""
    color: Index = 0
    trail: Annotated[
        Trail, Meta(description="what made it, as in its recipe; without it, a grid's accuracy has to do")
    ] = ()


class KeptMasks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture, a format, and the objects."""

    format: Annotated[KeptFormat, Meta(description="of the file")]
    picture: KeptPicture
    objects: Annotated[list[KeptObject], Meta(max_length=4096)]
    classes: Annotated[
        list[Name | Class], Meta(max_length=MAX_CLASSES, description="every class in its order, as in /api/export")
    ] = []
    model: Annotated[Name, Meta(description="which made the masks")] = ""


EXAMPLE: Final = Example(
    summary="A mask of three pixels",
    value={
        "format": "coco",
        "picture": {"image_id": "aad88ac752889eb11b40e2f3b6d0f47a", "width": 4, "height": 3, "name": "cat.jpg"},
        "classes": ["cat"],
        "objects": [
            {
                "id": 1,
                "name": "cat",
                "mask": {"size": [3, 4], "box": [1, 0, 3, 2], "runs": "AAMB", "score": 0.97, "area": 3},
            }
        ],
    },
)


@dataclass(frozen=True)
class Drawing:
    """Draws one mask at the size of its picture, as exactly as what was kept allows.

    Decision: what was done by hand is done again. Context: kept masks lie on a grid of 2048 at most, the logits that a
    session draws larger ones from aren't kept, and what came in from a file goes out again the same to the pixel until
    it is touched, and changed in nothing but what was touched then. Choice: its trail beside its mask; a mask that no
    model was asked about is made of that alone, and strokes lie over all others. Price: both travel, and the rim that a
    model gave a mask is a cell of the grid off on pictures larger than that.
    """

    item: SessionObject
    mask: Mask
    size_hw: tuple[int, int]

    def __call__(self) -> MaskArray:
        """Return the mask, (H, W) bool; one that came on a smaller grid has its edge smoothed between the cells."""
        window = self.mask.window or whole(self.size_hw)
        if self.mask.size == size_of(window):
            return over_picture(self.mask, self.size_hw)
        if self.item.trail and not self.item.prompts:
            return hand_made(self.item, self.size_hw)
        strokes = [layer for layer in self.item.layers if isinstance(layer, StrokeStep)]
        logits = np.where(decode_mask(self.mask), np.float32(1), np.float32(-1))
        return finished(drawn_in(logits, window, self.size_hw), strokes, self.size_hw)


@post(
    "/api/export/masks",
    operation_id="exportMasks",
    summary="A file of masks that a client has kept",
    status_code=200,
    tags=["masks"],
    request_class=ExportHttpRequest,
    request_max_body_size=MAX_BODY_BYTES,
    opt={UNCOMPRESSED: True},
    exception_handlers=unreadable_handlers(),
    responses={200: FILE, **refused(400, 413, 503)},
)
async def export_masks(
    data: Annotated[KeptMasks, BodyKwarg(media_type=RequestEncodingType.JSON, examples=[EXAMPLE])],
    shared_state: NamedDependency[SharedState],
    settings: NamedDependency[Settings],
    limits: NamedDependency[AppLimits],
) -> Stream:
    """Return a file of masks at the picture's own size, without the picture and without a model.

    Made for one export of many pictures: ask for each, and join what comes. COCO files have no id twice, so that
    `images` and `annotations` of all are put together as they are; labels of YOLO have the numbers of `classes`.
    """
    selection = selection_of(data, settings.max_pixels, limits.session)
    return streamed(await shared_state.exporter.make(data.format, selection))


def selection_of(data: KeptMasks, max_pixels: int, limits: SessionLimits) -> Selection:
    """Return what is to be written.

    Raises:
        TooManyPixelsError, TooManyObjectsError, TooManyPointsError: more than a session could have had.
        BadCoordError: a window or a step off the picture.
        BadMessageError: an object twice, a mask of another shape than its picture, of a class that isn't listed, or of
            a trail that no session could have made.
    """
    picture = data.picture
    if picture.width * picture.height > max_pixels:
        raise TooManyPixelsError(
            Reason(
                "pixels_most",
                "a picture may have {most} pixels, got {width} x {height}; export a smaller one",
                most=max_pixels,
                width=picture.width,
                height=picture.height,
            )
        )
    if len(data.objects) > limits.max_objects:
        raise TooManyObjectsError(f"a file takes {limits.max_objects} objects, got {len(data.objects)}; send fewer")
    if len({kept.id for kept in data.objects}) < len(data.objects):
        raise BadMessageError("expected each object once; give each an id of its own")
    image = OpenImage(picture.image_id, picture.width, picture.height)
    items = [SessionObject(kept.id, kept.name or unnamed(kept.id), kept.color, kept.trail) for kept in data.objects]
    for item in items:
        if item.trail:
            check_trail(item, image, limits)
    classes = ClassList().replaced(data.classes).covering(items)
    objects = tuple(
        ExportObject(item, kept.mask.score, Drawing(item, checked(kept, image), image.size_hw))
        for item, kept in zip(items, data.objects, strict=True)
    )
    return Selection(image, picture.name, data.model, objects, no_pixels, classes)


def checked(kept: KeptObject, image: OpenImage) -> Mask:
    """Return the mask of an object.

    Raises:
        BadCoordError: its window isn't on the picture.
        BadMessageError: its grid isn't that of the picture, scaled down at most.
    """
    height, width = kept.mask.size
    if kept.mask.window is not None:
        check_window(kept.mask.window, image.size_hw)
    most_hw = size_of(kept.mask.window or whole(image.size_hw))
    off = abs(width * most_hw[0] - height * most_hw[1])  # sides of a grid are whole numbers
    if not (1 <= height <= most_hw[0] and 1 <= width <= most_hw[1]) or off > max(most_hw):
        raise BadMessageError(
            f"expected the mask of object {kept.id} on a grid in the shape of what it is of, {most_hw[1]} x "
            f"{most_hw[0]}, got {width} x {height}; send it as it came"
        )
    return kept.mask
