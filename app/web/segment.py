"""`POST /api/segment`: a prompt comes in, masks at the size of the picture go out.

The surface of FastSAM-Demo's backend, so that its page and scripts run here unchanged: plain JSON, run lengths over
the whole picture. Clicks share embeddings and turns with every session; nothing is remembered between two requests.

Decision: drawn in a lane of its own. Context: three masks of 40 megapixels take a tenth of a second to draw and
count, a hover a few milliseconds to decode. Choice: the device only decodes; drawing, run lengths and JSON are one
bounded job of another thread, and the reply isn't deflated on the event loop. Price: some three times the bytes of a
deflated reply; who counts bytes uses the socket.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np
from litestar import MediaType, Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import BodyKwarg
from msgspec import Meta

from app.arrays import Logits
from app.engine.contract import Candidates
from app.errors import BadMessageError
from app.limits import AppLimits
from app.masks.upsampling import drawn_in
from app.protocol.fields import BoxXyxy, Coord, Counts, Name, PointLabel, Side, WindowXyxy
from app.protocol.recipe import BoxStep, MaskStep, PointStep, RefineStep, Trail
from app.protocol.run_lengths import box_of, run_lengths
from app.protocol.windows import whole
from app.service.predictor import Predictor
from app.service.scheduler import Lane, Priority
from app.session.checks import check_trail
from app.session.limits import SessionLimits
from app.session.objects import SessionObject, in_window
from app.session.query import Query
from app.session.values import OpenImage
from app.web.examples import SEGMENT_REQUESTS, SEGMENTED, answered
from app.web.problems import refused, unreadable_handlers

MAX_BODY_BYTES: Final = 2**19
"""A prompt of as many points as an object may have takes a few KB of JSON, a given mask of 256 KiB some more."""
UNCOMPRESSED: Final = "uncompressed"
"""Routes that carry this option are not deflated; see `asgi`."""


WINDOW: Final = (
    "[x0, y0, x1, y1] in whole pixels: the part of the picture that the model is to see by itself, for small things; "
    "it has all of the prompt, and a thing that its edge cuts is asked for again in a larger one"
)


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point in pixels of the upright picture, origin top-left; label 1 on the object, 0 off it.

    No further field: a misspelt label would turn a point off the object into one on it.
    """

    x: Coord
    y: Coord
    label: Annotated[PointLabel, Meta(description="1 on the object, 0 off it")] = 1


class GivenMask(msgspec.Struct, frozen=True):
    """A mask of the picture's size."""

    size: Annotated[tuple[Side, Side], Meta(description="[height, width] of the upright picture")]
    counts: Annotated[Counts, Meta(description="run lengths down the columns, as COCO compresses them")]


class SegmentRequest(msgspec.Struct, frozen=True):
    """A picture and a prompt: points, a box, a rough mask to be made sharp; FastSAM-Demo's clients may send more."""

    image_id: Annotated[Name, Meta(description="what the upload gave")]
    points: Annotated[list[Point], Meta(max_length=4096, description="may be left out where there is a box")] = []
    box: Annotated[BoxXyxy | None, Meta(description="[x0, y0, x1, y1], x0 < x1 and y0 < y1")] = None
    mask: Annotated[GivenMask | None, Meta(description="a rough mask that is to be made sharp")] = None
    window: Annotated[WindowXyxy | None, Meta(description=WINDOW)] = None


class RunLengths(msgspec.Struct, frozen=True):
    """A mask, row by row; the counts sum to height times width."""

    counts: Annotated[
        list[int], Meta(description="run lengths, background and foreground in turn, beginning with background")
    ]
    size: Annotated[tuple[int, int], Meta(description="[height, width] of the upright picture")]


class SegmentedMask(msgspec.Struct, frozen=True):
    """One candidate."""

    rle: RunLengths
    bbox: Annotated[
        tuple[int, int, int, int], Meta(description="[x_min, y_min, x_max, y_max], the last pixels included")
    ]
    score: Annotated[float, Meta(description="the model's own predicted IoU, 0 to 1")]
    area: Annotated[int, Meta(description="pixels of the picture")]


