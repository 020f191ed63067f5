"""What the documentation shows of the HTTP surface: requests that run as they stand, and replies as they come.

The picture is the bundled photo of a cat, whose id follows from its bytes; the tests send and compare all of this.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

CAT: Final = "static/samples/cat.jpg"
"""The file that the documented upload sends."""
UPLOADED: Final = {"image_id": "aad88ac752889eb11b40e2f3b6d0f47a", "width": 451, "height": 300}
FORMS: Final = {
    "import": f"?image_id={UPLOADED['image_id']}&name=cat.txt' -F 'file=0 .5 .5 .4 .4'",
    "clips": f"' -F file=@{CAT} -F file=@{CAT}",
}
"""How curl goes on where a form isn't a picture's, by the last part of the path: labels of YOLO, frames of a clip."""
CLIP: Final = {
    "clip_id": "clip-662fea3e06f6d52b702aa003a329d5c5",
    "width": 451,
    "height": 300,
    "times": [0.0, 0.04],
    "duration": 0.08,
}
"""The answer to the documented clip, of two frames that are alike."""
SEGMENT_REQUESTS: Final = [
    Example(
        summary="A point on the object",
        value={"image_id": UPLOADED["image_id"], "points": [{"x": 210, "y": 120, "label": 1}]},
    ),
    Example(
        summary="A box, and a point off the object",
        value={
            "image_id": UPLOADED["image_id"],
            "points": [{"x": 130, "y": 60, "label": 0}],
            "box": [60, 20, 400, 280],
        },
    ),
]
SEGMENTED: Final = {
    "masks": [
        {
            "rle": {"counts": [1, 2, 2, 1, 6], "size": [3, 4]},
            "bbox": [1, 0, 2, 1],
            "score": 0.97,
            "area": 3,
        }
    ],
    "image_id": UPLOADED["image_id"],
}
"""As a picture of 4 x 3 pixels would be answered, one candidate of the three."""
HEALTH: Final = {"status": "ok", "model": "nano", "device": "cpu"}


def answered(kind: type[msgspec.Struct], description: str, example: dict[str, Any]) -> ResponseSpec:
    """Return how a reply that went well is documented."""
    # Litestar would write an example's id into the schema, where OpenAPI knows no such field.
    return ResponseSpec(kind, generate_examples=False, description=description, examples=[Example(value=example)])
