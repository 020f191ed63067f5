"""What comes out of a label file: objects, classes, and what didn't fit. Values only."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from app.protocol.from_client import Given

MAX_MISFITS: Final = 50
"""That are told one by one; of the others their number."""


class Misfit(Struct, frozen=True, omit_defaults=True):
    """Something of a file that didn't come in, or not as it is there.

    Attributes:
        where: in the file: `line 3`, `annotation 7`.
        why: what was expected and what came.
        reason: what of that kind it is, for programs that say it in their own words; see `app.errors.Reason`.
        values: what it is about.
    """

    where: str
    why: str
    reason: str | None = None
    values: dict[str, float | str] | None = None


class Labels(Struct, frozen=True):
    """What came out of a label file.

    Attributes:
        objects: to be given to a session.
        classes: the file's own list, in its order.
        problems: what didn't fit, up to `MAX_MISFITS`.
        left_out: how many things of the file are no objects now.
    """

    objects: tuple[Given, ...]
    classes: tuple[str, ...]
    problems: tuple[Misfit, ...]
    left_out: int
