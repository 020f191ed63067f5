"""`POST /api/import`: a label file comes in, the objects that it has for a picture go out. Nothing is remembered."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from litestar import MediaType, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import Parameter
from msgspec import json

from app.errors import BadMessageError
from app.imports.read import read_labels
from app.limits import AppLimits
from app.protocol.fields import MAX_FILE_BYTES
from app.protocol.labels import Labels
from app.service.predictor import Predictor
from app.settings import Settings
from app.web.examples import UPLOADED, answered
from app.web.forms import UploadOperation, file_of
from app.web.problems import refused
from app.wording import in_words

MAX_CLASSES_CHARS: Final = 2**18
LABELS: Final = {
    "objects": [{"trail": [{"t": "mask", "size": [3, 4], "counts": "321O4"}], "name": "cat"}],
    "classes": ["cat"],
    "problems": [{"where": "line 3", "why": "expected numbers, got 'cat'"}],
    "left_out": 1,
}


@post(
    "/api/import",
    operation_id="import",
    summary="The objects in a label file",
    status_code=200,
    tags=["masks"],
    operation_class=UploadOperation,
    responses={
        200: answered(Labels, "objects for a `give` message or an export, and what didn't fit", LABELS),
        **refused(400, 404, 413, 503),
    },
)
async def import_labels(
    *,
    request: Request[Any, Any, Any],
    predictor: NamedDependency[Predictor],
    settings: NamedDependency[Settings],
    limits: NamedDependency[AppLimits],
    image_id: Annotated[str, Parameter(description=f"what the upload gave, as {UPLOADED['image_id']}", max_length=256)],
    name: Annotated[str, Parameter(description="of the file; its ending tells the kind", max_length=4096)],
    picture: Annotated[str | None, Parameter(description="file name of the picture", max_length=4096)] = None,
    classes: Annotated[
        str, Parameter(description="JSON list of names, for YOLO labels alone", max_length=MAX_CLASSES_CHARS)
    ] = "[]",
    room: Annotated[int | None, Parameter(description="objects that there is room for", ge=0, le=4096)] = None,
) -> Response[bytes]:
    """Return what a file has for a picture: COCO, LabelMe or recipe JSON, YOLO labels, a mask, or a ZIP of these.

    Polygons and masks are given masks at the picture's own size, boxes are prompts, a recipe's objects their whole
    trails. What doesn't fit is named with its place and the reason, and the rest comes in; a file of another picture is
    refused.
    """
    image = await predictor.sources.info(image_id)
    data = await file_of(request, min(MAX_FILE_BYTES, settings.max_upload_bytes))
    labels = await asyncio.to_thread(
        read_labels,
        data,
        name,
        image,
        picture_name=picture,
        names=names_in(classes),
        room=room,
        limits=limits.session,
    )
    return Response(json.encode(labels), media_type=MediaType.JSON)


def names_in(text: str) -> list[str]:
    """Return the names in a JSON list.

    Raises:
        BadMessageError: it is none.
    """
    try:
        return json.decode(text, type=list[str])
    except ValueError as error:
        raise BadMessageError(
            f"expected classes as a JSON list of names; {in_words(str(error), list[str])[:100]}"
        ) from error
