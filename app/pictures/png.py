"""What lies in a PNG beside its pixels, and the PNG without it.

Decision: only the chunks that make the picture reach the decoder. Context: Pillow refuses a sound picture for much
text, a large profile, or a wrong checksum in a chunk that browsers pass over. Choice: what is needed of the other
chunks is read here, and where one is damaged or unpacks to too much, it alone is lost. Price: chunks are walked twice.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
PICTURE: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
"""Chunks that the decoder gets."""
CRITICAL: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
"""Chunks whose checksum the decoder judges; the others are passed over where it is wrong."""
MAX_UNPACKED: Final = 2**24
"""Bytes of one profile or text that are unpacked."""
GREY: Final = 0
GREY_ALPHA: Final = 4
RGBA: Final = 6
RAW_EXIF: Final = (b"Raw profile type exif", b"Raw profile type APP1")
RAW_XMP: Final = (b"Raw profile type xmp", b"Raw profile type APP1")
XMP: Final = b"XML:com.adobe.xmp"


@dataclass
class Png:
    """A PNG taken apart.

    Attributes:
        picture: a PNG of the chunks that make the picture alone.
        chunks: the first sound chunk of each other kind.
        exif: blocks of EXIF, the file's own before those in texts.
        xmp: packets of XMP.
        profile: the ICC profile, or None.
        depth, color_type: as the header has them, 0 where it is cut.
    """

    picture: bytes = b""
    chunks: dict[bytes, bytes] = field(default_factory=dict)
    exif: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    profile: bytes | None = None
    depth: int = 0
    color_type: int = 0

    @property
    def is_grey(self) -> bool:
        """Whether the picture has no colours."""
        return self.color_type in (GREY, GREY_ALPHA)


def taken_apart(data: bytes) -> Png:
    """Return the parts of a PNG. Damage to the picture itself is left to its decoder."""
    png, raw_exif = Png(), []
    kept = [SIGNATURE]
    read: set[bytes] = set()
    for kind, body, whole in chunks_of(data):
        if kind in PICTURE:
            kept.append(whole)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            key = body.partition(b"\0")[0]
            text = b"" if key in read else text_of(kind, body)  # the first of each name, or many would fill the memory
            read.add(key)
            raw_exif += [block for block in raw_profile(text) if key in RAW_EXIF and not block.startswith(b"http")]
            png.xmp += [text] if key == XMP and text else raw_profile(text) if key in RAW_XMP else []
        else:
            png.chunks.setdefault(kind, body)
        if kind == b"IHDR" and len(body) >= 10:
            png.depth, png.color_type = body[8], body[9]
    png.picture = b"".join(kept)
    own = png.chunks.get(b"eXIf")
    png.exif = ([own] if own is not None else []) + raw_exif
    png.profile = profile_in(png.chunks.get(b"iCCP"))
    return png


def chunks_of(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield kind, body and whole of each chunk up to the end, but for damaged ones that aren't critical."""
    at = len(SIGNATURE)
    while at < len(data):
        head = data[at : at + 8]
        length, kind = (struct.unpack(">I4s", head)) if len(head) == 8 else (0, b"IHDR")  # cut: the decoder says so
        end = at + 12 + length
        whole = data[at:end]
        body = whole[8:-4]
        if kind in CRITICAL or (end <= len(data) and zlib.crc32(kind + body) == int.from_bytes(whole[-4:], "big")):
            yield kind, body, whole
        if kind == b"IEND":
            return
        at = end


def text_of(kind: bytes, body: bytes) -> bytes:
    """Return the text of a text chunk; nothing where it is damaged, unpacks to too much or is of no use."""
    key, _, rest = body.partition(b"\0")
    if key not in (XMP, *RAW_EXIF, *RAW_XMP):
        return b""
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return unpacked(rest[1:]) or b""
    packed, (_, _, text) = rest[:1] == b"\1", split_twice(rest[2:])
    return (unpacked(text) or b"") if packed else text


def split_twice(rest: bytes) -> tuple[bytes, bytes, bytes]:
    """Return language, translated key and text of an iTXt chunk."""
    language, _, rest = rest.partition(b"\0")
    translated, _, text = rest.partition(b"\0")
    return language, translated, text


def raw_profile(text: bytes) -> list[bytes]:
    """Return what ImageMagick has written into a text: a line with a name, one with a length, then hex digits."""
    found = re.match(rb"\s*\S+\s+\d+\s+([0-9A-Fa-f\s]*)", text)
    digits = b"".join(found[1].split()) if found else b""
    return [bytes.fromhex(digits.decode("ascii"))] if digits and len(digits) % 2 == 0 else []


def profile_in(body: bytes | None) -> bytes | None:
    """Return the ICC profile in the body of an iCCP chunk, or None where there is none or it is damaged."""
    return None if body is None else unpacked(body.partition(b"\0")[2][1:])


def unpacked(packed: bytes) -> bytes | None:
    """Return what zlib has packed, None where it is damaged or more than `MAX_UNPACKED`."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, MAX_UNPACKED)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail else data


def halves_as_pixels(png: bytes) -> bytes:
    """Return a PNG of 16 bit grey with alpha as one of 8 bit RGBA: the high and low bytes of each, in turn.

    The two have the same bytes and the same filters, and Pillow keeps only the high bytes of the first.
    """
    head = b"IHDR" + png[16:24] + bytes((8, RGBA)) + png[26:29]
    return png[:12] + head + struct.pack(">I", zlib.crc32(head)) + png[33:]
