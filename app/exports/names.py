"""Names that people and their disks chose: repeated as they are, and made fit for the files that we write. Pure.

Decision: the picture's own name, character for character. Context: loaders find a picture by the name that a label
file repeats, or by the stem that both have, and compare bytes: a space that is another, or a letter composed anew, is
another file. Choice: out of a name goes only what hides what it says or can't be written; a file of ours differs from
the picture's stem only where a system forbids that. Price: names that look odd stay odd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from app.session.names import NEVER_IN_NAMES, class_name
from app.session.objects import SessionObject
from app.session.values import OpenImage

MAX_FILE_NAME_BYTES: Final = 255
"""Longest name of a file on Linux; macOS and Windows, which count characters, take as many."""
FORBIDDEN_IN_FILE_NAMES: Final = re.compile(r'[<>:"|?*/\\]')
"""On Windows; a browser puts something else in their place everywhere."""
DEVICE: Final = re.compile(r"(con|prn|aux|nul|con(in|out)\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\..*)?", re.IGNORECASE)
"""What Windows takes for a device, whatever its ending."""


def picture_name(name: str | None, image: OpenImage) -> str:
    """Return the file name of a picture as its disk has it, without a folder, by which a label file finds it."""
    last = re.split(r"[/\\]", NEVER_IN_NAMES.sub("", name or ""))[-1]
    return last if last.strip(". ") else fallback(image)


def fallback(image: OpenImage) -> str:
    """Return the name of a picture that came without one."""
    return f"picture-{image.image_id[:8]}"


def file_name(name: str | None, image: OpenImage, ending: str) -> str:
    """Return the name of a file that belongs to a picture: the picture's stem and an ending, fit for every system.

    Args:
        name: the picture's name as the client gave it, if it did.
        image: the picture.
        ending: such as `.txt`; it begins with a dot.
    """
    whole = picture_name(name, image)
    stem, room = fit_for_files(whole.rpartition(".")[0] or whole), MAX_FILE_NAME_BYTES - len(ending)
    if len(stem.encode()) > room:  # what was cut off told it from its neighbours
        mark = f"-{image.image_id[:8]}"
        stem = clipped(stem, room - len(mark)) + mark
    return stem + ending


def label_name(name: str | None, image: OpenImage, ending: str) -> str:
    """Return the name of a file that loaders look for beside a picture, as `file_name`, but as long as the picture's.

    macOS and Windows count characters: where the picture's name has room, its label's has too.
    """
    whole = picture_name(name, image)
    label = fit_for_files(whole.rpartition(".")[0] or whole) + ending
    return label if len(label.encode("utf-16-le")) // 2 <= MAX_FILE_NAME_BYTES else file_name(name, image, ending)


def fit_for_files(text: str) -> str:
    """Return a text as the beginning of a file name: what a system forbids becomes `_`."""
    part = FORBIDDEN_IN_FILE_NAMES.sub("_", text)
    return f"_{part}" if DEVICE.fullmatch(part) else part


def clipped(text: str, max_bytes: int) -> str:
    """Return as many characters of a text as have room, in UTF-8."""
    return text.encode()[:max_bytes].decode(errors="ignore")


def class_names(classes: Iterable[str], items: Iterable[SessionObject]) -> list[str]:
    """Return every class once, by its number: those of the list, then others that objects are of, as they were made."""
    return list(dict.fromkeys([*classes, *map(class_name, items)]))