class Segmented(msgspec.Struct, frozen=True, omit_defaults=True):
    """The candidates, best score first."""

    masks: list[SegmentedMask]
    image_id: str
    window: Annotated[WindowXyxy | None, Meta(description="the part that the model saw; left out for all of it")] = None


@post(
    "/api/segment",
    operation_id="segment",
    summary="Masks for a prompt",
    status_code=200,
    tags=["masks"],
    request_max_body_size=MAX_BODY_BYTES,
    opt={UNCOMPRESSED: True},
    exception_handlers=unreadable_handlers(),
    responses={
        200: answered(Segmented, "the candidates, best score first", SEGMENTED),
        **refused(400, 404, 500, 503),
    },
)
async def segment(
    data: Annotated[SegmentRequest, BodyKwarg(media_type=RequestEncodingType.JSON, examples=SEGMENT_REQUESTS)],
    predictor: NamedDependency[Predictor],
    limits: NamedDependency[AppLimits],
    drawing: NamedDependency[Lane],
) -> Response[bytes]:
    """Return three candidates, at the size of the picture.

    A lone point on the object is ambiguous: they read it as part, object and group. Otherwise they are those of the
    last step, where the box comes first and each point goes on from the best mask before it. The picture was encoded
    when it was uploaded, so this takes milliseconds.
    """
    image = await predictor.sources.info(data.image_id)
    item = item_of(data, image, limits.session)
    found, window = await predictor.candidates(image, Query(0, item))
    body = await drawing.run(Priority.CLICK, lambda: written(found, image, window), limits.service.click_timeout_s)
    return Response(body, media_type=MediaType.JSON)


def item_of(request: SegmentRequest, image: OpenImage, limits: SessionLimits) -> SessionObject:
    """Return the object that a prompt makes, as a session would have it: the box first, then each point.

    Raises:
        BadMessageError: no prompt at all, or a mask that isn't of this picture.
        TooManyPointsError: more than an object may have.
        BadCoordError: a point or the box leaves the picture, or the box is inside out.
    """
    if not request.points and request.box is None and request.mask is None:
        raise BadMessageError("expected a point, a box or a mask, got none; send points, box or mask")
    mask = () if request.mask is None else (MaskStep(size=request.mask.size, counts=request.mask.counts),)
    box = () if request.box is None else (BoxStep(box=request.box),)
    points = tuple(PointStep(x=point.x, y=point.y, label=point.label) for point in request.points)
    asked: Trail = (*box, *points) or (RefineStep(),)
    item = SessionObject(id=0, name="", color=0, trail=(*mask, *in_window(asked, request.window)))
    check_trail(item, image, limits)
    return item


def written(found: Candidates, image: OpenImage, window: WindowXyxy | None = None) -> bytes:
    """Return the reply as JSON. Takes up to tenths of a second; call it in a worker thread."""
    order = np.argsort(-found.scores, kind="stable")
    masks = [segmented(found.logits[index], float(found.scores[index]), image.size_hw, window) for index in order]
    return msgspec.json.encode(Segmented(masks, image.image_id, window))


def segmented(
    logits: Logits, score: float, size_hw: tuple[int, int], window: WindowXyxy | None = None
) -> SegmentedMask:
    """Return a candidate at the size of the picture.

    Args:
        logits: (h, w) float32.
        score: the model's own predicted IoU.
        size_hw: height and width of the picture.
        window: the part of the picture that the logits are of; None for all of it.
    """
    mask_hw = drawn_in(logits, window or whole(size_hw), size_hw)
    x0, y0, x1, y1 = box_of(mask_hw)
    bbox = (x0, y0, max(x0, x1 - 1), max(y0, y1 - 1))  # four zeros where there is nothing
    counts = run_lengths(mask_hw).tolist()
    return SegmentedMask(RunLengths(counts, size_hw), bbox, score, int(np.count_nonzero(mask_hw)))
