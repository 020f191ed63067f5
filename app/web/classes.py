"""`POST /api/classes`: the list of classes in another program's file, read for whoever can't read it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import msgspec
from litestar import post
from litestar.enums import RequestEncodingType
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from msgspec import Meta

from app.protocol.fields import FileName
from app.session.class_files import MAX_TEXT_BYTES, read_classes
from app.web.examples import answered
from app.web.problems import refused, unreadable_handlers

MAX_BODY_BYTES: Final = 2 * MAX_TEXT_BYTES
"""JSON takes two bytes for the end of a line or a quote."""


class ClassesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that lists classes."""

    name: Annotated[
        FileName, Meta(description="its name: .json is COCO, .yaml YOLO's data.yaml, another a name a line")
    ]
    text: Annotated[
        str, Meta(max_length=MAX_TEXT_BYTES, description="what is in it; of COCO the categories are enough")
    ]


class ClassNames(msgspec.Struct, frozen=True):
    """Classes in the order of the file, which is that of their numbers."""

    classes: list[str]


EXAMPLE: Final = Example(
    summary="A list of YOLO's",
    value={"name": "data.yaml", "text": "names:\n  0: cat\n  1: eye\n"},
)


@post(
    "/api/classes",
    operation_id="classes",
    summary="The classes in a file",
    status_code=200,
    tags=["masks"],
    request_max_body_size=MAX_BODY_BYTES,
    exception_handlers=unreadable_handlers(),
    responses={200: answered(ClassNames, "the names, in their order", {"classes": ["cat", "eye"]}), **refused(400)},
)
async def classes(
    data: Annotated[ClassesFile, BodyKwarg(media_type=RequestEncodingType.JSON, examples=[EXAMPLE])],
) -> ClassNames:
    """Return the classes of a `classes.txt`, a `data.yaml` or a COCO file, as `classes` of an export takes them.

    What isn't a list of classes is refused, with the line and what is wrong there: were a line passed over, all classes
    after it would have other numbers.
    """
    return ClassNames(list(await asyncio.to_thread(read_classes, data.text.encode(), data.name)))
