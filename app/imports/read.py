"""A label file of whatever kind, read for one picture. Takes up to seconds; call it in a worker thread. Pure.

Decision: what doesn't fit is named, and the rest comes in. Context: files of other programs have a line or two that
nobody drew: a point, a box outside, a class that is gone. Choice: an object that can't be is left out with its place
and the reason; only a file that is of another picture, or none at all, is refused. Price: whoever doesn't read what he
is told may miss an object.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import BadMessageError, Reason
from app.imports.archive import PICTURE_ENDINGS, read_archive
from app.imports.documents import read_json
from app.imports.pictures import read_mask
from app.imports.texts import WIDE, text_of
from app.imports.values import LabelCollector
from app.imports.yolo import read_yolo
from app.protocol.fields import MAX_FILE_BYTES
from app.protocol.labels import Labels
from app.session.limits import SessionLimits
from app.session.values import OpenImage

BLANK = b"\xef\xbb\xbf \t\r\n"


def read_labels(
    data: bytes,
    file_name: str,
    image: OpenImage,
    *,
    picture_name: str | None = None,
    names: Sequence[str] = (),
    room: int | None = None,
    limits: SessionLimits | None = None,
) -> Labels:
    """Return the objects that a file has for a picture.

    Args:
        data: the file.
        file_name: its name, by whose ending its kind is told.
        image: the picture.
        picture_name: file name of the picture, by which a data set of several knows it.
        names: of the session's classes, for label files that only have numbers.
        room: objects that there is room for; None for as many as a picture takes.
        limits: of the session.

    Raises:
        BadMessageError: it is no label file, or one of another picture.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadMessageError(
            Reason(
                "file_bytes",
                "expected a label file of at most {most} bytes, got {got}",
                most=MAX_FILE_BYTES,
                got=len(data),
            )
        )
    limits = limits or SessionLimits()
    found = LabelCollector(image, limits.max_objects if room is None else min(room, limits.max_objects), limits)
    ending = file_name.lower().rpartition(".")[2]
    if data.startswith(b"PK\x03\x04"):
        read_archive(data, found, picture_name, names)
        return found.labels()
    if ending in PICTURE_ENDINGS:
        read_mask(data, found, file_name)
        return found.labels()
    data = text_of(data).encode() if data.startswith(WIDE) else data
    if data.lstrip(BLANK)[:1] in (b"{", b"["):
        read_json(data.removeprefix(b"\xef\xbb\xbf"), found, picture_name)
    else:
        read_yolo(text_of(data), found, names)
    return found.labels()
