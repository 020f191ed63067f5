"""Which options each format takes. Pure."""

from __future__ import annotations

from typing import Final

from app.errors import BadMessageError
from app.protocol.fields import ExportFormat
from app.protocol.values import ExportOptions

OF_CUTOUTS: Final = ("trim", "edge", "ground")
OF_POLYGONS: Final = ("tolerance",)
TAKEN: Final[dict[ExportFormat, tuple[str, ...]]] = {
    "cutout": OF_CUTOUTS,
    "coco": OF_POLYGONS,
    "yolo": OF_POLYGONS,
    "labelme": OF_POLYGONS,
    "svg": OF_POLYGONS,
}
"""Options of each format; one that isn't here takes none."""


def check_options(kind: ExportFormat, options: ExportOptions) -> None:
    """Refuse an option that would change nothing.

    Raises:
        BadMessageError: the format doesn't take it.
    """
    plain = ExportOptions()
    given = [name for name in ExportOptions.__struct_fields__ if getattr(options, name) != getattr(plain, name)]
    for name in given:
        if name not in TAKEN.get(kind, ()):
            takers = " and ".join(taker for taker, names in TAKEN.items() if name in names)
            raise BadMessageError(f"{kind} takes no {name}, which is for {takers}; leave it out")
