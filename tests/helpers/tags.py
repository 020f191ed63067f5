"""What messages are called on the wire."""

from __future__ import annotations

import msgspec


def tag_of(kind: type[msgspec.Struct]) -> str:
    """Return what a message of this kind has in `t`."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag
