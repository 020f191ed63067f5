"""Names by which label files know a picture, whichever system wrote them. Pure."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath
from typing import Final

UPLOAD: Final = re.compile(r"[0-9a-f]{8}-(.+)")
"""How Label Studio calls a file that was given to it: eight digits of its own, and then what it was called."""


def base(name: str) -> str:
    """Return the last part of a path, of whatever system."""
    return PurePath(name.replace("\\", "/")).name


def stem(name: str) -> str:
    """Return a file's name without folders and ending."""
    return PurePath(base(name)).stem


def folded(name: str) -> str:
    """Return a name as it compares: macOS takes letters apart that others keep whole, and some change capitals."""
    return unicodedata.normalize("NFC", name).casefold()


def is_upload_of(theirs: str, own: str) -> bool:
    """Return whether a name is what Label Studio calls an upload of another: without spaces and rare signs.

    Args:
        theirs: a folded name.
        own: the folded name that it had before, both with their endings or both without.
    """
    uploaded = UPLOAD.fullmatch(theirs)
    return uploaded is not None and uploaded[1] == re.sub(r"[^-\w.]", "", own.strip().replace(" ", "_"))
