"""The codes of errors."""

from __future__ import annotations

from app.errors import HoverError


def codes_of(root: type[HoverError]) -> set[str]:
    return {root.code}.union(*map(codes_of, root.__subclasses__()))
