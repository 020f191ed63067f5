"""`GET /api/pictures/IMAGE_ID`: a picture for pages whose browser can't show the file, or shows it otherwise.

Decision: pixels are served, never bytes. Context: browsers don't show TIFF, and 12 bits of grey as black. Choice: a
PNG or JPEG made of the pixels that were segmented, for who knows the picture's id, which only its bytes give. Price: a
second decoding, for the few pictures that need it; the browser keeps what it got.
"""

from __future__ import annotations

from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from app.service.predictor import Predictor
from app.web.problems import refused
from app.web.segment import UNCOMPRESSED

KEPT: Final = "private, max-age=3600"
"""A picture's name is the hash of its bytes, so that what was shown stays right; it is one person's alone."""
PIXELS: Final = ResponseSpec(
    bytes, generate_examples=False, description="a PNG, or a JPEG of a large picture", media_type="image/png"
)


@get(
    "/api/pictures/{image_id:str}",
    operation_id="rendition",
    summary="A picture as every browser shows it",
    tags=["pictures"],
    opt={UNCOMPRESSED: True},
    responses={200: PIXELS, **refused(404, 503)},
)
async def rendition(
    image_id: Annotated[str, Parameter(max_length=256, description="what the upload gave")],
    predictor: NamedDependency[Predictor],
) -> Response[bytes]:
    """Return a picture that was uploaded as it was understood: upright, in sRGB, at its own size.

    Needed where the upload says `rendered`: for TIFF and HEIC, and for 16 bit grey that is stretched to be seen.
    """
    shown = await predictor.pictures.rendition(image_id)
    return Response(shown.data, media_type=shown.media_type, headers={"cache-control": KEPT})
