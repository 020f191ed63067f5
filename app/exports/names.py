"""Names that strangers chose, made fit for files, archives and labels. Pure."""

from __future__ import annotations

import re
from typing import Final

from app.session.objects import SessionObject
from app.session.session import OpenImage

MAX_STEM_CHARS: Final = 80
UNNAMED_CLASS: Final = "object"
"""Class of the objects that nobody named."""
NOT_IN_FILE_NAMES: Final = re.compile(r"[^\w .()+-]")
RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""What Windows takes for a device."""


def readable(text: str) -> str:
    """Return a text on one line, without control characters, bidirectional marks and lone surrogates."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def picture_name(name: str | None, image: OpenImage) -> str:
    """Return the file name of a picture, without a folder, by which a label file finds it."""
    last = re.split(r"[/\\]", readable(name or ""))[-1].strip()
    return last if last.strip(".") else fallback(image)


def file_stem(name: str | None, image: OpenImage) -> str:
    """Return the picture's name without its ending, as the beginning of a file name on any system."""
    whole = picture_name(name, image)
    return safe(whole.rpartition(".")[0] or whole) or fallback(image)


def safe(text: str) -> str:
    """Return a text as part of a file name: letters, digits and a few signs, not long; empty where nothing is left."""
    stem = NOT_IN_FILE_NAMES.sub("_", readable(text))[:MAX_STEM_CHARS].strip(" .")
    return f"_{stem}" if RESERVED.fullmatch(stem) else stem


def fallback(image: OpenImage) -> str:
    """Return the name of a picture that came without one."""
    return f"picture-{image.image_id[:8]}"


def class_name(item: SessionObject) -> str:
    """Return the class of an object: the name that a person gave it."""
    name = readable(item.name)
    return UNNAMED_CLASS if name in ("", f"Object {item.id}") else name


def class_names(items: list[SessionObject]) -> list[str]:
    """Return every class once, in the order in which the objects were made."""
    return list(dict.fromkeys(map(class_name, items)))
