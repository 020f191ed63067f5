"""The form of an upload: a picture in the field `file`, under whatever name its disk has it.

Decision: the form is read here. Context: Litestar takes names for UTF-8 and a part without a plain one for text, so
that it refuses what curl sends of a name in Latin-1, and breaks on RFC 5987's. Choice: nobody looks at the name, so
headers are read as bytes. Price: the field is described for the documentation by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.datastructures import UploadFile
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from app.errors import BadMessageError, ImageTooLargeError, Reason

FIELD: Final = "file"
MAX_PARTS: Final = 16
"""Fields of a form; all but one are passed over."""
SPOOLED_BYTES: Final = 2**20
"""A larger file waits on disk while it comes."""


@dataclass
class UploadOperation(Operation):
    """A route that takes the form, as the documentation tells it."""

    def __post_init__(self) -> None:
        picture = Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream")
        form = Schema(type=OpenAPIType.OBJECT, properties={FIELD: picture}, required=[FIELD])
        self.request_body = RequestBody({"multipart/form-data": OpenAPIMediaType(form)}, required=True)


async def file_of(request: Request[Any, Any, Any], max_bytes: int) -> bytes:
    """Return the bytes of the file in a form.

    Raises:
        BadMessageError: see `picture_file`.
        ImageTooLargeError: it has more bytes than it may.
    """
    file = await picture_file(request)
    try:
        data = await file.read(max_bytes + 1)
    finally:
        await file.close()
    if len(data) > max_bytes:
        raise ImageTooLargeError(
            Reason(
                "file_bytes",
                "the file may have {most} bytes, got more; take what isn't needed out of it",
                most=max_bytes,
            )
        )
    return data


async def picture_file(request: Request[Any, Any, Any]) -> UploadFile:
    """Return the picture in a form, from its first byte; the caller closes it.

    Raises:
        BadMessageError: no form, one that is cut short, or one without exactly one picture in its field.
    """
    files: list[UploadFile] = []
    try:
        await read_into(files, request)
        if len(files) != 1:
            raise BadMessageError(f"expected one picture in the field {FIELD!r} of a form, got {len(files)}")
        await files[0].seek(0)
    except BaseException as error:
        for file in files:
            await file.close()
        if isinstance(error, MultipartError):
            raise BadMessageError(f"expected multipart/form-data, got what can't be read: {error}") from error
        raise
    return files[0]


async def read_into(files: list[UploadFile], request: Request[Any, Any, Any]) -> None:
    """Read every file of a form's field.

    Raises:
        MultipartError: no form, or one that is cut short.
    """
    boundary = request.content_type[1].get("boundary", "").encode()
    with PushMultipartParser(boundary, header_charset="latin-1", max_segment_count=MAX_PARTS) as parser:
        is_picture = False
        async for chunk in request.stream():
            for piece in parser.parse(chunk) if chunk else ():
                if isinstance(piece, MultipartSegment):
                    is_picture = piece.name == FIELD
                    if is_picture:
                        files.append(UploadFile("", "", max_spool_size=SPOOLED_BYTES))
                elif piece and is_picture:
                    await files[-1].write(piece)
