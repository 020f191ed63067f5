"""`/api/clips`: a clip comes in, its name and the times of its frames go out; then its frames as the model sees them.

Decision: the page shows frames as JPEG, and no video. Context: browsers seek a video to a frame beside the one that is
meant, know other codecs than the server, and turn and scale by rules of their own. Choice: what is shown is what is
prompted, to the pixel. Price: some 200 KB a frame, which the browser keeps.
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from msgspec import Meta

from app.clips import frame_source
from app.clips.limits import ClipLimits
from app.errors import BadMessageError
from app.limits import AppLimits
from app.protocol.clips import ClipPart
from app.service.predictor import Predictor
from app.session.values import OpenClip
from app.web.examples import CLIP, answered
from app.web.forms import FORM_BYTES, UploadOperation, clip_file
from app.web.problems import not_kept_response, problem_spec, refused
from app.web.segment import UNCOMPRESSED
from app.wording import in_words

MAX_BODY_BYTES: Final = ClipLimits().max_clip_bytes + FORM_BYTES
KEPT: Final = "private, max-age=31536000, immutable"
"""A frame's name has the hash of the clip's file in it, so that what was shown stays right; it is one person's."""
ALL: Final = 1000.0
"""Frames a second where none is asked for: every one."""
DIGITS: Final = 6
"""Of the decimals of a part, which its name tells."""
BEGIN: Final = "first second of the part that is wanted; 0 where it is left out"
END: Final = "second before which the part ends; as late as a clip may be long where it is left out"
RATE: Final = "frames a second of the part, at most; all where it is left out"
PROVISIONAL: Final = "true lets nano see the first frame first, for an `open` over the socket that says the same"
TOO_LONG: Final = problem_spec(
    "CLIP_TOO_LONG", "more frames or seconds than a clip may have: choose a part; `values` has `file_id` to take it of"
)
JPEG: Final = ResponseSpec(bytes, generate_examples=False, description="a JPEG", media_type="image/jpeg")
Begin = Annotated[float | None, Parameter(description=BEGIN)]
End = Annotated[float | None, Parameter(description=END)]
Rate = Annotated[float | None, Parameter(description=RATE)]


class ClipAnswer(msgspec.Struct, frozen=True):
    """A clip that was understood: its upright size in its own pixels, in which all points are."""

    clip_id: Annotated[str, Meta(description="for `open` over the socket; `CLIP_ID#INDEX` is a frame of it")]
    width: int
    height: int
    times: Annotated[tuple[float, ...], Meta(description="when each frame is shown, in seconds")]
    duration: Annotated[float, Meta(description="when the last one ends, in seconds")]


@post(
    "/api/clips",
    operation_id="clip",
    summary="Upload a clip",
    status_code=200,
    tags=["clips"],
    operation_class=UploadOperation,
    request_max_body_size=MAX_BODY_BYTES,
    responses={
        200: answered(ClipAnswer, "the clip's id, its size, and the times of its frames", CLIP),
        **refused(400, 415, 503),
        413: TOO_LONG,
    },
    exception_handlers={OSError: not_kept_response},
)
async def upload_clip(
    *,
    request: Request[Any, Any, Any],
    predictor: NamedDependency[Predictor],
    limits: NamedDependency[AppLimits],
    begin: Begin = None,
    end: End = None,
    rate: Rate = None,
    provisional: Annotated[bool, Parameter(description=PROVISIONAL)] = False,
) -> ClipAnswer:
    """Keep a clip and return its id; the same bytes always get the same id.

    MP4, MOV, WebM, animated GIF, WebP and PNG are read, a ZIP of pictures, and several pictures in fields of the same
    name: frames, in the order of their names. Frames count as they are decoded, upright, each with its own time.

    A long clip is taken in part: by `begin`, `end` and `rate`, here or at `/api/clips/FILE_ID/parts`. The model begins
    on the first frame at once.
    """
    part = part_of(limits.clip, begin, end, rate)
    clip = await predictor.clips.add(await clip_file(request, limits.clip.max_clip_bytes), part)
    predictor.prepare(frame_source(clip.clip_id, 0), provisional=provisional)
    return told(clip)


@post(
    "/api/clips/{file_id:str}/parts",
    operation_id="clip_part",
    summary="A part of a long clip",
    status_code=200,
    tags=["clips"],
    responses={
        200: answered(ClipAnswer, "the part's id, its size, and the times of its frames", CLIP),
        **refused(400, 404, 503),
        413: TOO_LONG,
    },
)
async def clip_part(
    *,
    file_id: Annotated[str, Parameter(max_length=256, description="what the answer to the upload had")],
    predictor: NamedDependency[Predictor],
    limits: NamedDependency[AppLimits],
    begin: Begin = None,
    end: End = None,
    rate: Rate = None,
) -> ClipAnswer:
    """Return a part of a clip that was sent and is too long as a whole, so that it isn't sent twice."""
    part = part_of(limits.clip, begin, end, rate)
    if part is None:
        raise BadMessageError("expected begin, end or rate of a part, got none of them; add ?begin=0&end=30&rate=5")
    clip = await predictor.clips.part(file_id, part)
    predictor.prepare(frame_source(clip.clip_id, 0))
    return told(clip)


@get(
    "/api/clips/{clip_id:str}/frames/{index:int}",
    operation_id="frame",
    summary="A frame of a clip",
    tags=["clips"],
    opt={UNCOMPRESSED: True},
    responses={200: JPEG, **refused(400, 404, 503)},
)
async def frame(
    clip_id: Annotated[str, Parameter(max_length=256, description="what the upload gave")],
    index: Annotated[int, Parameter(description="from 0")],
    predictor: NamedDependency[Predictor],
) -> Response[bytes]:
    """Return a frame as the model sees it: upright, in sRGB, at most 1280 pixels on its long side."""
    jpeg = await predictor.clips.jpeg(clip_id, index)
    return Response(jpeg, media_type="image/jpeg", headers={"cache-control": KEPT})


def told(clip: OpenClip) -> ClipAnswer:
    """Return what is said of a clip."""
    return ClipAnswer(clip.clip_id, clip.width, clip.height, clip.times_s, clip.duration_s)


def part_of(limits: ClipLimits, begin: float | None, end: float | None, rate: float | None) -> ClipPart | None:
    """Return the part of a clip that is asked for, None for all of it.

    Raises:
        BadMessageError: there is no such part.
    """
    if begin is None and end is None and rate is None:
        return None
    begin = begin or 0.0
    wanted = {
        "begin": begin,
        "end": begin + limits.max_clip_s if end is None else end,
        "rate": ALL if rate is None else rate,
    }
    if not all(map(isfinite, wanted.values())):
        raise BadMessageError(f"expected begin, end and rate of a part of a clip as numbers, got {wanted}")
    try:
        part = msgspec.convert({name: round(number, DIGITS) for name, number in wanted.items()}, ClipPart)
    except msgspec.ValidationError as error:
        raise BadMessageError(
            f"expected begin, end and rate of a part of a clip; {in_words(str(error), ClipPart)}"
        ) from error
    if part.end <= part.begin:
        raise BadMessageError(f"expected a part that ends after it begins, got {part.begin:g} to {part.end:g} s")
    return part
