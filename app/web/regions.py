"""`POST /api/regions`: the things of a picture, found without a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from litestar import MediaType, Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from msgspec import Meta

from app.arrays import Logits
from app.limits import AppLimits
from app.protocol.fields import Name, WindowXyxy
from app.protocol.values import Region
from app.protocol.windows import size_of, whole
from app.service.predictor import Predictor
from app.service.region_finder import ALL
from app.service.scheduler import Lane, Priority
from app.service.windows import moved_into
from app.session.query import lone_click
from app.session.values import OpenImage
from app.web.examples import SEGMENTED, UPLOADED, answered
from app.web.problems import refused, unreadable_handlers
from app.web.segment import UNCOMPRESSED, SegmentedMask, segmented

MAX_BODY_BYTES: Final = 2**10
"""A picture's name takes less than a hundred bytes."""


class RegionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture."""

    image_id: Annotated[Name, Meta(description="what the upload gave")]


class FoundRegion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A thing: its mask, and the click that gives it."""

    mask: SegmentedMask
    x: Annotated[float, Meta(description="of a point on it, in pixels of the upright picture")]
    y: float
    candidate: Annotated[int, Meta(description="which of that point's candidates the mask is, in the model's order")]
    window: Annotated[WindowXyxy | None, Meta(description="the part that the model saw; left out for all of it")] = None


class FoundRegions(msgspec.Struct, frozen=True):
    """The things that were found, the surest first."""

    regions: list[FoundRegion]
    image_id: str


EXAMPLE: Final = Example(summary="The bundled photo of a cat", value={"image_id": UPLOADED["image_id"]})
FOUND: Final = {
    "regions": [{"mask": SEGMENTED["masks"][0], "x": 1.5, "y": 0.5, "candidate": 1}],  # type: ignore[index]
    "image_id": UPLOADED["image_id"],
}


@post(
    "/api/regions",
    operation_id="regions",
    summary="The things of a picture",
    status_code=200,
    tags=["masks"],
    request_max_body_size=MAX_BODY_BYTES,
    opt={UNCOMPRESSED: True},
    exception_handlers=unreadable_handlers(),
    responses={200: answered(FoundRegions, "the things, the surest first", FOUND), **refused(400, 404, 500, 503)},
)
async def regions(
    data: Annotated[RegionsRequest, BodyKwarg(media_type=RequestEncodingType.JSON, examples=[EXAMPLE])],
    predictor: NamedDependency[Predictor],
    limits: NamedDependency[AppLimits],
    drawing: NamedDependency[Lane],
) -> Response[bytes]:
    """Return what the model finds at the points of a grid of 16 by 16, each thing once, as many as a session may have.

    People's hovers and clicks go before it, so it takes seconds, and longer on a busy server. The masks are what a
    click at the point gives, at the size of the picture.
    """
    image = await predictor.sources.info(data.image_id)
    found = await predictor.backend.regions(predictor.key(image.image_id), image.size_hw, ALL)
    found = found[: limits.session.max_objects]
    logits = [await logits_of(predictor, image, region) for region in found]
    body = await drawing.run(Priority.CLICK, lambda: written(image, found, logits), limits.service.export_timeout_s)
    return Response(body, media_type=MediaType.JSON)


async def logits_of(predictor: Predictor, image: OpenImage, region: Region) -> Logits:
    """Return the (h, w) logits that a click gives at a region's point, in the region's window."""
    window = region.mask.window
    click = moved_into(lone_click(region.x, region.y, window), image.size_hw)
    key, part_hw = predictor.key(image.image_id, window=window), size_of(window or whole(image.size_hw))
    found = await predictor.backend.candidates(key, part_hw, click)
    logits: Logits = found.logits[region.candidate]
    return logits


def written(image: OpenImage, found: Sequence[Region], logits: Sequence[Logits]) -> bytes:
    """Return the reply as JSON. Takes tenths of a second and more; call it in a worker thread."""
    told = [
        FoundRegion(
            segmented(each, at.mask.score, image.size_hw, at.mask.window), at.x, at.y, at.candidate, at.mask.window
        )
        for each, at in zip(logits, found, strict=True)
    ]
    return msgspec.json.encode(FoundRegions(told, image.image_id))
