"""Whether all of a video came, by what its outermost parts say of their lengths. Pure.

A decoder takes what is there for all there is, so that a file that was cut would be a shorter clip.
"""

from __future__ import annotations

from mmap import mmap
from typing import Final

from app.clips.kinds import ClipKind
from app.errors import CorruptImageError, Reason

SEGMENT: Final = b"\x18\x53\x80\x67"
"""The identifier of the part of a Matroska or WebM file that holds everything."""
BOX_HEAD_BYTES: Final = 8
LONG_BOX_HEAD_BYTES: Final = 16


def check_whole(data: bytes | mmap, kind: ClipKind) -> None:
    """Refuse a video that ends before its parts do.

    Raises:
        CorruptImageError: so it does.
    """
    end = end_of_boxes(data) if kind == "mov" else end_of_segment(data) if kind == "matroska" else 0
    if end > len(data):
        text = "the video is cut: of {most} bytes {got} are there; send it whole"
        raise CorruptImageError(Reason("clip_cut", text, most=end, got=len(data)))


def end_of_boxes(data: bytes | mmap) -> int:
    """Return where the last box of an MP4 or MOV ends that looks like one."""
    at = 0
    while at + BOX_HEAD_BYTES <= len(data) and data[at + 4 : at + 8].isalnum():
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + LONG_BOX_HEAD_BYTES], "big")
        if length < BOX_HEAD_BYTES:  # 0 is a box up to the end of the file
            return len(data)
        at += length
    return at


def end_of_segment(data: bytes | mmap) -> int:
    """Return where the segment of a Matroska or WebM file ends; 0 where it doesn't say, as in a live recording."""
    at = data.find(SEGMENT, 0, 4096)
    if at < 0 or at + len(SEGMENT) >= len(data):
        return 0
    begin, first = at + len(SEGMENT), data[at + len(SEGMENT)]
    count = 9 - first.bit_length()  # of bytes: as many as there are zeros before the first one
    if count > BOX_HEAD_BYTES:
        return 0
    length = int.from_bytes(data[begin : begin + count], "big") - (1 << 7 * count)
    return 0 if length == (1 << 7 * count) - 1 else begin + count + length
