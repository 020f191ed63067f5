"""Animations and ZIPs of pictures, decoded by Pillow frame by frame."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import IO, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from PIL import Image as Pil

from app.clips.limits import ClipLimits
from app.clips.shaping import Shaped, check_pixels, shaped
from app.errors import CorruptImageError, HoverError, Reason, UnsupportedImageError
from app.pictures.color import to_srgb
from app.pictures.limits import PictureLimits, ShapeLimits
from app.pictures.reading import over_white, read_picture

BROWSERS_S: Final = 0.1
"""What browsers show a frame for that says it is shown for no time, or for a hundredth of a second."""
FOLDER_RATE: Final = 25.0
"""Frames a second of pictures that say nothing of it."""
MAX_MEMBERS: Final = 20_000
MAX_NAME_CHARS: Final = 200
"""Of a file in a ZIP, as it is told."""
MAX_DIGITS: Final = 18
"""Of a number in a name: dates to the microsecond have less."""
MAX_MEMBER_BYTES: Final = 64 * 2**20


def animation_frames(file: IO[bytes], kind: str, limits: ClipLimits) -> Iterator[Shaped]:
    """Give the frames of an animated GIF, WebP or PNG, over white.

    Raises:
        TooManyPixelsError: by what its header states.
        UnsupportedImageError: it isn't animated.
        CorruptImageError: cut or damaged.
    """
    try:
        with Pil.open(file, formats=(kind,)) as picture:
            check_pixels(*picture.size, limits)
            count = getattr(picture, "n_frames", 1)
            if count < 2:
                raise UnsupportedImageError(
                    Reason("clip_one", "this {kind} has one frame; open it as a picture", kind=kind)
                )
            begins = 1 if getattr(picture, "default_image", False) else 0  # shown by who knows no animated PNG
            profile, time_s = picture.info.get("icc_profile"), 0.0
            for index in range(begins, count + begins if kind == "PNG" and begins else count):
                picture.seek(index)
                picture.load()
                shown_s = float(picture.info.get("duration") or 0) / 1000
                shown_s = BROWSERS_S if shown_s <= 0.01 else shown_s
                rgba = picture.convert("RGBA")
                flat = to_srgb(over_white(rgba.convert("RGB"), rgba.getchannel("A")), profile)
                yield shaped(flat, time_s, shown_s, count - begins)
                time_s += shown_s
    except HoverError:
        raise
    except Exception as error:  # parsers raise many kinds on damaged data
        text = "the {kind} is cut or damaged ({cause}); save it again"
        raise CorruptImageError(Reason("clip_cut", text, kind=kind, cause=str(error)[:80])) from error


def zip_frames(file: IO[bytes], limits: ClipLimits) -> Iterator[Shaped]:
    """Give the pictures of a ZIP in the order of their names, numbers in them by their value.

    Raises:
        UnsupportedImageError: there are none in it, only one, or they aren't of one size.
        HoverError: one of them is refused, which is named.
    """
    bounds = PictureLimits(MAX_MEMBER_BYTES, limits.max_clip_pixels, ShapeLimits())
    try:
        with ZipFile(file) as archive:
            members = frames_in(archive)
            size_wh: tuple[int, int] | None = None
            for place, member in enumerate(members):
                if member.file_size > MAX_MEMBER_BYTES:
                    text = "{name} is too large for a frame; save it smaller"
                    raise UnsupportedImageError(Reason("clip_frame_bytes", text, name=member.filename[:MAX_NAME_CHARS]))
                try:
                    picture = read_picture(archive.read(member), bounds)
                except HoverError as error:
                    text = "frame {name}: {cause}"
                    told = Reason("clip_frame", text, name=member.filename[:MAX_NAME_CHARS], cause=error.message)
                    raise type(error)(told) from error
                size_wh = size_wh or (picture.width, picture.height)
                if (picture.width, picture.height) != size_wh:
                    raise UnsupportedImageError(
                        Reason(
                            "clip_frame_size",
                            "expected frames of one size, {width} x {height}, got {got_width} x {got_height} in "
                            "{name}; scale them alike",
                            width=size_wh[0],
                            height=size_wh[1],
                            got_width=picture.width,
                            got_height=picture.height,
                            name=member.filename[:MAX_NAME_CHARS],
                        )
                    )
                flat = Pil.fromarray(picture.working)
                yield shaped(flat, place / FOLDER_RATE, 1 / FOLDER_RATE, len(members), size_wh)
    except HoverError:
        raise
    except (BadZipFile, EOFError, RuntimeError, zlib.error) as error:  # locked, or packed in a way that isn't read, too
        raise CorruptImageError(Reason("clip_cut", "the ZIP is cut or damaged; pack it again")) from error


def frames_in(archive: ZipFile) -> list[ZipInfo]:
    """Return the pictures of an archive in their order.

    Raises:
        UnsupportedImageError: there are too few of them, or too many files.
    """
    if len(archive.infolist()) > MAX_MEMBERS:
        text = "a ZIP of frames may have {most} files; pack fewer"
        raise UnsupportedImageError(Reason("clip_files", text, most=MAX_MEMBERS))
    pictures = re.compile(r"(?!.*(^|/)[._])[^\\]*\.(jpe?g|png|webp|bmp|tiff?|gif|avif)", re.IGNORECASE)
    found = [member for member in archive.infolist() if pictures.fullmatch(member.filename)]
    if len(found) < 2:
        text = "expected a ZIP or a folder with at least two pictures, its frames, got {got}"
        raise UnsupportedImageError(Reason("clip_few", text, got=len(found)))
    return sorted(found, key=lambda member: natural(member.filename))


def natural(name: str) -> list[tuple[int, str]]:
    """Return what puts frame2 before frame10."""
    parts = re.split(rf"(\d{{1,{MAX_DIGITS}}})", name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
