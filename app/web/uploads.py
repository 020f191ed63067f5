"""`POST /api/upload`: a picture comes in, its id goes out. The bytes that came in are never sent out again."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import Parameter
from msgspec import Meta

from app.errors import ImageTooLargeError, Reason
from app.service.predictor import Predictor
from app.settings import Settings
from app.web.examples import UPLOADED, answered
from app.web.forms import UploadOperation, picture_file
from app.web.problems import not_kept_response, refused

CHUNK_BYTES = 2**16
"""How much of a file is read before its size is looked at again."""
ORIENTATION: Final = "EXIF's number, 1 to 8, of the turn that the stored pixels need; left out for 1"
RENDERED: Final = "true where browsers show the file not at all or otherwise: show /api/pictures/IMAGE_ID instead"
PROVISIONAL: Final = "true lets nano see the picture first, for an `open` over the socket that says the same"


class Uploaded(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture that was understood; sizes of the upright picture in pixels."""

    image_id: str
    width: int
    height: int
    orientation: Annotated[int, Meta(description=ORIENTATION)] = 1
    rendered: Annotated[bool, Meta(description=RENDERED)] = False


@post(
    "/api/upload",
    operation_id="upload",
    summary="Upload a picture",
    status_code=200,
    tags=["pictures"],
    operation_class=UploadOperation,
    responses={
        200: answered(Uploaded, "the picture's id, and its size upright", UPLOADED),
        **refused(400, 413, 415, 503),
    },
    exception_handlers={OSError: not_kept_response},
)
async def upload(
    request: Request[Any, Any, Any],
    predictor: NamedDependency[Predictor],
    settings: NamedDependency[Settings],
    provisional: Annotated[bool, Parameter(description=PROVISIONAL)] = False,
) -> Uploaded:
    """Keep a picture and return its id; the same bytes always get the same id.

    JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF are read, and HEIC where `pillow-heif` is installed.

    The model begins on the picture at once, so that the first click finds it encoded.
    """
    info = await predictor.pictures.add(await read_file(await picture_file(request), settings.max_upload_bytes))
    predictor.prepare(info.image_id, provisional=provisional)
    return Uploaded(info.image_id, info.width, info.height, info.orientation, info.rendered)


async def read_file(file: UploadFile, max_bytes: int) -> bytes:
    """Return the bytes of an upload.

    Raises:
        ImageTooLargeError: there are more than `max_bytes`.
    """
    pieces, size = [], 0
    try:
        while piece := await file.read(CHUNK_BYTES):
            size += len(piece)
            if size > max_bytes:
                raise ImageTooLargeError(
                    Reason(
                        "picture_bytes", "a picture may have {most} bytes, got more; save it smaller", most=max_bytes
                    )
                )
            pieces.append(piece)
    finally:
        await file.close()
    return b"".join(pieces)
