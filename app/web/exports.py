"""`POST /api/export`: prompts on a picture come in, a file of their masks goes out. Nothing is remembered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, Parameter
from litestar.response import Stream
from msgspec import Meta

from app.errors import BadMessageError, TooManyObjectsError
from app.exports.files import PIECE_BYTES, ExportFile
from app.exports.options import check_options
from app.exports.selection import ExportObject, Selection
from app.limits import AppLimits
from app.protocol.fields import MAX_CLASSES, BoxXyxy, ExportFormat, FileName, Name, WindowXyxy
from app.protocol.recipe import Trail
from app.protocol.values import Class, ExportOptions
from app.service.answers import export_object
from app.service.exporter import FILES_PATH
from app.service.predictor import Predictor
from app.service.shared_state import SharedState
from app.session.checks import check_room, check_trail
from app.session.classes import ClassList
from app.session.contrast import visible_color
from app.session.limits import SessionLimits
from app.session.names import unnamed
from app.session.objects import SessionObject
from app.session.query import Query
from app.session.values import OpenImage
from app.settings import Settings
from app.web.examples import UPLOADED
from app.web.problems import problem_spec, refused, unreadable_handlers
from app.web.segment import UNCOMPRESSED, Point, SegmentRequest, item_of

MAX_BODY_BYTES: Final = 2**20
"""As many objects and points as a session may have take a few hundred KB of JSON."""
LONE_SURROGATES: Final = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
"""Halves of characters in JSON; the group is what only looks like one."""


class ExportHttpRequest(Request[Any, Any, Any]):
    """A request whose JSON may have halves of characters in a name, as Python writes one on disk that is no text."""

    async def body(self) -> bytes:
        """Return the body without them: they stand for nothing that could be read."""
        return LONE_SURROGATES.sub(rb"\1", await super().body())


class ExportedObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object by its prompt, as `/api/segment` takes it: points, a box, or both; or by its whole trail."""

    points: Annotated[list[Point], Meta(max_length=4096, description="may be left out where there is a box")] = []
    box: Annotated[BoxXyxy | None, Meta(description="[x0, y0, x1, y1], x0 < x1 and y0 < y1")] = None
    trail: Annotated[
        Trail | None,
        Meta(description="in place of both: every step, as in a recipe, given masks and strokes too"),
    ] = None
    window: Annotated[WindowXyxy | None, Meta(description="as in `/api/segment`; steps of a trail have their own")] = (
        None
    )
    name: Annotated[Name, Meta(description="its class")] = ""


class ExportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture, a format, and the objects."""

    image_id: Annotated[Name, Meta(description="what the upload gave")]
    format: Annotated[ExportFormat, Meta(description="of the file")]
    objects: Annotated[list[ExportedObject], Meta(max_length=4096)]
    name: Annotated[FileName | None, Meta(description="file name of the picture, which label files repeat")] = None
    classes: Annotated[
        list[Name | Class],
        Meta(
            max_length=MAX_CLASSES,
            description="every class in its order, whether or not it is here: names, or each with the color of its "
            "objects; a name that isn't in it is refused. Without it, classes are numbered as the objects come",
        ),
    ] = []
    options: Annotated[ExportOptions, Meta(description="how the file is made; all may be left out")] = ExportOptions()


EXAMPLE: Final = Example(
    summary="The cat, cut out",
    value={
        "image_id": UPLOADED["image_id"],
        "format": "cutout",
        "objects": [{"name": "cat", "points": [{"x": 210, "y": 120, "label": 1}]}],
        "name": "cat.jpg",
    },
)
FILE: Final = ResponseSpec(
    bytes,
    generate_examples=False,
    description="the file; its name is in Content-Disposition",
    media_type="application/octet-stream",
)


@post(
    "/api/export",
    operation_id="export",
    summary="A file of masks",
    status_code=200,
    tags=["masks"],
    request_class=ExportHttpRequest,
    request_max_body_size=MAX_BODY_BYTES,
    opt={UNCOMPRESSED: True},
    exception_handlers=unreadable_handlers(),
    responses={200: FILE, **refused(400, 404, 413, 500, 503)},
)
async def export(
    data: Annotated[ExportRequest, BodyKwarg(media_type=RequestEncodingType.JSON, examples=[EXAMPLE])],
    predictor: NamedDependency[Predictor],
    shared_state: NamedDependency[SharedState],
    settings: NamedDependency[Settings],
    limits: NamedDependency[AppLimits],
) -> Stream:
    """Return a file of objects at the picture's own size, each with the mask that the page keeps for its prompt.

    `coco` and `labelme` are JSON, `svg` a drawing, `yolo` a ZIP, `mask` a PNG, or a ZIP where there are several
    objects; `cutout` and `overlay` are PNG, `recipe` a JSON that makes the objects again.
    """
    check_options(data.format, data.options)
    image = await predictor.sources.info(data.image_id)
    bounds = limits.session
    if len(data.objects) > bounds.max_objects:
        raise TooManyObjectsError(f"a file takes {bounds.max_objects} objects, got {len(data.objects)}; send fewer")
    items = [exported(asked, image, bounds) for asked in data.objects]
    check_room(items, bounds)
    named_items = [
        numbered(item, number, asked.name)
        for number, (asked, item) in enumerate(zip(data.objects, items, strict=True), 1)
    ]
    classes = ClassList().replaced(data.classes).covering(named_items)
    objects: list[ExportObject] = []
    for named, asked in zip(named_items, data.objects, strict=True):
        query = Query(0, named)
        if asked.window is None:  # a trail is made again as it was
            answered = named.answered(await predictor.answer(image, query))
        else:
            query, answer = await predictor.answer_whole(image, query)
            answered = query.subject.answered(answer)
        used = (shown.item.color for shown in objects)
        color = visible_color(named.color, image, answered.shown[answered.chosen], used)
        objects.append(export_object(replace(answered, color=color), image, settings.speck_share))
    pixels = shared_state.exporter.pixels(data.format, image)
    selection = Selection(image, data.name, predictor.model, tuple(objects), pixels, classes, data.options)
    file = await shared_state.exporter.make(data.format, selection)
    return streamed(file)


@get(
    f"/{FILES_PATH}/{{name:str}}",
    operation_id="file",
    summary="A file that was too large for a message",
    tags=["masks"],
    opt={UNCOMPRESSED: True},
    responses={200: FILE, 404: problem_spec("NOT_FOUND", "the file isn't kept (any more): export it again")},
)
async def exported_file(
    name: Annotated[str, Parameter(max_length=64, description="from the `url` of a `file` message")],
    shared_state: NamedDependency[SharedState],
) -> Stream:
    """Return a file that a session has exported; the socket's `file` message has its address, for two minutes."""
    file = await shared_state.exporter.parked.get(name)
    if file is None:
        raise NotFoundException(detail="this file isn't kept on the server (any more); export it again")
    return streamed(file)


def streamed(file: ExportFile) -> Stream:
    """Return a file as an answer that is read from the disk as fast as it is taken."""

    async def pieces() -> AsyncIterator[bytes]:
        for offset in range(0, file.content.nbytes, PIECE_BYTES):
            yield await asyncio.to_thread(file.content.read_at, offset, PIECE_BYTES)

    headers = {"content-disposition": disposition(file.name), "content-length": str(file.content.nbytes)}
    return Stream(pieces(), media_type=file.media_type, headers=headers)


def exported(asked: ExportedObject, image: OpenImage, limits: SessionLimits) -> SessionObject:
    """Return an object by what makes it; raises as `item_of`, `check_trail`."""
    if asked.trail is None:
        return item_of(SegmentRequest(image.image_id, asked.points, asked.box, window=asked.window), image, limits)
    if asked.points or asked.box is not None or asked.window is not None:
        raise BadMessageError("expected a trail, or points, a box and a window; got both")
    item = SessionObject(id=0, name="", color=0, trail=asked.trail)
    check_trail(item, image, limits)
    return item


def numbered(item: SessionObject, number: int, name: str) -> SessionObject:
    """Return an object as the session would number, name and colour it."""
    return replace(item, id=number, name=name or unnamed(number), color=number - 1)


def disposition(name: str) -> str:
    """Return the header that has a browser save a file, never show it."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
