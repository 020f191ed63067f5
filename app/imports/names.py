"""Names by which label files know a picture, whichever system wrote them. Pure."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath


def base(name: str) -> str:
    """Return the last part of a path, of whatever system."""
    return PurePath(name.replace("\\", "/")).name


def stem(name: str) -> str:
    """Return a file's name without folders and ending."""
    return PurePath(base(name)).stem


def folded(name: str) -> str:
    """Return a name as it compares: macOS takes letters apart that others keep whole, and some change capitals."""
    return unicodedata.normalize("NFC", name).casefold()
