"""Text of label files. Pure."""

from __future__ import annotations

import codecs
from typing import Final

from app.errors import BadMessageError, Reason
from app.imports.documents import KINDS

WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How a file in UTF-16 begins, as PowerShell writes it."""


def text_of(data: bytes) -> str:
    """Return a label file as text.

    Raises:
        BadMessageError: it is none.
    """
    try:
        return data.decode("utf-16" if data.startswith(WIDE) else "utf-8-sig")
    except UnicodeDecodeError:
        raise BadMessageError(
            Reason("labels_kind", "expected {kinds}; got a file of another kind", kinds=KINDS)
        ) from None
