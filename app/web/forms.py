"""The form of an upload: a picture in the field `file`, under whatever name its disk has it.

Decision: the form is read here. Context: Litestar takes names for UTF-8 and a part without a plain one for text, so
that it refuses what curl sends of a name in Latin-1, and breaks on RFC 5987's. Choice: nobody looks at the name, so
headers are read as bytes. Price: the field is described for the documentation by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Any, Final

from litestar import Request
from litestar.datastructures import UploadFile
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from app.clips import ClipFile
from app.clips.animation import natural
from app.clips.file import too_many_bytes
from app.clips.folder import zipped
from app.errors import BadMessageError, ImageTooLargeError, Reason

FIELD: Final = "file"
MAX_PARTS: Final = 16
"""Fields of a form; all but one are passed over."""
MAX_FRAMES: Final = 20_000
"""Files of a form that are the frames of a clip, before a part of it is chosen."""
SPOOLED_BYTES: Final = 2**20
"""A larger file waits on disk while it comes."""
COPIED_BYTES: Final = 2**20
"""How much of a clip is in memory while it is copied."""
FORM_BYTES: Final = 2**23
"""What a form, or a ZIP, of so many frames adds to their bytes."""


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


@dataclass(frozen=True)
class FormFile:
    """A file of a form: its name there, and where its bytes lie among those of all files."""

    name: str
    begin: int
    end: int


async def clip_file(request: Request[Any, Any, Any], max_bytes: int) -> ClipFile:
    """Return the clip in a form: its one file, or several that are its frames, in the order of their names.

    Raises:
        BadMessageError: no form, one that is cut short, or one without a file in its field.
        ImageTooLargeError: more bytes than a clip may have.
        UnsupportedImageError: an empty file.
        OSError: the disk takes them not.
    """
    together = UploadFile("", "", max_spool_size=SPOOLED_BYTES)
    try:
        files = await read_together(together, request, max_bytes)
        if not files:
            raise BadMessageError(f"expected a clip in the field {FIELD!r} of a form, or its frames, got nothing")
        return await asyncio.to_thread(clip_of, together.file, files, max_bytes)
    except MultipartError as error:
        raise unreadable(error) from error
    finally:
        await together.close()


def clip_of(together: IO[bytes], files: list[FormFile], max_bytes: int) -> ClipFile:
    """Return a clip's file by what a form has, whose files lie one after the other; raises as `clip_file`."""

    def bytes_of(file: FormFile) -> Iterator[bytes]:
        together.seek(file.begin)
        for at in range(file.begin, file.end, COPIED_BYTES):
            yield together.read(min(COPIED_BYTES, file.end - at))

    if len(files) == 1:
        return ClipFile.of(bytes_of(files[0]), max_bytes)
    ordered = sorted(files, key=lambda file: natural(file.name))
    with zipped((file.name, bytes_of(file)) for file in ordered) as archive:
        return ClipFile.of(iter(partial(archive.read, COPIED_BYTES), b""), max_bytes + FORM_BYTES)


async def read_together(together: UploadFile, request: Request[Any, Any, Any], max_bytes: int) -> list[FormFile]:
    """Write every file of a form's field one after the other; return which is where.

    Raises:
        MultipartError: no form, or one that is cut short.
        ImageTooLargeError: they have too many bytes together.
    """
    files: list[FormFile] = []
    async for piece in pieces_of(request, MAX_FRAMES + MAX_PARTS):
        if isinstance(piece, MultipartSegment):
            end = files[-1].end if files else 0
            files.append(FormFile(piece.filename or "", end, end))
        else:
            files[-1] = replace(files[-1], end=files[-1].end + len(piece))
            if files[-1].end > max_bytes:
                raise too_many_bytes(max_bytes)
            await together.write(piece)
    return files


def unreadable(error: MultipartError) -> BadMessageError:
    """Return what is said of a body that is no form."""
    return BadMessageError(f"expected multipart/form-data, got what can't be read: {error}")


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
            raise unreadable(error) from error
        raise
    return files[0]


async def read_into(files: list[UploadFile], request: Request[Any, Any, Any]) -> None:
    """Read every file of a form's field.

    Raises:
        MultipartError: no form, or one that is cut short.
    """
    async for piece in pieces_of(request, MAX_PARTS):
        if isinstance(piece, MultipartSegment):
            files.append(UploadFile("", "", max_spool_size=SPOOLED_BYTES))
        else:
            await files[-1].write(piece)


async def pieces_of(request: Request[Any, Any, Any], max_parts: int) -> AsyncIterator[MultipartSegment | bytes]:
    """Give the head of each file in a form's field, and after it the pieces of that file.

    Raises:
        MultipartError: no form, or one that is cut short.
    """
    boundary = request.content_type[1].get("boundary", "").encode()
    with PushMultipartParser(boundary, header_charset="latin-1", max_segment_count=max_parts) as parser:
        is_wanted = False
        async for chunk in request.stream():
            for piece in parser.parse(chunk) if chunk else ():
                if isinstance(piece, MultipartSegment):
                    is_wanted = piece.name == FIELD
                    if is_wanted:
                        yield piece
                elif piece and is_wanted:
                    yield bytes(piece)
